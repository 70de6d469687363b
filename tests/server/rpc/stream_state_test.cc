#include "server/rpc/stream_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

// A thread of the world below: what it does next. Between two steps, any other thread may do any number of its own.
enum class Step {
  kProduce,     // the engine hands over a capture, or the end
  kWake,        // ... and wakes the stream
  kMayEncode,   // a worker's task looks
  kEncode,      // ... encodes what it found
  kEncoded,     // ... and says so
  kStartWrite,  // gRPC gets the message, from a task or from Written
  kTakeFinish,  // Finish, if it is due
  kEnd,         // the caller leaves
  kOver,
};

struct Thread {
  Step step = Step::kOver;
  bool is_producer = false;
  bool write_first = false;  // after Wake, a message is to be written
  int message = -1;          // encoded by this task; -1: none
  bool end = false;          // this task found the end
  Step after_write = Step::kTakeFinish;
};

// A stream of messages 0, 1, ... among an engine that makes them, workers' tasks, gRPC, and a caller that may leave:
// what ExtractStream does around StreamState, cut into the steps between which threads can change.
struct World {
  StreamState<int> state;
  std::vector<Thread> threads;
  int to_produce = 0;
  int produced = 0;
  bool end_produced = false;
  int encoded = 0;
  int outstanding = -1;  // the message with gRPC; -1: none
  std::vector<int> sent;
  bool may_fail = false;  // gRPC may report a broken stream
  bool broken = false;
  bool left = false;
  int finishes = 0;
  bool finished_ok = false;

  std::string Key() const {
    std::string key =
        absl::StrCat(state.DebugString(), state.writing() == nullptr ? -1 : *state.writing(), "|", produced,
                     end_produced, encoded, "|", outstanding, "|", sent.size(), broken, left, finishes);
    std::multiset<std::string> each;  // threads in the same place are as good as each other
    for (const Thread& thread : threads) {
      each.insert(absl::StrCat("/", static_cast<int>(thread.step), thread.is_producer, thread.write_first,
                               thread.message, thread.end, static_cast<int>(thread.after_write)));
    }
    for (const std::string& thread : each) key += thread;
    return key;
  }

  std::string Describe() const { return absl::StrCat(Key(), " finishes=", finishes); }
};

int TasksInTheirLoop(const World& world) {
  int tasks = 0;
  for (const Thread& thread : world.threads) {
    const Step step = thread.step == Step::kStartWrite ? thread.after_write : thread.step;
    tasks += step == Step::kMayEncode || step == Step::kEncode || step == Step::kEncoded;
  }
  return tasks;
}

void CheckInvariants(const World& world) {
  const std::string state = world.state.DebugString();
  const auto holds = [&](const char* name) { return state.find(name) != std::string::npos; };
  const std::string where = world.Describe();
  int to_write = 0;
  for (const Thread& thread : world.threads) to_write += thread.step == Step::kStartWrite || thread.write_first;
  EXPECT_EQ(holds("writing"), (world.outstanding >= 0 ? 1 : 0) + to_write == 1) << where;
  EXPECT_LE((world.outstanding >= 0 ? 1 : 0) + to_write, 1) << where;
  EXPECT_TRUE(!holds("ready") || holds("writing")) << where;
  EXPECT_EQ(TasksInTheirLoop(world), holds("pumping") ? 1 : 0) << where;
  EXPECT_TRUE(!holds("finished") || (holds("ended") && !holds("writing") && !holds("ready"))) << where;
  EXPECT_LE(world.finishes, 1) << where;
}

// What each step does, as ExtractStream does it: `thread` goes on, ends, or starts another one.
class Steps {
 public:
  Steps(World* world, size_t thread) : world_(*world), index_(thread) {}

  void Run() {
    switch (thread().step) {
      case Step::kProduce:
        return Produce();
      case Step::kWake:
        return Wake();
      case Step::kMayEncode:
        thread().step = world_.state.MayEncode() ? Step::kEncode : Step::kTakeFinish;
        return;
      case Step::kEncode:
        return Encode();
      case Step::kEncoded:
        return Encoded();
      case Step::kStartWrite:
        return StartWrite();
      case Step::kTakeFinish:
        return TakeFinish();
      case Step::kEnd:
        world_.left = true;
        (void)world_.state.End(absl::CancelledError(), true);
        thread().step = Step::kTakeFinish;
        return;
      case Step::kOver:
        return;
    }
  }

