#include "server/rpc/call_notes.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "server/core/errors.h"
#include "tests/fakes/fake_call_log.h"
#include "tests/fakes/fake_metrics.h"

namespace hydrophone {
namespace {

class CallNotesTest : public testing::Test {
 protected:
  CallNotesTest() {
    CallRecord begun;
    begun.method = "Extract";
    notes_ = std::make_shared<CallNotes>(std::move(begun), kStart, &log_, &metrics_);
  }

  // Ends the call with this status, and returns its line.
  CallRecord End(const absl::Status& status) {
    notes_->Finished(status);
    notes_->Ended(kStart + absl::Seconds(3));
    notes_.reset();
    return log_.Await(1)[0];
  }

  // Ends the call as one that was given up; at which stage the metrics count it.
  void ExpectGivenUp(CallStage stage) {
    End(absl::CancelledError("the caller left"));
    for (CallStage each : {CallStage::kQueued, CallStage::kComputing, CallStage::kSending}) {
      EXPECT_EQ(metrics_.given_up(each), each == stage ? 1 : 0) << static_cast<int>(each);
    }
  }

  static constexpr absl::Time kStart = absl::FromUnixSeconds(1'000'000);
  FakeMetrics metrics_;
  FakeCallLog log_;
  std::shared_ptr<CallNotes> notes_;
};

TEST_F(CallNotesTest, TheLineTellsWhatWasNoted) {
  notes_->Received(10);
  notes_->Planned(2, 30);
  notes_->JobEnded(absl::OkStatus(), {absl::Milliseconds(5), absl::Milliseconds(70), 40});
  notes_->JobEnded(absl::OkStatus(), {absl::Milliseconds(1), absl::Milliseconds(2), 40});
  notes_->Sent(100);
  notes_->Sent(200);
  const CallRecord call = End(absl::OkStatus());
  EXPECT_EQ(call.method, "Extract");
  EXPECT_EQ(call.inputs, 2);
  EXPECT_EQ(call.tokens, 30);
  EXPECT_EQ(call.request_bytes, 10u);
  EXPECT_EQ(call.response_bytes, 300u);
  EXPECT_EQ(call.queued, absl::Milliseconds(6));
  EXPECT_EQ(call.computed, absl::Milliseconds(72));
  EXPECT_EQ(call.code, "OK");
  EXPECT_EQ(call.reason, "");
  EXPECT_EQ(call.ended, kStart + absl::Seconds(3));
  EXPECT_EQ(call.elapsed, absl::Seconds(3));
}

TEST_F(CallNotesTest, TheLineWaitsForTheJobThatStillRuns) {
  std::shared_ptr<CallNotes> job = notes_;
  notes_->Finished(absl::CancelledError("the caller left"));
  notes_.reset();
  job->JobEnded(absl::CancelledError("the caller left"), {absl::ZeroDuration(), absl::Seconds(1), 40});
  job.reset();
  EXPECT_EQ(log_.Await(1)[0].computed, absl::Seconds(1));
  EXPECT_EQ(metrics_.given_up(CallStage::kComputing), 1);
}

TEST_F(CallNotesTest, ACallThatNoWorkerTookIsGivenUpQueued) { ExpectGivenUp(CallStage::kQueued); }

TEST_F(CallNotesTest, ACallWhoseJobLeftTheQueueIsGivenUpQueued) {
  notes_->Reached(CallStage::kComputing);
  notes_->JobEnded(absl::DeadlineExceededError("late"), {absl::Seconds(1), absl::ZeroDuration(), 0});
  ExpectGivenUp(CallStage::kQueued);
}

TEST_F(CallNotesTest, ACallWhoseJobStoppedIsGivenUpComputing) {
  notes_->JobEnded(absl::CancelledError("the caller left"), {absl::Seconds(1), absl::ZeroDuration(), 9});
  ExpectGivenUp(CallStage::kComputing);
}

TEST_F(CallNotesTest, ACallThatWasComputedIsGivenUpSending) {
  notes_->JobEnded(absl::OkStatus(), {absl::Seconds(1), absl::Seconds(1), 9});
  notes_->Reached(CallStage::kSending);
  ExpectGivenUp(CallStage::kSending);
}

TEST_F(CallNotesTest, ARefusalIsCountedByItsReason) {
  const CallRecord call = End(Overloaded("all places are taken", absl::Seconds(1)));
  EXPECT_EQ(call.code, "ResourceExhausted");
  EXPECT_EQ(call.reason, "OVERLOADED");
  EXPECT_EQ(call.message, "all places are taken");
  EXPECT_EQ(metrics_.refused("OVERLOADED"), 1);
}

TEST_F(CallNotesTest, AFaultOfTheServersOwnIsNoRefusal) {
  EXPECT_EQ(End(absl::InternalError("the matrix is on fire")).reason, "INTERNAL");
  EXPECT_EQ(metrics_.refused("INTERNAL"), 0);
}

TEST_F(CallNotesTest, TheFirstTensorCountsOnce) {
  notes_->TensorReady(kStart + absl::Seconds(1));
  notes_->TensorReady(kStart + absl::Seconds(2));
  EXPECT_EQ(metrics_.first_tensors(), std::vector<absl::Duration>{absl::Seconds(1)});
}

}  // namespace
}  // namespace hydrophone
