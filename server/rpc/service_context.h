// What every operation of the service works with.
#ifndef HYDROPHONE_SERVER_RPC_SERVICE_CONTEXT_H_
#define HYDROPHONE_SERVER_RPC_SERVICE_CONTEXT_H_

#include "server/access/access.h"
#include "server/answer/model_messages.h"
#include "server/core/engine.h"
#include "server/plan/inputs/extract_call.h"
#include "server/rpc/open_calls.h"
#include "server/rpc/open_streams.h"
#include "server/rpc/worker_pool.h"
#include "server/sched/clock.h"
#include "server/sched/scheduler.h"

namespace hydrophone {

// Outlives every call. Everything that it points to is thread-safe.
struct ServiceContext {
  RequestContext request;
  ProgramVersions versions;
  const Engine* engine = nullptr;
  Scheduler* scheduler = nullptr;
  const Clock* clock = nullptr;
  Access* access = nullptr;
  OpenCalls* calls = nullptr;
  OpenStreams* streams = nullptr;
  WorkerPool* workers = nullptr;    // milliseconds: reading requests, tokenizing, encoding
  WorkerPool* verifiers = nullptr;  // seconds, blocking: Verify
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_SERVICE_CONTEXT_H_
