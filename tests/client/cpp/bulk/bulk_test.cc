#include "client/cpp/bulk/bulk.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <sstream>

#include "client/cpp/extract_all.h"
#include "client/cpp/files/json_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/fake_service.h"
#include "tests/client/cpp/files/testing.h"

namespace hydrophone::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

// Ten texts of one to three tokens, three a shard, asked of the toy model.
class MakeShardsTest : public ::testing::Test {
 protected:
  MakeShardsTest() {
    job_.corpus_sha256 = "c0";
    job_.texts = 10;
    job_.texts_per_shard = 3;
    job_.model.set_model("toy");
    v1::HookSelector* hook = job_.request.add_hooks();
    hook->set_hook_point("attn.c_proj");
    hook->add_layers(0);
    job_.request.set_layout(v1::LAYOUT_ROWS);
    job_.model.set_weights_sha256("abc");
    job_.model.set_numerics("toy numerics");
    options_.now = [] { return absl::UnixEpoch(); };
    options_.sleep = [](absl::Duration) {};
  }

  absl::Status Ask(const std::vector<size_t>& texts, ExtractSink* sink) const {
    v1::ExtractRequest request = job_.request;
    for (const size_t text : texts) {
      request.add_inputs()->set_text(std::string(1 + text % 3, static_cast<char>('a' + text)));
    }
    return ExtractAll(*client_, request, sink);
  }
  absl::StatusOr<BulkDone> Make(const std::string& directory) const {
    return MakeShards(
        job_, directory, [&](const std::vector<size_t>& texts, ExtractSink* sink) { return Ask(texts, sink); },
        options_);
  }
  static std::map<std::string, std::string> Contents(const std::string& directory) {
    std::map<std::string, std::string> contents;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      contents[entry.path().filename().string()] = ReadFile(entry.path().string());
    }
    return contents;
  }

  FakeService service_;
  const std::unique_ptr<Client> client_ = service_.Connect();
  const TemporaryDirectory directory_;
  const std::string out_ = directory_ / "deep/out";
  Job job_;
  BulkOptions options_;
};

TEST_F(MakeShardsTest, WritesShardsAndAnIndex) {
  const auto done = Make(out_);
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->shards, 4);
  EXPECT_EQ(done->rows, 19);
  const auto index = ReadJsonFile(out_ + "/index.json");
  ASSERT_TRUE(index.ok()) << index.status();
  EXPECT_EQ((*index)["arrays"]["blocks.0.attn.c_proj"]["row"], nlohmann::json({3}));
  EXPECT_EQ((*index)["shards"][3], nlohmann::json({{"file", "shard-00003.safetensors"}, {"rows", 1}, {"texts", 1}}));
}

TEST_F(MakeShardsTest, GoesOnWithTheShardsThatAreMissing) {
  ASSERT_TRUE(Make(out_).ok());
  const auto whole = Contents(out_);
  std::filesystem::remove(out_ + "/shard-00002.safetensors");
  std::filesystem::remove(out_ + "/index.json");
  WriteFile(out_ + "/.shard-00002.safetensors.partial", "what a killed process left");
  const size_t asked = service_.requests().size();
  ASSERT_TRUE(Make(out_).ok());
  EXPECT_EQ(service_.requests().size(), asked + 1);
  EXPECT_EQ(Contents(out_), whole);
}

TEST_F(MakeShardsTest, AShuffleKeepsEveryRowAndItsPlace) {
  job_.shuffle = 7;
  ASSERT_TRUE(Make(out_).ok());
  const auto index = ReadJsonFile(out_ + "/index.json");
  EXPECT_EQ((*index)["shards"].size(), 4);
  const std::string first = ReadFile(out_ + "/shard-00000.safetensors");
  job_.shuffle = 8;
  ASSERT_TRUE(Make(directory_ / "other").ok());
  EXPECT_NE(ReadFile(directory_ / "other/shard-00000.safetensors"), first);
}

TEST_F(MakeShardsTest, AnotherJobIsRefusedAndSaysWhatIsOther) {
  ASSERT_TRUE(Make(out_).ok());
  job_.texts_per_shard = 4;
  const absl::Status other = Make(out_).status();
  EXPECT_TRUE(absl::IsInvalidArgument(other));
  EXPECT_THAT(std::string(other.message()), HasSubstr("its texts_per_shard is 3, this one's 4"));
}