 private:
  Thread& thread() { return world_.threads[index_]; }

  void Produce() {
    if (world_.produced < world_.to_produce) {
      ++world_.produced;
    } else {
      world_.end_produced = true;
    }
    thread().step = Step::kWake;
  }

  void Wake() {
    const bool starts = world_.state.Wake();
    if (thread().is_producer) {
      thread().step = world_.end_produced ? Step::kOver : Step::kProduce;
    } else {  // gRPC's thread, after Written
      thread().step = thread().write_first ? Step::kStartWrite : Step::kTakeFinish;
      thread().write_first = false;
    }
    if (starts) world_.threads.push_back({.step = Step::kMayEncode});
  }

  void Encode() {
    thread().message = -1;
    if (!world_.left && !world_.broken && world_.encoded < world_.produced) {
      thread().message = world_.encoded++;
    } else if (world_.end_produced) {
      thread().end = true;
    }
    thread().step = Step::kEncoded;
  }

  void Encoded() {
    std::optional<int> message;
    if (thread().message >= 0) message = thread().message;
    std::optional<absl::Status> end;
    if (thread().end) end = absl::OkStatus();
    const auto after = world_.state.Encoded(message, end);
    const Step next = after.again ? Step::kMayEncode : Step::kTakeFinish;
    thread() = Thread{.step = after.write ? Step::kStartWrite : next, .after_write = next};
  }

  void StartWrite() {
    ASSERT_NE(world_.state.writing(), nullptr) << world_.Describe();
    EXPECT_EQ(world_.outstanding, -1) << "two writes at once: " << world_.Describe();
    EXPECT_EQ(world_.finishes, 0) << "a write after Finish: " << world_.Describe();
    world_.outstanding = *world_.state.writing();
    thread().step = thread().after_write;
  }

  void TakeFinish() {
    thread().step = Step::kOver;
    const std::optional<absl::Status> end = world_.state.TakeFinish();
    if (!end.has_value()) return;
    ++world_.finishes;
    world_.finished_ok = end->ok();
  }

  World& world_;
  const size_t index_;
};

// gRPC reports the write under way.
World AfterWrite(World world, bool ok) {
  const int message = std::exchange(world.outstanding, -1);
  if (ok) {
    world.sent.push_back(message);
    const auto after = world.state.Written();
    world.threads.push_back({.step = Step::kWake, .write_first = after.write});
  } else {
    world.broken = true;
    (void)world.state.Failed(absl::CancelledError());
    world.threads.push_back({.step = Step::kTakeFinish});
  }
  return world;
}

// Every world that one step of one thread, or of gRPC, can make of this one.
std::vector<World> Successors(const World& world) {
  std::vector<World> next;
  for (size_t i = 0; i < world.threads.size(); ++i) {
    if (world.threads[i].step == Step::kOver) continue;
    next.push_back(world);
    Steps(&next.back(), i).Run();
    std::vector<Thread>& threads = next.back().threads;
    std::erase_if(threads, [](const Thread& thread) { return thread.step == Step::kOver; });
  }
  if (world.outstanding >= 0) {
    next.push_back(AfterWrite(world, true));
    if (world.may_fail) next.push_back(AfterWrite(world, false));
  }
  return next;
}

// Visits every world that can be reached, once; calls `at_end` for those in which nothing is left to do.
size_t Explore(const World& start, const std::function<void(const World&)>& at_end) {
  std::set<std::string> seen = {start.Key()};
  std::vector<World> open = {start};
  while (!open.empty() && !testing::Test::HasFailure()) {
    const World world = open.back();
    open.pop_back();
    const std::vector<World> next = Successors(world);
    if (next.empty()) at_end(world);
    for (const World& each : next) {
      CheckInvariants(each);
      if (seen.insert(each.Key()).second) open.push_back(each);
    }
  }
  return seen.size();
}

