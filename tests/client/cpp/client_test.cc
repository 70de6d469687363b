#include "client/cpp/client.h"

#include <optional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/cpp/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/fake_service.h"
#include "tests/client/cpp/reserved_port.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

v1::ExtractRequest SmallRequest() {
  v1::ExtractRequest request;
  request.add_texts("abc");
  request.add_hook_points("hidden_states");
  return request;
}

const grpc::Status& Overloaded() {
  static const auto* const status = new grpc::Status(
      StatusWithDetails(grpc::StatusCode::RESOURCE_EXHAUSTED, "busy", "OVERLOADED", {}, absl::Milliseconds(250)));
  return *status;
}

TEST(Client, ExtractGivesTheWholeAnswer) {
  FakeService service;
  const auto extraction = service.Connect()->Extract(SmallRequest());
  ASSERT_TRUE(extraction.ok()) << extraction.status();
  EXPECT_EQ(extraction->header.provenance().model(), "toy");
  ASSERT_THAT(extraction->tensors, SizeIs(kToyLayers));
  EXPECT_EQ(extraction->tensors[1].info.name(), "blocks.1.hidden_states");
  EXPECT_EQ(extraction->trailer.tensors(), kToyLayers);
}

TEST(Client, AStreamThatEndsEarlyWithStatusOkIsAnErrorWhereverItEnds) {
  FakeService service;
  const size_t whole = ToyStream(SmallRequest()).size();
  for (size_t messages = 0; messages < whole; ++messages) {
    service.on_extract = [messages](const v1::ExtractRequest& request) {
      Script script{ToyStream(request), grpc::Status::OK};
      script.messages.resize(messages);
      return script;
    };
    const absl::Status status = service.Connect()->Extract(SmallRequest()).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << messages << ": " << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(messages == 0 ? "ended before its header" : "without a trailer"));
  }
}

TEST(Client, ADamagedStreamIsLeftAtOnce) {
  FakeService service;
  service.on_extract = [](const v1::ExtractRequest& request) {
    Script script{ToyStream(request), grpc::Status::OK};
    script.messages[2].mutable_chunk()->set_crc32(1);
    return script;
  };
  EXPECT_THAT(std::string(service.Connect()->Extract(SmallRequest()).status().message()), HasSubstr("CRC-32"));
}

TEST(Client, TheServersErrorInTheMidstIsWhatIsTold) {
  FakeService service;
  service.on_extract = [](const v1::ExtractRequest& request) {
    Script script{ToyStream(request),
                  StatusWithDetails(grpc::StatusCode::UNAVAILABLE, "draining", "DRAINING", {}, absl::Seconds(1))};
    script.messages.resize(2);
    return script;
  };
  const absl::Status status = service.Connect()->Extract(SmallRequest()).status();
  EXPECT_EQ(ReasonOf(status), "DRAINING");
  EXPECT_THAT(service.requests(), SizeIs(1)) << "the sink had got a part: no second attempt";
}

TEST(Client, ABusyServerIsAskedAgainAfterTheDelayThatItNames) {
  FakeService service;
  int calls = 0;
  service.on_extract = [&](const v1::ExtractRequest& request) {
    return ++calls < 3 ? Script{{}, Overloaded()} : Script{ToyStream(request), grpc::Status::OK};
  };
  EXPECT_TRUE(service.Connect()->Extract(SmallRequest()).ok());
  EXPECT_THAT(service.delays(), ElementsAre(absl::Milliseconds(250), absl::Milliseconds(250)));
}

TEST(Client, ABusyServerIsNotAskedForEver) {
  FakeService service;
  service.on_extract = [](const v1::ExtractRequest&) { return Script{{}, Overloaded()}; };
  const absl::Status status = service.Connect()->Extract(SmallRequest()).status();
  EXPECT_EQ(ReasonOf(status), "OVERLOADED");
  EXPECT_THAT(service.requests(), SizeIs(ClientOptions().attempts));
}

TEST(Client, OtherRefusalsAreFinal) {
  FakeService service;
  service.on_extract = [](const v1::ExtractRequest&) {
    return Script{
        {}, StatusWithDetails(grpc::StatusCode::INVALID_ARGUMENT, "no", "BAD_REQUEST", {{"hooks[0]", "unknown"}})};
  };
  EXPECT_THAT(ViolationsOf(service.Connect()->Extract(SmallRequest()).status()), SizeIs(1));
  EXPECT_THAT(service.delays(), IsEmpty());
}

