// One Extract call: the meeting of gRPC's stream, the scheduler's job, and the frames between them.
//
// Who keeps what alive:
//
// clang-format off
//   gRPC ── raw pointer ──► ExtractStream ◄── self_ (until OnDone) ── itself
//                            │   │    ▲▲
//                            │   │    │└── Scheduler (Submit ... after Job::OnDone)
//                            │   │    └─── WorkerPool's task (one step)
//                            │   └► writing_ and ready_ [ByteBuffers] ─► slices ─┐
//                            └► ExtractFrames ─► outbox [TensorViews] ───────────┴► storage + budget lease
// clang-format on
//
// Who runs what: gRPC's threads deliver OnWriteDone, OnCancel and OnDone and only hand on; the engine's thread delivers
// OnCapture and Job::OnDone and only hands on; a worker pumps: encodes the next frame while the one before is being
// sent, and goes home when there is nothing to encode or nobody to take it. So a slow reader costs its captures' memory
// and no thread.
#ifndef HYDROPHONE_SERVER_RPC_EXTRACT_STREAM_H_
#define HYDROPHONE_SERVER_RPC_EXTRACT_STREAM_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hydrophone/v1/extract.pb.h"
#include "server/rpc/extract_frames.h"
#include "server/rpc/service_context.h"
#include "server/sched/scheduler.h"

namespace hydrophone {

class ExtractStream : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                      public Job,
                      public std::enable_shared_from_this<ExtractStream> {
 public:
  // `context` is valid until OnDone; `service` outlives the stream. Shares the request's memory until it is read.
  ExtractStream(const ServiceContext& service, grpc::CallbackServerContext* context, const grpc::ByteBuffer& request);

  // Once, on gRPC's thread.
  void Start();

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;  // gRPC's: nothing of this call is left in it

  const Plan& plan() const override { return frames_->call().plan; }
  absl::Time deadline() const override { return deadline_; }
  bool Stopped() const override { return stopped_; }
  void OnCapture(size_t index, TensorView rows) override;
  void OnDone(absl::Status status, JobTimings timings) override;  // the scheduler's

 private:
  // Reads and plans the request, lets its inputs continue if it asks for that, and submits it: everything that can
  // refuse the call, before the header.
  void Admit();
  absl::StatusOr<ExtractCall> ReadRequest(v1::ExtractRequest* request);
  // Starts a generation, which ends in Continued.
  void Continue(std::shared_ptr<const v1::ExtractRequest> request, const ExtractCall& call);
  void Continued(const v1::ExtractRequest& request, const std::string& request_sha256,
                 const absl::StatusOr<Continuations>& continuations);
  void Submit(ExtractCall call);

  // Lets a worker pump, unless one does already.
  void Wake();
  // Moves on until there is nothing to do; on a worker, one at a time.
  void Pump();
  // One round of it: whether there may be another.
  bool PumpOnce();

  // Ends the call now, or when the write under way is done. The first status counts, but for a caller who left since.
  void End(const absl::Status& status);

  // Those below need mutex_ held.
  // Takes the message as the one under way, or as the next. True: it is under way, and to be given to StartWrite
  // without mutex_, since gRPC may send all of it in there, while the engine's thread wants to hand on a capture.
  [[nodiscard]] bool Queue(grpc::ByteBuffer message);
  bool MayFinish() const { return ended_.has_value() && !writing_.has_value() && !ready_.has_value() && !finished_; }

  // Calls gRPC's Finish with the end's status if it is time. Not with mutex_ held: OnDone may come from inside.
  void FinishIfDue();

  const ServiceContext& service_;
  grpc::CallbackServerContext* const context_;
  grpc::ByteBuffer request_;  // Admit's
  const absl::Time deadline_;
  std::optional<OpenCalls::Call> call_;
  std::atomic<bool> stopped_ = false;
  std::unique_ptr<ExtractFrames>
      frames_;  // set once, in Submit, before anybody else looks; OnCancel looks under mutex_

  std::mutex mutex_;                         // guards what follows
  bool pumping_ = false;                     // a worker pumps or is about to
  bool again_ = false;                       // something happened since it last looked
  std::optional<grpc::ByteBuffer> writing_;  // with gRPC
  std::optional<grpc::ByteBuffer> ready_;    // encoded, next
  std::optional<absl::Status> ended_;        // what to finish with
  bool finished_ = false;                    // Finish was called: gRPC must hear nothing more
  std::shared_ptr<ExtractStream> self_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_EXTRACT_STREAM_H_
