#include "client/cpp/cli/verify_report.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cpp/cli/display/table.h"
#include "client/cpp/cli/session.h"
#include "nlohmann/json.hpp"

namespace hydrophone::client {
namespace {

const char* YesNo(bool yes) { return yes ? "yes" : "no"; }

std::string Correlation(double r) { return absl::StrFormat("%.6f", r); }

Table::Cell Outcome(bool good, std::string text) { return {std::move(text), good ? Ink::kGood : Ink::kBad}; }

void PrintHeading(const std::string& text, const Style& style, std::ostream& out) {
  out << style.Paint(Ink::kHeading, text) << "\n";
}

void PrintCorrelations(const v1::VerifyResponse& server, const Style& style, std::ostream& out) {
  std::vector<std::string> names = {"layer"};
  if (server.layers().empty()) return;
  for (const v1::Correlation& correlation : server.layers(0).correlations()) {
    names.push_back(correlation.name());
    names.push_back("masked");
  }
  names.push_back("hidden %");
  Table table(std::move(names));
  for (const v1::LayerReport& layer : server.layers()) {
    std::vector<std::string> row = {absl::StrCat(layer.layer())};
    for (const v1::Correlation& correlation : layer.correlations()) {
      row.push_back(Correlation(correlation.r()));
      row.push_back(Correlation(correlation.r_masked()));
    }
    row.push_back(absl::StrFormat("%.3f", 100 * layer.mask().hidden_share()));
    table.Add(std::move(row));
  }
  out << "\n";
  PrintHeading("Pearson's r, over all elements and over those that the mask leaves:", style, out);
  table.Print(style, out);
}

void PrintFinalState(const v1::FinalStateReport& state, const Style& style, std::ostream& out) {
  Table table;
  table.Add(
      {"B1  hidden_states[i] against what enters block i, captured apart", Short(state.max_abs_input_difference())});
  table.Add({"B2  last block's raw output against hidden_states[N]", Short(state.max_abs_raw_difference())});
  table.Add({"B3  ln_f of it against hidden_states[N]", Short(state.max_abs_ln_f_difference())});
  out << "\n";
  PrintHeading("Final state, largest difference:", style, out);
  table.Print(style, out);
  std::vector<std::string> norms;
  for (const double norm : state.raw_profile_norms()) norms.push_back(Short(norm));
  out << "B5  norms of the raw states: " << absl::StrJoin(norms, " ")
      << "; of the normalised last one: " << Short(state.normalised_norm()) << "\n";
}

// Checks of one kind, the part of their name before the first '.': of the reference there is one
// for each point.
struct CheckGroup {
  std::string name;
  int count = 0;
  int failed = 0;
  const v1::Check* worst = nullptr;  // the one that comes nearest to its tolerance, or passes it by most
};

double Strain(const v1::Check& check) {
  return check.tolerance() > 0 ? std::fabs(check.value()) / check.tolerance() : std::fabs(check.value());
}

std::vector<CheckGroup> GroupChecks(const v1::VerifyResponse& server) {
  std::vector<CheckGroup> groups;
  for (const v1::Check& check : server.checks()) {
    const std::string kind = check.name().substr(0, check.name().find('.'));
    if (groups.empty() || groups.back().name != kind) groups.push_back({kind});
    CheckGroup& group = groups.back();
    ++group.count;
    if (!check.passed()) ++group.failed;
    if (group.worst == nullptr || Strain(check) > Strain(*group.worst)) group.worst = &check;
  }
  return groups;
}

void PrintChecks(const v1::VerifyResponse& server, const Style& style, std::ostream& out) {
  Table table({"check", "passed", "measured", "value", "allowed"});
  for (const CheckGroup& group : GroupChecks(server)) {
    const std::string name = group.count == 1
                                 ? group.worst->name()
                                 : absl::StrCat(group.count, " of ", group.name, ".*, worst ", group.worst->name());
    const std::string passed = group.failed == 0 ? "yes" : absl::StrCat(group.failed, " NOT");
    table.Add({name, Outcome(group.failed == 0, passed), group.worst->measure(), Short(group.worst->value()),
               Short(group.worst->tolerance())});
  }
  out << "\n";
  PrintHeading("Checks:", style, out);
  table.Print(style, out);
  for (const v1::Check& check : server.checks()) {
    if (check.passed()) continue;
    out << style.Paint(Ink::kBad, absl::StrCat("failed: ", check.name())) << ": " << check.detail() << "\n";
  }
}

bool SameResidual(const Reconstruction& own, const v1::LayerReport& layer) {
  return layer.layer() == own.layer && layer.bitwise() == own.bitwise && layer.max_abs() == own.max_abs;
}

// `expected`: whether a sum that is not bitwise is a failure.
void AddCells(bool bitwise, double max_abs, double mean_abs, bool expected, std::vector<Table::Cell>* row) {
  row->push_back(expected ? Outcome(bitwise, YesNo(bitwise)) : Table::Cell(YesNo(bitwise)));
  row->emplace_back(Short(max_abs));
  row->emplace_back(Short(mean_abs));
}

nlohmann::ordered_json LayersJson(const std::vector<Reconstruction>& layers) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Reconstruction& own : layers) {
    json.push_back({{"layer", own.layer},
                    {"elements", own.elements},
                    {"bitwise", own.bitwise},
                    {"max_abs", own.max_abs},
                    {"mean_abs", own.mean_abs}});
  }
  return json;
}

}  // namespace

