#include "client/cpp/cli/edit_grammar.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/files/testing.h"

namespace hydrophone::client {
namespace {

using ::testing::HasSubstr;

// The intervention as protobuf text on one line.
std::string Read(const std::string& text) {
  const auto edit = ParseEdit(text);
  if (!edit.ok()) return std::string(edit.status().message());
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  std::string printed;
  printer.PrintToString(edit->intervention, &printed);
  return printed.substr(0, printed.find_last_not_of(' ') + 1);
}

// A .npy file of one float32 vector of `count` zeros.
std::string NpyVector(size_t count) {
  const std::string header = absl::StrCat("{'descr': '<f4', 'fortran_order': False, 'shape': (", count, ",), }");
  return absl::StrCat(std::string("\x93NUMPY\x01\x00", 8), std::string(1, static_cast<char>(header.size())),
                      std::string(1, '\0'), header, std::string(4 * count, '\0'));
}

TEST(ParseEdit, AllPositionsAreNamedWhenNoneAre) {
  EXPECT_EQ(Read("blocks.5.hook_mlp_out zero"),
            R"(hook_point: "blocks.5.hook_mlp_out" positions { slice: ":" } zero { })");
}

TEST(ParseEdit, TakesLayersPositionsHeadsAndFeatures) {
  EXPECT_EQ(Read("attn.hook_z@3,5 pos=-1 heads=0,7 features=1-2 scale=0.5"),
            R"(hook_point: "attn.hook_z" layers: 3 layers: 5 positions { at: -1 } )"
            R"(units { heads: 0 heads: 7 features: 1 features: 2 } scale: 0.5)");
  EXPECT_THAT(Read("hook_embed  pos=2:  zero"), HasSubstr(R"(positions { slice: "2:" })"));
  EXPECT_THAT(Read("hook_embed pos=last zero"), HasSubstr("positions { at: -1 }"));
}

TEST(ParseEdit, TakesNumbersAsScalars) {
  EXPECT_THAT(Read("hook_embed add=1.5"), HasSubstr("add { floats: 1.5 }"));
  EXPECT_THAT(Read("hook_embed set=0"), HasSubstr("set { floats: 0 }"));
  EXPECT_THAT(Read("hook_embed scale=-2"), HasSubstr("scale: -2"));
  EXPECT_THAT(Read("hook_embed mean"), HasSubstr("position_mean { }"));
}

TEST(ParseEdit, TakesVectorsFromFiles) {
  const TemporaryDirectory directory;
  const std::string path = directory / "a vector.npy";
  WriteFile(path, NpyVector(3));
  const auto read = [&path](const std::string& operation) {
    const auto edit = ParseEdit(absl::StrCat("hook_embed ", operation, "=@", path));
    EXPECT_TRUE(edit.ok()) << edit.status();
    return edit.ok() ? edit->intervention : v1::Intervention();
  };
  for (const v1::Tensor& tensor : {read("add").add(), read("set").set(), read("project-out").project_out()}) {
    EXPECT_THAT(tensor.shape(), ::testing::ElementsAre(3));
    EXPECT_EQ(tensor.data().size(), 12u);
  }
  EXPECT_THAT(Read("hook_embed add=@none.npy"), HasSubstr("none.npy: no such file"));
}

TEST(ParseEdit, PatchesNameTheRunAndMaybeAPlaceAndPositions) {
  EXPECT_THAT(Read("hook_embed patch=source"), HasSubstr("patch { }"));
  EXPECT_THAT(Read("hook_embed patch=source:-2"), HasSubstr("patch { positions { at: -2 } }"));
  EXPECT_THAT(Read("hook_embed patch=source::3"), HasSubstr(R"(patch { positions { slice: ":3" } })"));
  EXPECT_THAT(Read("hook_embed patch=source:last"), HasSubstr("patch { positions { at: -1 } }"));
  EXPECT_THAT(Read("hook_embed patch=source:hook_resid_mid@2"),
              HasSubstr(R"(patch { hook_point: "hook_resid_mid" layer: 2 })"));
  EXPECT_THAT(Read("hook_embed patch=clean:blocks.2.hook_resid_mid:-2:"),
              HasSubstr(R"(patch { hook_point: "blocks.2.hook_resid_mid" positions { slice: "-2:" } })"));
  EXPECT_EQ(ParseEdit("hook_embed patch=source")->from, Edit::From::kSource);
  EXPECT_EQ(ParseEdit("hook_embed patch=clean")->from, Edit::From::kClean);
  EXPECT_EQ(ParseEdit("hook_embed zero")->from, Edit::From::kNothing);
}

TEST(ParseEdit, RefusalsNameTheEditTheWordAndWhatIsExpected) {
  EXPECT_EQ(
      Read("hook_embed pos=middle zero").rfind("--edit \"hook_embed pos=middle zero\": positions: got \"middle\"", 0),
      0u);
  EXPECT_THAT(Read("hook_embed"), HasSubstr("got \"\", expected zero, mean, scale=NUMBER"));
  EXPECT_THAT(Read("hook_embed drop"), HasSubstr("got \"drop\", expected zero"));
  EXPECT_THAT(Read("hook_embed zero pos=1"), HasSubstr("got \"zero pos=1\"")) << "the operation comes last";
  EXPECT_THAT(Read("hook_embed heads=x zero"), HasSubstr("heads: got \"x\""));
  EXPECT_THAT(Read("hook_embed features= zero"), HasSubstr("features: got \"\""));
  EXPECT_THAT(Read("hook_embed@x zero"), HasSubstr("layers: got \"x\""));
  EXPECT_THAT(Read("hook_embed scale=nan"), HasSubstr("got \"nan\", expected a finite number"));
  EXPECT_THAT(Read("hook_embed add=1e999"), HasSubstr("expected a finite number or @FILE"));
  EXPECT_THAT(Read("hook_embed project-out=1"), HasSubstr("expected @FILE with one vector"));
  EXPECT_THAT(Read("hook_embed patch=0"), HasSubstr("got \"0\", expected source"));
  EXPECT_THAT(Read("hook_embed patch=source:hook_embed@1,2"), HasSubstr("one layer to read from"));
}

}  // namespace
}  // namespace hydrophone::client
