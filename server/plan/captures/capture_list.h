// A call's list of captures, slice by slice.
#ifndef HYDROPHONE_SERVER_PLAN_CAPTURES_CAPTURE_LIST_H_
#define HYDROPHONE_SERVER_PLAN_CAPTURES_CAPTURE_LIST_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "server/core/model_info.h"
#include "server/core/plan.h"
#include "server/plan/captures/capture_groups.h"
#include "server/plan/inputs/extract_call.h"
#include "server/plan/inputs/runs.h"
#include "server/plan/select/row_form.h"
#include "server/plan/select/selectors.h"

namespace hydrophone {

// Makes captures of what selectors ask, and sorts them by slice.
class CaptureList {
 public:
  // The references outlive this.
  CaptureList(const RunTable& runs, const ModelInfo& model, std::vector<PlanSlice> slices);

  // Takes what a selector asks of a group of runs. `selector` and `form` outlive this.
  void Add(const CaptureGroup& group, const Selector& selector, const RowForm& form);

  // Fills in call->plan.captures and slices, call->formats, and numbers the tensors in call->tensors. To be called
  // once.
  void Finish(ExtractCall* call);

 private:
  // What a group asks of the runs of one slice.
  struct Part {
    CaptureGroup group;
    const Selector* selector;
    const RowForm* form;
  };

  void AddCaptures(const Part& part, ExtractCall* call) const;
  // Puts the captures from the given one on into forward order and numbers their tensors.
  void Sort(size_t first_capture, ExtractCall* call);
  uint32_t NumberOf(const Capture& capture, const CaptureFormat& format, ExtractCall* call);

  const RunTable& runs_;
  const ModelInfo& model_;
  std::vector<PlanSlice> slices_;
  std::vector<size_t> slice_of_;          // each run's
  std::vector<std::vector<Part>> parts_;  // each slice's
  // The number of each tensor that slices cut, by what it is a tensor of and the layer.
  std::map<std::pair<const CaptureFormat::Whole*, int>, uint32_t> numbered_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_PLAN_CAPTURES_CAPTURE_LIST_H_