TEST_F(MakeShardsTest, AnotherModelIsToldFromOtherNumerics) {
  ASSERT_TRUE(Make(out_).ok());
  const std::string numerics = job_.model.numerics();
  job_.model.set_numerics("contract=9");
  EXPECT_TRUE(absl::IsFailedPrecondition(Make(out_).status()));
  EXPECT_THAT(std::string(Make(out_).status().message()), HasSubstr("computes other bits (numerics)"));
  job_.model.set_numerics(numerics);
  job_.model.set_weights_sha256("other");
  EXPECT_THAT(std::string(Make(out_).status().message()), HasSubstr("has other weights than"));
}

TEST_F(MakeShardsTest, AnAnswerOfAnotherModelEndsTheJob) {
  job_.model.set_weights_sha256("what GetModel said before the server was replaced");
  const absl::Status status = Make(out_).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(directory_.List(), ElementsAre("deep"));
  EXPECT_EQ(Contents(out_).count("shard-00000.safetensors"), 0);
}

TEST_F(MakeShardsTest, ShardsWithoutAJobAreNotWrittenOver) {
  std::filesystem::create_directories(out_);
  WriteFile(out_ + "/shard-00000.safetensors", "somebody's");
  EXPECT_THAT(std::string(Make(out_).status().message()), HasSubstr("holds shards and no job.json"));
  EXPECT_EQ(ReadFile(out_ + "/shard-00000.safetensors"), "somebody's");
}

TEST_F(MakeShardsTest, AServerThatIsGoneIsWaitedForAndThenTold) {
  std::atomic<int> gone = 2;
  service_.on_extract = [&](const v1::ExtractRequest& request) {
    if (gone-- > 0) return Script{{}, grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone")};
    return Script{ToyStream(request), grpc::Status::OK};
  };
  EXPECT_TRUE(Make(out_).ok());
  gone = 1000;
  options_.patience = absl::ZeroDuration();
  const absl::Status status = Make(directory_ / "other").status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("0 of 4 shards are in"));
}

TEST_F(MakeShardsTest, SkippedTextsAreNumberedAsTheCorpusNumbersThem) {
  job_.shuffle = 1;
  const auto done = MakeShards(
      job_, out_,
      [&](const std::vector<size_t>& texts, ExtractSink* sink) {
        v1::InputInfo skipped;
        for (size_t i = 0; i < texts.size(); ++i) {
          skipped.set_index(static_cast<uint32_t>(i));
          skipped.set_skipped("inputs[" + std::to_string(i) + "]: no tokens");
          if (absl::Status status = sink->OnInput(skipped); !status.ok()) return status;
        }
        return absl::OkStatus();
      },
      options_);
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_THAT(done->skipped, ::testing::SizeIs(10));
  EXPECT_THAT(done->skipped, ::testing::Contains(Pair("4", "corpus[4]: no tokens")));
  EXPECT_EQ(done->rows, 0);
}

TEST_F(MakeShardsTest, OneProcessAtATimeWritesIntoADirectory) {
  std::filesystem::create_directories(out_);
  const int other = ::open(out_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_EQ(::flock(other, LOCK_EX), 0);
  const absl::Status status = Make(out_).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("another process is writing into"));
  ::close(other);
  EXPECT_TRUE(Make(out_).ok());
}

TEST_F(MakeShardsTest, ADirectoryThatCannotBeWrittenIsTold) {
  WriteFile(directory_ / "file", "");
  EXPECT_THAT(std::string(Make(directory_ / "file").status().message()), HasSubstr("Not a directory"));
}

TEST_F(MakeShardsTest, AFileThatIsNoShardIsToldAtTheEnd) {
  ASSERT_TRUE(Make(out_).ok());
  WriteFile(out_ + "/shard-00001.safetensors", "cut");
  EXPECT_THAT(std::string(Make(out_).status().message()), HasSubstr("shard-00001.safetensors is no shard"));
}

}  // namespace
}  // namespace hydrophone::client
