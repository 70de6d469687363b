#include "server/model/engine/numerics.h"

#include "absl/strings/str_cat.h"
#include "server/model/kernels/cpu/panel_products.h"

namespace hydrophone {

std::string CpuNumerics() {
  return absl::StrCat("contract=", kNumericContract, SumsAreFused() ? "" : ";products=rounded");
}

absl::string_view CpuInstructionSet() { return PanelKernels().front().instruction_set; }

}  // namespace hydrophone
