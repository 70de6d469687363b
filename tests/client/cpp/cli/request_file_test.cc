#include "client/cpp/cli/request_file.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/files/testing.h"

namespace hydrophone::client {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<v1::ExtractRequest> ReadText(const std::string& json) {
  std::istringstream stream(json);
  return ReadRequestFile("-", stream);
}

TEST(ReadRequestFile, TakesTheFieldsOfTheMessage) {
  const auto request =
      ReadText(R"({"texts": ["a"], "hooks": [{"hook_point": "hook_embed", "positions": {"slice": "-1:"}}]})");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->texts(0), "a");
  EXPECT_EQ(request->hooks(0).positions().slice(), "-1:");
}

TEST(ReadRequestFile, RefusesUnknownFieldsAndWhatIsNoJson) {
  EXPECT_THAT(std::string(ReadText(R"({"text": "a"})").status().message()),
              AllOf(HasSubstr("standard input: not an ExtractRequest"), HasSubstr("text")));
  EXPECT_TRUE(absl::IsInvalidArgument(ReadText("{").status()));
}

TEST(ReadRequestFile, NamesAFileThatCannotBeRead) {
  std::istringstream nothing;
  EXPECT_THAT(std::string(ReadRequestFile("/no/such.json", nothing).status().message()),
              HasSubstr("/no/such.json: cannot read it"));
}

TEST(WordsOfFile, TextsKeepTheirNumbersAmongTheInputs) {
  v1::ExtractRequest request;
  request.add_texts("a");
  request.add_inputs();
  const RequestWords words = WordsOfFile(request);
  EXPECT_EQ(words.Of("inputs[0].text"), "texts[0].text");
  EXPECT_EQ(words.Of("inputs[1].token_ids[2]"), "inputs[0].token_ids[2]");
  EXPECT_EQ(words.Of("hooks[0].layers[1]"), "hooks[0].layers[1]");
}

TEST(RequestJson, IsReadBack) {
  v1::ExtractRequest request;
  request.add_inputs()->set_text("a");
  request.add_runs()->add_interventions()->set_scale(0.5F);
  request.set_train_seed(0);
  const TemporaryDirectory directory;
  WriteFile(directory / "r.json", RequestJson(request));
  std::istringstream nothing;
  EXPECT_EQ(ReadRequestFile(directory / "r.json", nothing)->SerializeAsString(), request.SerializeAsString());
  EXPECT_THAT(RequestJson(request), HasSubstr("\"train_seed\": \"0\""));
}

}  // namespace
}  // namespace hydrophone::client
