// Where a server stream stands between the worker that encodes its messages and gRPC, which sends them.
#ifndef HYDROPHONE_SERVER_RPC_STREAM_STATE_H_
#define HYDROPHONE_SERVER_RPC_STREAM_STATE_H_

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hydrophone {

// Two messages at most are held: one that gRPC sends, and the next one, encoded meanwhile. So a caller that reads
// slowly costs its captures' memory, two messages, and no thread.
//
// clang-format off
//                        ┌─────────────────────────────────────── Wake: something may be there to encode
//                        ▼
//   a worker's task:  MayEncode ─► encodes ─► Encoded ─► StartWrite ─► gRPC ─► Written ─► StartWrite of the next
//                        ▲                       │                       │         └─► Wake
//                        └──────── again ────────┘                       └───► Failed
//   any thread, any time:  End         after each of these:  TakeFinish ─► gRPC's Finish, once
// clang-format on
//
// No gRPC, no threads and no lock in here: the owner calls every function with its mutex held, and does what the result
// says (start a task, StartWrite, Finish) without the mutex, since gRPC may call back from inside. tests/server/rpc/
// stream_state_test.cc runs through every interleaving of these calls.
//
// Invariants, between any two calls:
//   1. writing() holds a message   <=>  exactly one StartWrite of it is outstanding or about to be called.
//   2. ready_ holds a message      =>   writing() holds one: the next message is only kept while another is being sent.
//   3. pumping_                    <=>  exactly one worker's task is in its loop, or about to begin it.
//   4. !pumping_ and not ended     =>   when the last task looked, nothing was there to encode, and there was no Wake
//   since;
//      or ready_ holds a message, and the Wake after Written starts the next task. So no Wake is lost.
//   5. ended_ is never reset, and once it is set no message is taken on.
//   6. finished_                   =>   ended_, and neither writing() nor ready_ holds a message; no StartWrite
//   follows.
//
// `Message` is movable; the tests use int.
template <typename Message>
class StreamState {
 public:
  // Something may be there to encode. True: the caller starts a worker's task, which begins with MayEncode.
  [[nodiscard]] bool Wake() {
    again_ = true;
    if (pumping_ || ended_.has_value()) return false;
    pumping_ = true;
    return true;
  }

  // Asked by the task before it encodes a message. False: the task is over. REQUIRES: a task runs.
  [[nodiscard]] bool MayEncode() {
    again_ = false;
    if (!ended_.has_value() && !ready_.has_value()) return true;  // with a message ready, Written's Wake goes on
    pumping_ = false;
    return false;
  }

  // What the owner does after Encoded.
  struct AfterEncoding {
    bool write = false;  // StartWrite of *writing()
    bool again = false;  // the task goes on with MayEncode; else it is over
  };

  // What the task found to do: a message, or the status that the stream ends with, or neither for now.
  // REQUIRES: MayEncode returned true to this task.
  AfterEncoding Encoded(std::optional<Message> message, std::optional<absl::Status> end) {
    AfterEncoding after;
    after.again = message.has_value() || again_;
    if (!ended_.has_value()) {
      if (message.has_value()) after.write = Queue(*std::move(message));
      if (end.has_value()) ended_ = std::move(end);
    }
    if (!after.again) pumping_ = false;
    return after;
  }

  // What the owner does after Written and Failed. The messages are to be destroyed without the mutex.
  struct AfterWriting {
    std::optional<Message> sent;
    std::optional<Message> unsent;
    bool write = false;  // StartWrite of *writing()
  };

  // gRPC has sent the message. REQUIRES: a StartWrite is outstanding.
  AfterWriting Written() {
    AfterWriting after;
    after.sent = std::exchange(writing_, std::nullopt);
    if (ready_.has_value()) after.write = Queue(*std::exchange(ready_, std::nullopt));
    return after;
  }

  // gRPC could not send the message: the stream is broken and ends with `status`. REQUIRES: a StartWrite is
  // outstanding.
  AfterWriting Failed(const absl::Status& status) {
    AfterWriting after;
    after.sent = std::exchange(writing_, std::nullopt);
    after.unsent = End(status, true);
    return after;
  }

  // The stream ends with `status`, as soon as gRPC is done with the message under way. A later status is ignored unless
  // `overrides`. Returns the message that will not be sent any more, to be destroyed without the mutex.
  [[nodiscard]] std::optional<Message> End(const absl::Status& status, bool overrides) {
    if (!ended_.has_value() || overrides) ended_ = status;
    return std::exchange(ready_, std::nullopt);
  }

  // The status to call gRPC's Finish with, now; returned once, when the stream has ended and no message is under way.
  [[nodiscard]] std::optional<absl::Status> TakeFinish() {
    if (!ended_.has_value() || writing_.has_value() || ready_.has_value() || finished_) return std::nullopt;
    finished_ = true;
    return ended_;
  }

  bool ended() const { return ended_.has_value(); }
  bool finished() const { return finished_; }

  // "pumping again writing ready ended finished", with those that do not hold left out.
  std::string DebugString() const {
    return absl::StrCat(pumping_ ? "pumping " : "", again_ ? "again " : "", writing_ ? "writing " : "",
                        ready_ ? "ready " : "", ended_ ? "ended " : "", finished_ ? "finished" : "");
  }

  // The message under way. The owner may read it without the mutex between being told to write and Written.
  const Message* writing() const { return writing_.has_value() ? &*writing_ : nullptr; }

 private:
  // Takes the message as the one under way, which the owner is to StartWrite (true), or as the next one.
  bool Queue(Message message) {
    std::optional<Message>& place = writing_.has_value() ? ready_ : writing_;
    place = std::move(message);
    return &place == &writing_;
  }

  bool pumping_ = false;               // a worker's task runs or is about to
  bool again_ = false;                 // Wake was called since the task last looked
  std::optional<Message> writing_;     // with gRPC
  std::optional<Message> ready_;       // encoded, the next to be written
  std::optional<absl::Status> ended_;  // what to finish with
  bool finished_ = false;              // Finish is being called: gRPC must be told nothing more
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_STREAM_STATE_H_
