// Cuts one Extract request into several that together give the same answer.
#ifndef HYDROPHONE_CLIENT_CPP_REQUEST_PARTS_H_
#define HYDROPHONE_CLIENT_CPP_REQUEST_PARTS_H_

#include <cstdint>
#include <vector>

#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

// Inputs [first_input, first_input + inputs) of a request, and its runs [first_run, first_run + runs), which are all
// the runs over them. A request without runs has one for each input.
struct RequestPart {
  uint32_t first_input = 0;
  uint32_t inputs = 0;
  uint32_t first_run = 0;
  uint32_t runs = 0;

  friend bool operator==(const RequestPart&, const RequestPart&) = default;
};

// The same request with its texts among its inputs.
v1::ExtractRequest WithTextsAsInputs(v1::ExtractRequest request);

// The smallest parts, in order; the whole request as one when it cannot be cut. A run stays with its baseline and with
// the runs that it is patched from. Selectors and metrics that name runs must find some of them in each part, in
// ascending order; selections by position that are listed run by run are not taken apart. `request` has no texts.
std::vector<RequestPart> SmallestParts(const v1::ExtractRequest& request);

// Joins the parts from `first` to `last`, which follow each other, into one.
RequestPart Join(const RequestPart& first, const RequestPart& last);

// The request for one part: its inputs and runs, numbered from 0. `common` is the request without inputs and runs.
v1::ExtractRequest RequestFor(const RequestPart& part, const v1::ExtractRequest& request,
                              const v1::ExtractRequest& common);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_REQUEST_PARTS_H_
