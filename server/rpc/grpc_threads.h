// gRPC's threads, made sure of before they are needed.
//
// gRPC goes on as if a thread were there that the system refused (there is no address space for its stack, or the
// container may have no more threads), and what it gives to it is never done: a start hangs, and later calls stay
// unanswered and connections deaf until the process ends.
#ifndef HYDROPHONE_SERVER_RPC_GRPC_THREADS_H_
#define HYDROPHONE_SERVER_RPC_GRPC_THREADS_H_

#include "absl/status/status.h"

namespace hydrophone {

// The most threads that gRPC's executor has, which does what calls put off: two for each processor of the machine.
int MostExecutorThreads();

// Whether the system gives this process as many threads as gRPC may start and a server beside them: UNAVAILABLE with
// the numbers when it does not. Takes a millisecond or so. To be called before gRPC is used.
absl::Status CheckThreads();

// Has gRPC start all threads of its executor. Left to itself it starts the first, and another whenever one has more
// than two jobs, under load therefore. UNAVAILABLE when the system refuses some of them. Takes a millisecond or so. To
// be called while a gRPC server or channel exists: the threads end with the last of these.
absl::Status StartExecutorThreads();

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_RPC_GRPC_THREADS_H_