VerifyReport::VerifyReport(const v1::VerifyResponse& server, OwnReconstructions client)
    : server_(server), client_(std::move(client)) {}

bool VerifyReport::AgreeOn(int index) const {
  return SameResidual(client_.layers[static_cast<size_t>(index)], server_.layers(index));
}

bool VerifyReport::agree() const {
  return std::equal(client_.layers.begin(), client_.layers.end(), server_.layers().begin(), server_.layers().end(),
                    SameResidual);
}

bool VerifyReport::ClientBitwise() const {
  return std::all_of(client_.layers.begin(), client_.layers.end(),
                     [](const Reconstruction& layer) { return layer.bitwise; });
}

bool VerifyReport::passed() const { return server_.passed() && ClientBitwise() && agree(); }

void VerifyReport::PrintLayers(const Style& style, std::ostream& out) const {
  PrintHeading(
      absl::StrCat("H[L+1] - ((H[L] + attention) + MLP), in float32", train_mode() ? ", in train mode" : "", ":"),
      style, out);
  std::vector<std::string> names = {"layer",
                                    "server: bitwise",
                                    "max",
                                    "mean",
                                    train_mode() ? "client, after the dropouts: bitwise" : "client: bitwise",
                                    "max",
                                    "mean"};
  if (train_mode()) names.insert(names.end(), {"at c_proj, before them: bitwise", "max", "mean"});
  names.push_back("agree");
  Table table(std::move(names));
  for (int i = 0; i < server_.layers_size() && static_cast<size_t>(i) < client_.layers.size(); ++i) {
    const v1::LayerReport& layer = server_.layers(i);
    std::vector<Table::Cell> row = {absl::StrCat(layer.layer())};
    AddCells(layer.bitwise(), layer.max_abs(), layer.mean_abs(), true, &row);
    for (const auto* own : {&client_.layers, &client_.at_c_proj}) {
      if (static_cast<size_t>(i) >= own->size()) continue;
      const Reconstruction& measured = (*own)[static_cast<size_t>(i)];
      AddCells(measured.bitwise, measured.max_abs, measured.mean_abs, own == &client_.layers, &row);
    }
    row.push_back(Outcome(AgreeOn(i), YesNo(AgreeOn(i))));
    table.Add(std::move(row));
  }
  table.Print(style, out);
}

std::string VerifyReport::Text(const Style& style) const {
  std::ostringstream out;
  out << "model " << server_.provenance().model() << ", weights " << server_.provenance().weights_sha256() << "\n";
  uint64_t tokens = 0;
  for (const v1::InputInfo& input : server_.inputs()) tokens += static_cast<uint64_t>(input.token_ids_size());
  out << server_.inputs_size() << " inputs, " << tokens << " tokens\n\n";
  PrintLayers(style, out);
  PrintCorrelations(server_, style, out);
  if (server_.has_final_state()) PrintFinalState(server_.final_state(), style, out);
  PrintChecks(server_, style, out);
  out << "\nserver and client " << style.Paint(agree() ? Ink::kGood : Ink::kBad, agree() ? "agree" : "DISAGREE")
      << " on every layer's residual\n";
  out << style.Paint(passed() ? Ink::kGood : Ink::kBad, passed() ? "PASSED" : "FAILED") << "\n";
  return out.str();
}

std::string VerifyReport::Json() const {
  nlohmann::ordered_json json;
  json["server"] = nlohmann::ordered_json::parse(ToJson(server_), nullptr, /*allow_exceptions=*/false);
  json["client"]["layers"] = LayersJson(client_.layers);
  if (train_mode()) json["client"]["layers_at_c_proj"] = LayersJson(client_.at_c_proj);
  json["client"]["agrees"] = agree();
  json["passed"] = passed();
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace hydrophone::client
