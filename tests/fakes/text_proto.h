// Messages from protobuf's text format.
#ifndef HYDROPHONE_TESTS_FAKES_TEXT_PROTO_H_
#define HYDROPHONE_TESTS_FAKES_TEXT_PROTO_H_

#include <gtest/gtest.h>

#include <string>

#include "google/protobuf/text_format.h"

namespace hydrophone {

// The message that `text` describes; fails the test when it describes none.
template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_TEXT_PROTO_H_