TEST(Client, ParametersComeWhole) {
  FakeService service;
  const auto parameters = service.Connect()->GetParameters(v1::GetParametersRequest());
  ASSERT_TRUE(parameters.ok()) << parameters.status();
  EXPECT_EQ(parameters->header.parameters(1).tied_to(), "transformer.wte.weight");
  ASSERT_EQ(parameters->tensors.size(), 2u);
  EXPECT_THAT(ToFloats(parameters->tensors[0]).value(), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_EQ(parameters->trailer.tensors(), 2u);
}

TEST(Client, ACutStreamOfParametersIsAnErrorWhereverItEndsAndNotAskedForAgain) {
  const size_t whole = ToyParameters(v1::GetParametersRequest()).size();
  for (size_t count = 0; count < whole; ++count) {
    FakeService service;
    service.on_get_parameters = [count](const v1::GetParametersRequest& request) {
      auto messages = ToyParameters(request);
      messages.resize(count);
      return messages;
    };
    EXPECT_TRUE(absl::IsDataLoss(service.Connect()->GetParameters(v1::GetParametersRequest()).status())) << count;
    EXPECT_EQ(service.parameters_requests().size(), 1u);
  }
}

TEST(Client, MessagesOverGrpcsDefaultOfFourMebibytesAreReceived) {
  FakeService service;
  v1::ExtractRequest request = SmallRequest();
  request.set_texts(0, std::string(500000, 'x'));
  request.mutable_hook_points()->DeleteSubrange(0, 1);
  request.add_hook_points("attn.c_proj");
  service.on_extract = [](const v1::ExtractRequest& asked) {
    return Script{ToyStream(asked, 500000), grpc::Status::OK};
  };
  const auto extraction = service.Connect()->Extract(request);
  ASSERT_TRUE(extraction.ok()) << extraction.status();
  EXPECT_EQ(extraction->tensors[0].bytes.size(), 500000 * kToyWidth * sizeof(float));
}

TEST(Client, MessagesAsLongAsTheServersLimitAreReceived) {
  FakeService service;
  constexpr size_t kLength = size_t{65} << 20;
  service.model.mutable_limits()->set_max_message_bytes(kLength);
  service.on_extract = [](const v1::ExtractRequest& asked) {
    Script script{ToyStream(asked), grpc::Status::OK};
    v1::ExtractResponse& last = script.messages.back();
    last.GetReflection()->MutableUnknownFields(&last)->AddLengthDelimited(99, std::string(kLength, 'x'));
    return script;
  };
  const auto extraction = service.Connect()->Extract(SmallRequest());
  EXPECT_TRUE(extraction.ok()) << extraction.status();
}

TEST(Client, ASinkThatHasEnoughEndsTheStream) {
  class Stop : public ExtractSink {
    absl::Status OnTensor(ReceivedTensor) override { return absl::OutOfRangeError("enough"); }
  };
  FakeService service;
  Stop stop;
  EXPECT_EQ(service.Connect()->Extract(SmallRequest(), &stop), absl::OutOfRangeError("enough"));
}

TEST(Client, NobodyThereIsUnavailable) {
  std::unique_ptr<Client> client;
  {
    FakeService gone;
    client = gone.Connect();
  }
  EXPECT_TRUE(absl::IsUnavailable(client->GetModel().status()));
}

TEST(Client, WaitsForAServerThatIsAboutToListen) {
  const ReservedPort reserved;
  ClientOptions options;
  options.address = absl::StrCat("127.0.0.1:", reserved.port());
  options.connect_timeout = absl::Minutes(1);
  std::optional<FakeService> service;
  std::thread starting([&] {
    reserved.TurnOneCallerAway();
    service.emplace(reserved.port());
  });
  const auto model = Client::Connect(options)->GetModel();
  starting.join();
  EXPECT_TRUE(model.ok()) << model.status();
}

TEST(Client, WaitsForAConnectionNoLongerThanToldTo) {
  const ReservedPort reserved;  // nothing listens there
  ClientOptions options;
  options.address = absl::StrCat("127.0.0.1:", reserved.port());
  options.connect_timeout = absl::InfiniteDuration();
  options.timeout = absl::Milliseconds(20);
  EXPECT_FALSE(Client::Connect(options)->GetModel().ok()) << "a call's own time counts too";
  options.connect_timeout = absl::ZeroDuration();
  options.timeout = absl::InfiniteDuration();
  EXPECT_TRUE(absl::IsUnavailable(Client::Connect(options)->GetModel().status()));
}

TEST(Client, HealthFollowsTheServer) {
  FakeService service;
  const auto client = service.Connect();
  EXPECT_TRUE(client->CheckHealth().ok());
  service.SetServing(false);
  const absl::Status status = client->CheckHealth();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("NOT_SERVING"));
  EXPECT_TRUE(absl::IsNotFound(client->CheckHealth("no.such.Service")));
}

TEST(Client, WaitsUntilTheServerServes) {
  FakeService service;
  service.SetServing(false);
  ClientOptions options;
  options.address = service.address();
  int waits = 0;
  options.sleep = [&](absl::Duration) { service.SetServing(++waits == 3); };
  EXPECT_TRUE(Client::Connect(std::move(options))->WaitUntilServing(absl::Minutes(1)).ok());
  EXPECT_EQ(waits, 3);
}

TEST(Client, WaitsNoLongerThanToldTo) {
  FakeService service;
  service.SetServing(false);
  EXPECT_TRUE(absl::IsUnavailable(service.Connect()->WaitUntilServing(absl::ZeroDuration())));
}

}  // namespace
}  // namespace hydrophone::client
