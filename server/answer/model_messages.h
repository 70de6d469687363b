// The answers that describe the loaded model and the server.
#ifndef HYDROPHONE_SERVER_ANSWER_MODEL_MESSAGES_H_
#define HYDROPHONE_SERVER_ANSWER_MODEL_MESSAGES_H_

#include <string>

#include "hydrophone/v1/model.pb.h"
#include "server/core/limits.h"
#include "server/core/model_info.h"
#include "server/core/tokenizer.h"

namespace hydrophone {

// The versions of the server itself and of its libraries, except libtorch, whose version ComputeInfo has.
struct ProgramVersions {
  std::string server;
  std::string grpc;
};

v1::GetModelResponse DescribeModel(const ModelInfo& model, const Tokenizer& tokenizer, const ComputeInfo& compute,
                                   const Limits& limits, const ProgramVersions& versions);

// Every hook point, with this model's sizes, in the order in which a forward pass computes them.
v1::ListHookPointsResponse DescribeHookPoints(const ModelInfo& model);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_ANSWER_MODEL_MESSAGES_H_
