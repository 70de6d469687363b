#include "server/verify/call/verify_messages.h"

#include <vector>

namespace hydrophone {
namespace {

void FillCheck(const Check& check, v1::Check* message) {
  message->set_name(check.name);
  message->set_passed(check.passed);
  message->set_measure(check.measure);
  message->set_value(check.value);
  message->set_tolerance(check.tolerance);
  message->set_detail(check.detail);
}

void FillCorrelation(const Correlation& correlation, v1::Correlation* message) {
  message->set_name(correlation.name);
  message->set_r(correlation.r);
  message->set_r_masked(correlation.r_masked);
}

void FillHiddenCounts(const std::vector<HiddenCount>& counts,
                      google::protobuf::RepeatedPtrField<v1::HiddenCount>* messages) {
  for (const HiddenCount& count : counts) {
    v1::HiddenCount* message = messages->Add();
    message->set_index(count.index);
    message->set_hidden(count.hidden);
  }
}

void FillMask(const MaskReport& mask, v1::MaskReport* message) {
  message->set_total(mask.total);
  message->set_hidden(mask.hidden);
  message->set_hidden_share(mask.total == 0 ? 0 : static_cast<double>(mask.hidden) / static_cast<double>(mask.total));
  FillHiddenCounts(mask.positions, message->mutable_positions());
  FillHiddenCounts(mask.dimensions, message->mutable_dimensions());
}

// [rows, width], float32; this server runs on little-endian machines only, so memory's order is the
// wire's.
void FillTensor(const std::vector<float>& values, uint32_t width, v1::Tensor* message) {
  message->set_dtype(v1::DTYPE_FLOAT32);
  message->add_shape(static_cast<uint32_t>(values.size() / width));
  message->add_shape(width);
  message->set_data(values.data(), values.size() * sizeof(float));
}

void FillLayer(const LayerReport& layer, uint32_t width, v1::LayerReport* message) {
  message->set_layer(static_cast<uint32_t>(layer.layer));
  message->set_bitwise(layer.different_elements == 0);
  message->set_max_abs(layer.max_abs);
  message->set_mean_abs(layer.mean_abs);
  for (const Correlation& correlation : layer.correlations) FillCorrelation(correlation, message->add_correlations());
  FillMask(layer.mask, message->mutable_mask());
  if (!layer.residual.empty()) FillTensor(layer.residual, width, message->mutable_residual());
}

void FillFinalState(const FinalStateReport& state, uint32_t width, v1::FinalStateReport* message) {
  message->set_max_abs_input_difference(state.max_abs_input_difference);
  message->set_max_abs_raw_difference(state.max_abs_raw_difference);
  message->set_max_abs_ln_f_difference(state.max_abs_ln_f_difference);
  message->mutable_raw_profile_norms()->Add(state.raw_profile_norms.begin(), state.raw_profile_norms.end());
  message->set_normalised_norm(state.normalised_norm);
  message->set_profile_note(state.profile_note);
  if (!state.ln_f_residual.empty()) FillTensor(state.ln_f_residual, width, message->mutable_ln_f_residual());
}

}  // namespace

void FillReport(const VerifyReport& report, uint32_t width, v1::VerifyResponse* response) {
  response->set_passed(report.passed);
  for (const Check& check : report.checks) FillCheck(check, response->add_checks());
  for (const LayerReport& layer : report.layers) FillLayer(layer, width, response->add_layers());
  FillFinalState(report.final_state, width, response->mutable_final_state());
}

}  // namespace hydrophone
