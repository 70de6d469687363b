// Protobuf messages written as text.
#ifndef HYDROPHONE_TESTS_FAKES_TEXT_MESSAGE_H_
#define HYDROPHONE_TESTS_FAKES_TEXT_MESSAGE_H_

#include <string>

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace hydrophone {

// A message from protobuf's text format.
template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

}  // namespace hydrophone

#endif  // HYDROPHONE_TESTS_FAKES_TEXT_MESSAGE_H_
