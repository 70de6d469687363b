#include "server/rpc/reflection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "hydrophone/v1/activation_service.grpc.pb.h"
#include "server/rpc/caller_of.h"
#include "server/rpc/status.h"

namespace hydrophone {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using grpc::reflection::v1alpha::ServerReflection;
using Request = grpc::reflection::v1alpha::ServerReflectionRequest;
using Response = grpc::reflection::v1alpha::ServerReflectionResponse;

const DescriptorPool& Pool() { return *DescriptorPool::generated_pool(); }

void ListServices(Response* response) {
  for (const char* service :
       {v1::ActivationService::service_full_name(), "grpc.health.v1.Health", ServerReflection::service_full_name()}) {
    response->mutable_list_services_response()->add_service()->set_name(service);
  }
}

void NotFound(const std::string& what, Response* response) {
  response->mutable_error_response()->set_error_code(grpc::StatusCode::NOT_FOUND);
  response->mutable_error_response()->set_error_message(what);
}

// Adds the file after all that it imports, each once.
void AddFile(const FileDescriptor& file, std::set<const FileDescriptor*>* seen, Response* response) {
  if (!seen->insert(&file).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) AddFile(*file.dependency(i), seen, response);
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  proto.SerializeToString(response->mutable_file_descriptor_response()->add_file_descriptor_proto());
}

void DescribeFile(const FileDescriptor* file, Response* response) {
  if (file == nullptr) return NotFound("no linked file describes that", response);
  std::set<const FileDescriptor*> seen;
  AddFile(*file, &seen, response);
  // The file that was asked for comes first, as in gRPC's own reflection.
  auto* files = response->mutable_file_descriptor_response()->mutable_file_descriptor_proto();
  files->SwapElements(0, files->size() - 1);
}

const FileDescriptor* ExtensionFile(const grpc::reflection::v1alpha::ExtensionRequest& request) {
  const Descriptor* type = Pool().FindMessageTypeByName(request.containing_type());
  const FieldDescriptor* extension =
      type == nullptr ? nullptr : Pool().FindExtensionByNumber(type, request.extension_number());
  return extension == nullptr ? nullptr : extension->file();
}

void ListExtensions(const std::string& type_name, Response* response) {
  const Descriptor* type = Pool().FindMessageTypeByName(type_name);
  if (type == nullptr) return NotFound("no message has that name", response);
  std::vector<const FieldDescriptor*> extensions;
  Pool().FindAllExtensions(type, &extensions);
  auto* numbers = response->mutable_all_extension_numbers_response();
  numbers->set_base_type_name(type_name);
  for (const FieldDescriptor* extension : extensions) numbers->add_extension_number(extension->number());
}

// One call: reads a request, answers it, and so on until the caller has no more. Deletes itself when gRPC is done.
class ReflectionStream final : public grpc::ServerBidiReactor<Request, Response> {
 public:
  ReflectionStream(grpc::CallbackServerContext* context, CallPermit permit) : permit_(std::move(permit)) {
    if (permit_.ok()) {
      StartRead(&request_);
    } else {
      Finish(FinalStatus(permit_.status(), context));
    }
  }

  void OnReadDone(bool ok) override {
    if (!ok) return End();
    response_ = AnswerReflection(request_);
    StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return End();
    StartRead(&request_);
  }
  void OnDone() override { delete this; }

 private:
  void End() {
    (*permit_)->End();
    Finish(grpc::Status::OK);
  }

  const CallPermit permit_;
  Request request_;
  Response response_;
};

}  // namespace

Response AnswerReflection(const Request& request) {
  Response response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case Request::kFileByFilename:
      DescribeFile(Pool().FindFileByName(request.file_by_filename()), &response);
      break;
    case Request::kFileContainingSymbol:
      DescribeFile(Pool().FindFileContainingSymbol(request.file_containing_symbol()), &response);
      break;
    case Request::kFileContainingExtension:
      DescribeFile(ExtensionFile(request.file_containing_extension()), &response);
      break;
    case Request::kAllExtensionNumbersOfType:
      ListExtensions(request.all_extension_numbers_of_type(), &response);
      break;
    case Request::kListServices:
      ListServices(&response);
      break;
    case Request::MESSAGE_REQUEST_NOT_SET:
      response.mutable_error_response()->set_error_code(grpc::StatusCode::INVALID_ARGUMENT);
      response.mutable_error_response()->set_error_message("message_request: got none, expected one");
  }
  return response;
}

grpc::ServerBidiReactor<Request, Response>* Reflection::ServerReflectionInfo(grpc::CallbackServerContext* context) {
  return new ReflectionStream(context, PermitOf(*context, access_, Role::kOperate));
}

}  // namespace hydrophone
