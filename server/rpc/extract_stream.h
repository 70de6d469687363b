// One Extract call: the meeting of gRPC's stream, the scheduler's job, and the frames between them.
//
// What keeps what alive:
//
// clang-format off
//   gRPC ── raw pointer ──► ExtractStream ◄── self_ (until OnDone) ── itself
//                            │   │    ▲▲
//                            │   │    │└── Scheduler (from Submit until after Job::OnEnd)
//                            │   │    └─── WorkerPool's task (one step)
//                            │   └► StreamState [two ByteBuffers] ─► slices ─┐
//                            └► ExtractFrames ─► outbox [TensorViews] ───────┴► storage + budget lease
// clang-format on
//
// Threads: gRPC's deliver OnWriteDone, OnCancel and OnDone and only hand over; the engine's delivers OnCapture and
// Job::OnEnd and only hands over; a worker's task pumps: it encodes the next frame while gRPC sends the one before, and
// ends when there is nothing to encode or both places in StreamState are taken. So a slow reader costs its captures'
// memory and no thread.
#ifndef HYDROPHONE_SERVER_RPC_EXTRACT_STREAM_H_
#define HYDROPHONE_SERVER_RPC_EXTRACT_STREAM_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hydrophone/v1/extract.pb.h"
#include "server/base/mutex.h"
#include "server/rpc/extract_frames.h"
#include "server/rpc/service_context.h"
#include "server/rpc/stream_state.h"
#include "server/sched/job.h"

namespace hydrophone {

class ExtractStream : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                      public Job,
                      public std::enable_shared_from_this<ExtractStream> {
 public:
  // `context` is valid until OnDone; `service` outlives the stream. Shares the request's memory until it is read.
  ExtractStream(const ServiceContext& service, grpc::CallbackServerContext* context, const grpc::ByteBuffer& request);

  // To be called once, on gRPC's thread.
  void Start();

  // gRPC's calls.
  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnCancel() override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnDone() override;  // the last one, after all others have returned: gRPC holds no pointer to this any more

  // The scheduler's calls.
  const Plan& plan() const override { return frames_->call().plan; }
  absl::Time deadline() const override { return deadline_; }
  bool Stopped() const override { return stopped_; }
  void OnCapture(size_t index, TensorView rows) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnEnd(absl::Status status, JobTimings timings) override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // On a worker: reads and plans the request, generates its continuations if it asks for them, and submits it. All that
  // can refuse the call happens here, before the header.
  void Admit() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<ExtractCall> ReadRequest(v1::ExtractRequest* request);
  // Starts a Generation, which calls Generated when it ends.
  void Generate(std::shared_ptr<const v1::ExtractRequest> request, const ExtractCall& call);
  void Generated(const v1::ExtractRequest& request, const std::string& request_sha256,
                 const absl::StatusOr<Continuations>& continuations) ABSL_LOCKS_EXCLUDED(mutex_);
  void Submit(ExtractCall call) ABSL_LOCKS_EXCLUDED(mutex_);
  // Makes `frames` the stream's, unless it has ended; whether it has not.
  bool TakeFrames(std::unique_ptr<ExtractFrames> frames) ABSL_LOCKS_EXCLUDED(mutex_);

  // Starts a worker's task that pumps, unless there is one.
  void Wake() ABSL_LOCKS_EXCLUDED(mutex_);
  // The task: encodes until there is nothing to do.
  void Pump() ABSL_LOCKS_EXCLUDED(mutex_);
  // Encodes one frame and has it written; whether the task goes on.
  bool PumpOnce() ABSL_LOCKS_EXCLUDED(mutex_);
  bool MayEncode() ABSL_LOCKS_EXCLUDED(mutex_);

  // Called without mutex_: gRPC may send the message inside StartWrite, while the engine's thread hands over a capture.
  void WriteMessage() ABSL_LOCKS_EXCLUDED(mutex_);

  // Ends the call, now or when the write under way is done. The first status counts, except that the status of a caller
  // that has left replaces it.
  void End(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);

  // Calls gRPC's Finish if it is due. Called without mutex_: OnDone may come from inside.
  void FinishIfDue() ABSL_LOCKS_EXCLUDED(mutex_);

  const ServiceContext& service_;
  grpc::CallbackServerContext* const context_;
  grpc::ByteBuffer request_;  // cleared by Admit
  const absl::Time deadline_;
  std::optional<OpenCalls::Call> call_;
  std::atomic<bool> stopped_ = false;
  std::shared_ptr<ExtractStream> self_;

  // Set once, with mutex_ held, before the first Wake and before the scheduler and the workers know this stream: they
  // read it without the mutex. End, which gRPC may cause at any time, reads it with the mutex.
  std::unique_ptr<ExtractFrames> frames_;

  Mutex mutex_;
  StreamState<grpc::ByteBuffer> state_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_EXTRACT_STREAM_H_
