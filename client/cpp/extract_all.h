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
// `sink` gets each request's header, inputs, captures and trailer. Indices are those of the whole request:
// InputInfo.index counts all inputs (texts first), TensorInfo.runs is filled in LAYOUT_ROWS too and counts all runs,
// and errors name fields of the whole request. A request that the server refuses as TOO_LARGE is halved until it cannot
// be cut further, which request_parts.h decides.
absl::Status ExtractAll(Client& client, const v1::ExtractRequest& request, ExtractSink* sink,
                        const InputsDone& done = nullptr);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_EXTRACT_ALL_H_
