#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "server/base/utf8.h"

namespace hydrophone {
namespace {

// Bytes, and what Python's decode("utf-8", "replace").encode() makes of them. Octal, as one
// notation for all bytes.
const std::vector<std::pair<std::string, std::string>>& Cases() {
  static const auto& cases = *new std::vector<std::pair<std::string, std::string>>{
      {"", ""},
      {"\160\154\141\151\156", "\160\154\141\151\156"},
      {"\303\244\342\202\254\360\237\230\200", "\303\244\342\202\254\360\237\230\200"},
      {"\377", "\357\277\275"},
      {"\141\303", "\141\357\277\275"},
      {"\303\050", "\357\277\275\050"},
      {"\342\202", "\357\277\275"},
      {"\342\202\101", "\357\277\275\101"},
      {"\342\050\241", "\357\277\275\050\357\277\275"},
      {"\360\237\230", "\357\277\275"},
      {"\360\237\230\360\237\230\200", "\357\277\275\360\237\230\200"},
      {"\300\257", "\357\277\275\357\277\275"},
      {"\340\200\257", "\357\277\275\357\277\275\357\277\275"},
      {"\355\240\200", "\357\277\275\357\277\275\357\277\275"},
      {"\364\220\200\200", "\357\277\275\357\277\275\357\277\275\357\277\275"},
      {"\365\200\200\200", "\357\277\275\357\277\275\357\277\275\357\277\275"},
      {"\360\200\200\200", "\357\277\275\357\277\275\357\277\275\357\277\275"},
      {"\200\200", "\357\277\275\357\277\275"},
      {"\355\237\277\356\200\200", "\355\237\277\356\200\200"},
      {"\364\217\277\277", "\364\217\277\277"},
      {"\341\200\342\360\221\222\361\277\101", "\357\277\275\357\277\275\357\277\275\357\277\275\101"},
  };
  return cases;
}

TEST(ToUtf8, ReplacesMaximalInvalidPartsAsPythonDoes) {
  for (const auto& [bytes, text] : Cases()) EXPECT_EQ(ToUtf8(bytes), text);
}

TEST(IsUtf8, IsTrueForWhatNeedsNoReplacing) {
  for (const auto& [bytes, text] : Cases()) {
    EXPECT_EQ(IsUtf8(bytes), bytes == text);
    EXPECT_TRUE(IsUtf8(text));
  }
}

}  // namespace
}  // namespace hydrophone
