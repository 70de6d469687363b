#include "server/rpc/reflection.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/sha256.h"
#include "tests/server/rpc/rpc_fixture.h"

namespace hydrophone {
namespace {

using Request = grpc::reflection::v1alpha::ServerReflectionRequest;
using Response = grpc::reflection::v1alpha::ServerReflectionResponse;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class ReflectionTest : public RpcFixture {
 protected:
  ~ReflectionTest() override { std::filesystem::remove(path_); }

  void StartWithTokens() {
    std::ofstream(path_) << "sha256=" << Sha256Hex("user") << " name=user\n"
                         << "sha256=" << Sha256Hex("root") << " name=root role=operate\n";
    access_ = *Access::Load(path_, clock_, [](const absl::Status&) {});
    Start();
  }

  // What a call that asks for the list of services, twice, ends with; the answers' number comes back in `answers`.
  grpc::Status List(const std::string& authorization, int* answers) const {
    const auto stub = grpc::reflection::v1alpha::ServerReflection::NewStub(
        grpc::CreateChannel(absl::StrCat("127.0.0.1:", server_->port()), grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    if (!authorization.empty()) context.AddMetadata("authorization", authorization);
    const auto stream = stub->ServerReflectionInfo(&context);
    Request request;
    request.set_list_services("");
    stream->Write(request);
    stream->Write(request);
    stream->WritesDone();
    *answers = 0;
    for (Response response; stream->Read(&response);) *answers += response.has_list_services_response();
    return stream->Finish();
  }

  const std::string path_ = absl::StrCat(testing::TempDir(), "/reflection_test_",
                                         testing::UnitTest::GetInstance()->current_test_info()->name());
  int answers_ = 0;
};

std::vector<std::string> FilesOf(const Response& response) {
  std::vector<std::string> names;
  for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
    google::protobuf::FileDescriptorProto file;
    EXPECT_TRUE(file.ParseFromString(bytes));
    names.push_back(file.name());
  }
  return names;
}

TEST_F(ReflectionTest, WithoutTokensItAnswersEveryRequestOfACall) {
  Start();
  EXPECT_TRUE(List("", &answers_).ok());
  EXPECT_EQ(answers_, 2);
}

TEST_F(ReflectionTest, WithTokensItWantsTheRole) {
  options_.reflection = ReflectionMode::kOperate;
  StartWithTokens();
  EXPECT_EQ(List("", &answers_).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  const grpc::Status refused = List("Bearer user", &answers_);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ReasonOf(refused), "ROLE");
  EXPECT_EQ(answers_, 0);
  EXPECT_TRUE(List("Bearer root", &answers_).ok());
  EXPECT_EQ(answers_, 2);
}

TEST_F(ReflectionTest, OpenItWantsNoToken) {
  options_.reflection = ReflectionMode::kOpen;
  StartWithTokens();
  EXPECT_TRUE(List("", &answers_).ok());
}

TEST_F(ReflectionTest, OffItIsNotThere) {
  options_.reflection = ReflectionMode::kOff;
  Start();
  EXPECT_EQ(List("", &answers_).error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST(AnswerReflectionTest, ListsTheServices) {
  Request request;
  request.set_list_services("");
  const Response response = AnswerReflection(request);
  std::vector<std::string> names;
  for (const auto& service : response.list_services_response().service()) {
    names.push_back(service.name());
  }
  EXPECT_THAT(names, UnorderedElementsAre("hydrophone.v1.ActivationService", "grpc.health.v1.Health",
                                          "grpc.reflection.v1alpha.ServerReflection"));
}

TEST(AnswerReflectionTest, AFileComesFirstThenAllThatItImportsOnce) {
  Request request;
  request.set_host("lab");
  request.set_file_containing_symbol("hydrophone.v1.ActivationService.Extract");
  const Response response = AnswerReflection(request);
  EXPECT_EQ(response.valid_host(), "lab");
  EXPECT_EQ(response.original_request().file_containing_symbol(), "hydrophone.v1.ActivationService.Extract");
  std::vector<std::string> files = FilesOf(response);
  ASSERT_FALSE(files.empty());
  EXPECT_EQ(files[0], "hydrophone/v1/activation_service.proto");
  EXPECT_THAT(files, testing::Contains("hydrophone/v1/tensor.proto").Times(1));
  request.set_file_by_filename("hydrophone/v1/tensor.proto");
  EXPECT_THAT(FilesOf(AnswerReflection(request)), ElementsAre("hydrophone/v1/tensor.proto"));
}

TEST(AnswerReflectionTest, WhatIsNotThereIsNotFound) {
  Request request;
  const auto code = [&] { return AnswerReflection(request).error_response().error_code(); };
  EXPECT_EQ(code(), grpc::StatusCode::INVALID_ARGUMENT);
  request.set_file_by_filename("no.proto");
  EXPECT_EQ(code(), grpc::StatusCode::NOT_FOUND);
  request.set_file_containing_symbol("no.Symbol");
  EXPECT_EQ(code(), grpc::StatusCode::NOT_FOUND);
  request.mutable_file_containing_extension()->set_containing_type("hydrophone.v1.Chunk");
  EXPECT_EQ(code(), grpc::StatusCode::NOT_FOUND);
  request.set_all_extension_numbers_of_type("no.Type");
  EXPECT_EQ(code(), grpc::StatusCode::NOT_FOUND);
}

TEST(AnswerReflectionTest, AMessageWithoutExtensionsHasNone) {
  Request request;
  request.set_all_extension_numbers_of_type("hydrophone.v1.Chunk");
  const auto numbers = AnswerReflection(request).all_extension_numbers_response();
  EXPECT_EQ(numbers.base_type_name(), "hydrophone.v1.Chunk");
  EXPECT_EQ(numbers.extension_number_size(), 0);
}

}  // namespace
}  // namespace hydrophone
