// How the command line writes an intervention:
//
//   HOOK[@LAYERS] [pos=POSITIONS] [heads=LIST] [features=LIST] OPERATION
//
//   OPERATION: zero | mean | scale=NUMBER | add=VALUE | set=VALUE | project-out=@FILE | patch=FROM
//   VALUE:     NUMBER | @FILE
//   FROM:      RUN[:HOOK[@LAYER]][:POSITIONS]
//   RUN:       source | clean
//
//   blocks.5.hook_mlp_out zero
//   attn.hook_z@3,5 pos=-1 heads=0,7 scale=0.5
//   blocks.6.hook_resid_pre pos=3: add=@direction.npy
//   blocks.4.hook_resid_post pos=-1 patch=source:-2
//
// Without pos=, all positions. FILE as in tensor_reader.h; it may hold spaces.
#ifndef HYDROPHONE_CLIENT_CPP_CLI_EDIT_GRAMMAR_H_
#define HYDROPHONE_CLIENT_CPP_CLI_EDIT_GRAMMAR_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hydrophone/v1/input.pb.h"

namespace hydrophone::client {

// An intervention in each input's edited run.
struct Edit {
  enum class From : uint8_t {
    kNothing,
    kClean,   // patches from the input's run without edits
    kSource,  // patches from the run over the other text
  };
  v1::Intervention intervention;  // patch.run is left to be filled in
  From from = From::kNothing;
};

// INVALID_ARGUMENT tells the word that is wrong and what is expected there.
absl::StatusOr<Edit> ParseEdit(absl::string_view text);

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_CLI_EDIT_GRAMMAR_H_
