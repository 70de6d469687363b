#include "server/rpc/service_methods.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hydrophone {
namespace {

TEST(ServiceMethodsTest, AreTheProtosWithTensorsAnsweredByAStream) {
  std::vector<std::string> names;
  for (const ServiceMethod& method : ServiceMethods()) {
    names.push_back(method.name);
    EXPECT_EQ(method.streams_answer, method.name == "Extract" || method.name == "GetParameters") << method.name;
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("GetModel", "ListHookPoints", "Tokenize", "Detokenize", "Extract",
                                                   "GetParameters", "Verify"));
}

TEST(ServiceMethodsTest, TheServiceHasItsFullName) { EXPECT_EQ(ServiceName(), "hydrophone.v1.ActivationService"); }

}  // namespace
}  // namespace hydrophone