World StreamOf(int messages) {
  World world;
  world.to_produce = messages;
  world.threads.push_back({.step = Step::kProduce, .is_producer = true});
  return world;
}

std::vector<int> UpTo(int messages) {
  std::vector<int> all;
  for (int i = 0; i < messages; ++i) all.push_back(i);
  return all;
}

TEST(StreamStateTest, EveryInterleavingSendsEveryMessageInOrderAndFinishesOnce) {
  for (int messages : {0, 1, 2, 3, 4}) {
    const size_t worlds = Explore(StreamOf(messages), [&](const World& end) {
      EXPECT_EQ(end.sent, UpTo(messages)) << end.Describe();
      EXPECT_EQ(end.finishes, 1) << end.Describe();
      EXPECT_TRUE(end.finished_ok) << end.Describe();
    });
    EXPECT_GT(worlds, static_cast<size_t>(messages) * 20) << "the exploration has not left its start";
  }
}

TEST(StreamStateTest, ACallerThatLeavesAtAnyMomentIsFinishedOnceWithAPrefixSent) {
  World world = StreamOf(3);
  world.threads.push_back({.step = Step::kEnd});
  bool cut = false;
  Explore(world, [&](const World& end) {
    EXPECT_EQ(end.sent, UpTo(static_cast<int>(end.sent.size()))) << end.Describe();
    EXPECT_EQ(end.finishes, 1) << end.Describe();
    cut = cut || !end.finished_ok;
  });
  EXPECT_TRUE(cut);
}

TEST(StreamStateTest, AStreamThatBreaksAtAnyWriteIsFinishedOnceAndWritesNothingMore) {
  World world = StreamOf(3);
  world.may_fail = true;
  bool broke = false;
  Explore(world, [&](const World& end) {
    EXPECT_EQ(end.finishes, 1) << end.Describe();
    EXPECT_EQ(end.sent, UpTo(static_cast<int>(end.sent.size()))) << end.Describe();
    EXPECT_NE(end.finished_ok, end.broken) << end.Describe();
    broke = broke || end.broken;
  });
  EXPECT_TRUE(broke);
}

TEST(StreamStateTest, ACallerThatLeavesAStreamThatBreaksIsFinishedOnce) {
  World world = StreamOf(2);
  world.may_fail = true;
  world.threads.push_back({.step = Step::kEnd});
  Explore(world, [&](const World& end) { EXPECT_EQ(end.finishes, 1) << end.Describe(); });
}

TEST(StreamStateTest, TheFirstEndCountsUnlessALaterOneOverridesIt) {
  StreamState<int> state;
  EXPECT_EQ(state.End(absl::InternalError("first"), false), std::nullopt);
  EXPECT_EQ(state.End(absl::InternalError("second"), false), std::nullopt);
  EXPECT_EQ(state.TakeFinish(), absl::InternalError("first"));
  EXPECT_EQ(state.TakeFinish(), std::nullopt);

  StreamState<int> left;
  EXPECT_EQ(left.End(absl::InternalError("first"), false), std::nullopt);
  EXPECT_EQ(left.End(absl::CancelledError("left"), true), std::nullopt);
  EXPECT_EQ(left.TakeFinish(), absl::CancelledError("left"));
}

TEST(StreamStateTest, EndHandsOutTheMessageThatWillNotBeSent) {
  StreamState<int> state;
  ASSERT_TRUE(state.Wake());
  ASSERT_TRUE(state.MayEncode());
  EXPECT_TRUE(state.Encoded(7, std::nullopt).write);
  ASSERT_TRUE(state.MayEncode());
  EXPECT_FALSE(state.Encoded(8, std::nullopt).write);
  EXPECT_EQ(state.DebugString(), "pumping writing ready ");
  EXPECT_FALSE(state.MayEncode()) << "both places are taken";
  EXPECT_EQ(state.End(absl::CancelledError(), true), 8);
  EXPECT_EQ(state.TakeFinish(), std::nullopt) << "7 is still with gRPC";
  EXPECT_EQ(state.Written().sent, 7);
  EXPECT_EQ(state.TakeFinish(), absl::CancelledError());
}

}  // namespace
}  // namespace hydrophone
