// Extract for any number of inputs: as many requests as the server's limits ask for, answers in
// input order.
#ifndef HYDROPHONE_CLIENT_CPP_EXTRACT_ALL_H_
#define HYDROPHONE_CLIENT_CPP_EXTRACT_ALL_H_

#include <cstddef>
#include <functional>

#include "absl/status/status.h"
#include "client/cpp/client.h"
#include "client/cpp/received.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

// Called after each request that was answered: inputs done, and inputs in all.
using InputsDone = std::function<void(size_t done, size_t total)>;

// Runs `request` in as many requests as needed, one after the other.
//
// `sink` gets each request's header, inputs, captures and trailer. Indices are those of the whole:
// InputInfo.index counts all inputs (texts first), and TensorInfo.runs is filled in LAYOUT_ROWS too and
// counts all runs. Fields named in errors likewise. What the server refuses as TOO_LARGE is halved
// until it cannot be cut further: request_parts.h says where.
absl::Status ExtractAll(Client& client, const v1::ExtractRequest& request, ExtractSink* sink,
                        const InputsDone& done = nullptr);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_EXTRACT_ALL_H_
