// The runs that edits on the command line amount to.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_EDITED_RUNS_H_
#define HYDROPHONE_CLIENT_CPP_CLI_EDITED_RUNS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cpp/cli/edit_grammar.h"
#include "client/cpp/cli/inputs.h"
#include "client/cpp/cli/request_words.h"
#include "hydrophone/v1/extract.pb.h"

namespace hydrophone::client {

struct EditedInputs {
  std::vector<GivenInput> inputs;
  std::vector<Edit> edits;          // of each input
  std::vector<GivenInput> sources;  // to patch from: none, one for all inputs, or one for each
  bool clean = true;                // makes a run without edits of each input, too
  bool baseline = true;             // the edited run names it as its baseline; needs `clean`
};

// Indices of runs in the request, by input.
struct MadeRuns {
  std::vector<uint32_t> clean;  // empty without clean runs
  std::vector<uint32_t> edited;
};

// Adds inputs and runs to a request that has none. What belongs to one input stands side by side, so that the request
// can be cut between inputs:
//
//   inputs:  input, source                    runs:  clean, source, edited
//
// Runs' keys are "clean", "source" and "edited". Where there are sources, an input without a key gets its number as
// one, and a source the input's with ".source" after it. A clean run that an edit patches from is made in any case.
// `words` are told of the inputs and the runs. INVALID_ARGUMENT when sources and edits, or sources and inputs, do not
// fit each other.
absl::StatusOr<MadeRuns> AddEditedRuns(const EditedInputs& what, v1::ExtractRequest* request, RequestWords* words);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_EDITED_RUNS_H_
