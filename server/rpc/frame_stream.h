// A call that is answered by a stream of frames: gRPC's stream on one side, what makes the frames on the other.
//
// clang-format off
//   gRPC ── raw pointer ──► FrameStream ◄── self_ (until OnDone) ── itself
//                            │   │    ▲
//                            │   │    └─── WorkerPool's task (one step)
//                            │   └► StreamState [two ByteBuffers] ─► slices ─► the frames' owners
//                            └► FrameSource
// clang-format on
//
// Threads: gRPC's deliver OnWriteDone, OnCancel and OnDone and only hand over; a worker's task pumps: it encodes the
// next frame while gRPC sends the one before, and ends when there is nothing to encode or both places in StreamState
// are taken. So a slow reader costs two messages, what the frames borrow, and no thread.
#ifndef HYDROPHONE_SERVER_RPC_FRAME_STREAM_H_
#define HYDROPHONE_SERVER_RPC_FRAME_STREAM_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"
#include "server/core/caller.h"
#include "server/core/out_of_memory.h"
#include "server/rpc/byte_buffers.h"
#include "server/rpc/call_notes.h"
#include "server/rpc/caller_of.h"
#include "server/rpc/frame_source.h"
#include "server/rpc/open_streams.h"
#include "server/rpc/refused_call.h"
#include "server/rpc/service_context.h"
#include "server/rpc/status.h"
#include "server/rpc/stream_state.h"

namespace hydrophone {

class FrameStream : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                    public OpenStream,
                    public std::enable_shared_from_this<FrameStream> {
 public:
  // `context` is valid until OnDone; `service` outlives the stream. Shares the request's memory until it is taken.
  FrameStream(const ServiceContext& service, grpc::CallbackServerContext* context, const grpc::ByteBuffer& request,
              const char* method);

  // To be called once, on gRPC's thread.
  void Start();

  // OpenStreams' calls.
  absl::Time writing_since() const override { return absl::FromUnixNanos(writing_since_); }
  void EndWith(const absl::Status& status) override;
  void Cut() override ABSL_LOCKS_EXCLUDED(mutex_);

  // gRPC's calls.
  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnCancel() override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnDone() override;  // the last one, after all others have returned: gRPC holds no pointer to this any more

 protected:
  // On a worker: reads the request, and either ends the call, or calls Take and then Wake, now or later. All that can
  // refuse the call happens before the first message. `notes` are the call's, a share of its own: the call may end at
  // any time.
  virtual void Admit(std::shared_ptr<CallNotes> notes) ABSL_LOCKS_EXCLUDED(mutex_) = 0;
  // Nothing more is wanted: the caller left, its time is over, or the stream was ended. Called on any thread.
  virtual void Left() {}

  const ServiceContext& service() const { return service_; }
  absl::Time call_deadline() const { return deadline_; }
  const Caller& call_caller() const { return caller_; }
  bool stopped() const { return stopped_; }
  // Takes what the call asks for of its caller's limits: as Permit::Take.
  absl::Status TakeOfLimits(uint64_t tokens, uint64_t bytes) { return (*permit_)->Take(tokens, bytes); }
  // The request's bytes. To be called once; INVALID_ARGUMENT as RequestBytes::Read.
  absl::StatusOr<RequestBytes> TakeRequest();

  // Makes `source` the stream's, unless it has ended; whether it has not. To be called once, before the first Wake and
  // before other threads know the source.
  bool Take(std::unique_ptr<FrameSource> source) ABSL_LOCKS_EXCLUDED(mutex_);
  // Something may be there to encode: starts a worker's task that pumps, unless there is one.
  void Wake() ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends the call, now or when the write under way is done. The first status counts, except that the status of a caller
  // that has left replaces it.
  void End(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  static constexpr int64_t kNotWriting = std::numeric_limits<int64_t>::max();

  void AdmitOnWorker(std::shared_ptr<CallNotes> notes) ABSL_LOCKS_EXCLUDED(mutex_);
  // Why gRPC says that the call is over.
  absl::Status WhyOver() const;
  static void Abandon(FrameSource* source);

  // The task: encodes until there is nothing to do.
  void Pump() ABSL_LOCKS_EXCLUDED(mutex_);
  // Encodes one frame and has it written; whether the task goes on.
  bool PumpOnce() ABSL_LOCKS_EXCLUDED(mutex_);
  bool MayEncode() ABSL_LOCKS_EXCLUDED(mutex_);

  // Called without mutex_: gRPC may send the message inside StartWrite, while another thread wakes the stream.
  void WriteMessage() ABSL_LOCKS_EXCLUDED(mutex_);

  // Calls gRPC's Finish if it is due. Called without mutex_: OnDone may come from inside.
  void FinishIfDue() ABSL_LOCKS_EXCLUDED(mutex_);

  const ServiceContext& service_;
  grpc::CallbackServerContext* const context_;
  grpc::ByteBuffer request_;  // cleared by TakeRequest
  const absl::Time deadline_;
  const CallPermit permit_;
  const Caller caller_;
  std::optional<OpenCalls::Call> call_;
  std::atomic<bool> stopped_ = false;
  std::atomic<int64_t> writing_since_ = kNotWriting;  // Unix nanoseconds
  std::optional<OpenStreams::Place> place_;
  std::shared_ptr<FrameStream> self_;

  // Set once, with mutex_ held; the workers read it without the mutex. End, which gRPC may cause at any time, reads it
  // with the mutex.
  std::unique_ptr<FrameSource> source_;

  Mutex mutex_;
  StreamState<grpc::ByteBuffer> state_ ABSL_GUARDED_BY(mutex_);
  bool cutting_ ABSL_GUARDED_BY(mutex_) = false;  // Cut uses context_, so Finish, after which OnDone may come, waits
};

// Starts a `Stream`, which is a FrameStream, for a call that has come. `service` outlives it.
template <typename Stream>
grpc::ServerWriteReactor<grpc::ByteBuffer>* StartStream(const ServiceContext& service,
                                                        grpc::CallbackServerContext* context,
                                                        const grpc::ByteBuffer& request) {
  using Reactor = grpc::ServerWriteReactor<grpc::ByteBuffer>;
  if (!request.Valid()) return new RefusedCall<Reactor>(NoRequest());
  std::shared_ptr<Stream> stream;
  const absl::Status made = OrOutOfMemory([&] { stream = std::make_shared<Stream>(service, context, request); });
  if (!made.ok()) return new RefusedCall<Reactor>(FinalStatus(made, context));
  stream->Start();
  return stream.get();
}

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_FRAME_STREAM_H_
