// One Extract call: a frame stream whose frames come from the scheduler's job.
//
// What keeps what alive, beside what frame_stream.h draws:
//
// clang-format off
//   Scheduler (from Submit until after Job::OnEnd) ─► ExtractStream ─► ExtractFrames ─► outbox [TensorViews]
//                                                                                          └─► storage + budget lease
// clang-format on
//
// The engine's thread delivers OnCapture and OnEnd and only hands over. A slow reader costs its captures' memory and no
// thread.
#ifndef HYDROPHONE_SERVER_RPC_EXTRACT_STREAM_H_
#define HYDROPHONE_SERVER_RPC_EXTRACT_STREAM_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hydrophone/v1/extract.pb.h"
#include "server/rpc/extract_frames.h"
#include "server/rpc/frame_stream.h"
#include "server/sched/job.h"

namespace hydrophone {

class ExtractStream final : public FrameStream, public Job {
 public:
  // As FrameStream.
  ExtractStream(const ServiceContext& service, grpc::CallbackServerContext* context, const grpc::ByteBuffer& request);

  // The scheduler's calls.
  const Plan& plan() const override { return frames_->call().plan; }
  const Caller& caller() const override { return call_caller(); }
  absl::Time deadline() const override { return call_deadline(); }
  bool Stopped() const override { return stopped(); }
  void OnCapture(size_t index, TensorView rows) override;
  void OnEnd(absl::Status status, JobTimings timings) override;

 private:
  // Reads and plans the request, generates its continuations if it asks for them, and submits it.
  void Admit(std::shared_ptr<CallNotes> notes) override;
  void Left() override;

  absl::StatusOr<ExtractCall> ReadRequest(v1::ExtractRequest* request);
  // Starts a Generation, which calls Generated when it ends.
  void Generate(std::shared_ptr<const v1::ExtractRequest> request, const ExtractCall& call,
                std::shared_ptr<CallNotes> notes);
  void Generated(const v1::ExtractRequest& request, const std::string& request_sha256,
                 const absl::StatusOr<Continuations>& continuations, std::shared_ptr<CallNotes> notes);
  void Submit(ExtractCall call, std::shared_ptr<CallNotes> notes);

  std::shared_ptr<ExtractStream> Self() { return std::static_pointer_cast<ExtractStream>(shared_from_this()); }

  // The stream's source, which it keeps. Set once, before the scheduler knows this job.
  ExtractFrames* frames_ = nullptr;

  // The job's share of the call's notes: from before the scheduler knows the job until OnEnd, and then null, since the
  // job may live for as long as its batch runs.
  std::shared_ptr<CallNotes> job_notes_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_EXTRACT_STREAM_H_
