// hydrophone parameters: the model's weights, their names and shapes or a file of them.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cpp/cli/commands.h"
#include "client/cpp/cli/display/table.h"
#include "client/cpp/cli/output_file.h"
#include "client/cpp/cli/parameters_to_file.h"
#include "client/cpp/cli/request_words.h"
#include "client/cpp/cli/selection.h"

namespace hydrophone::client {
namespace {

constexpr char kExamples[] =
    "Without --out, tells names and shapes alone. Names are Hugging Face's, with or without \"transformer.\".\n"
    "Examples:\n"
    "  hydrophone parameters\n"
    "  hydrophone parameters --name 'h.3.*'\n"
    "  hydrophone parameters --name wte.weight --rows 464,262 --out tokens.safetensors\n"
    "  hydrophone parameters --name 'ln_f.*' --name lm_head.weight --out unembedding.safetensors";

struct ParametersOptions {
  std::vector<std::string> names;
  std::string rows;
  std::string dtype = "float32";
  std::string out;
  bool force = false;
  bool json = false;
};

absl::StatusOr<v1::GetParametersRequest> MakeRequest(const ParametersOptions& options, RequestWords* words) {
  v1::GetParametersRequest request;
  request.set_list_only(options.out.empty());
  if (options.dtype == "float16") request.set_dtype(v1::DTYPE_FLOAT16);
  if (options.dtype == "bfloat16") request.set_dtype(v1::DTYPE_BFLOAT16);
  if (!options.rows.empty() && options.names.empty()) {
    return absl::InvalidArgumentError("--rows: got rows of no parameter, expected --name beside them");
  }
  const auto rows = options.rows.empty() ? std::vector<int32_t>() : ParseIndices("--rows", options.rows);
  if (!rows.ok()) return rows.status();
  for (size_t i = 0; i < options.names.size(); ++i) {
    v1::ParameterSelector* selector = request.add_parameters();
    selector->set_name(options.names[i]);
    for (const int32_t row : *rows) {
      if (row < 0) return absl::InvalidArgumentError(absl::StrCat("--rows: got ", row, ", expected at least 0"));
      selector->add_rows(static_cast<uint32_t>(row));
    }
    words->Say(absl::StrCat("parameters[", i, "]"), OptionWords("--name", options.names[i]));
    words->Say(absl::StrCat("parameters[", i, "].rows"), OptionWords("--rows", options.rows));
  }
  words->Say("parameters", "--name");
  words->SayTerm("list_only", "hydrophone parameters");
  return request;
}

absl::Status CheckOut(const ParametersOptions& options) {
  if (IsSafetensors(options.out)) return CheckOutputFile(options.out, options.force);
  return absl::InvalidArgumentError(absl::StrCat("--out: got ", options.out, ", expected FILE.safetensors"));
}

void PrintParameters(const v1::ParametersHeader& header, const Session& session) {
  Table table({"name", "shape", "tied to"});
  for (const v1::ParameterInfo& parameter : header.parameters()) {
    table.Add({parameter.name(), absl::StrCat("[", absl::StrJoin(parameter.shape(), ", "), "]"), parameter.tied_to()});
  }
  table.Print(session.style, session.out);
}

int ListParameters(const Session& session, const v1::GetParametersRequest& request, const RequestWords& words,
                   bool json) {
  const auto answer = session.Connect()->GetParameters(request);
  if (!answer.ok()) return session.Fail(words.Reword(answer.status()));
  if (json) {
    session.out << ToJson(answer->header);
  } else {
    PrintParameters(answer->header, session);
  }
  return kOk;
}

int RunParameters(const Session& session, const ParametersOptions& options) {
  RequestWords words = RequestWords::OfCommandLine();
  const auto request = MakeRequest(options, &words);
  if (!request.ok()) return session.Refuse(request.status());
  if (options.out.empty()) return ListParameters(session, *request, words, options.json);
  if (absl::Status status = CheckOut(options); !status.ok()) return session.Refuse(status);
  const auto header = ParametersToFile(*session.Connect(), *request, options.out);
  if (!header.ok()) return session.Fail(words.Reword(header.status()));
  if (options.json) {
    session.out << ToJson(*header);
  } else {
    PrintParameters(*header, session);
    session.out << "written to " << options.out << ": " << header->tensors() << " tensors, " << header->data_bytes()
                << " bytes\n";
  }
  return kOk;
}

}  // namespace

void AddParametersCommand(CLI::App& app, const Session& session, Action* action) {
  auto options = std::make_shared<ParametersOptions>();
  CLI::App* command =
      app.add_subcommand("parameters", "The model's weights: their names and shapes, or a file of them");
  command->add_option("--name", options->names, "A parameter, or a pattern of names (*, {a,b}); may be repeated")
      ->allow_extra_args(false);
  CLI::Option* out = command->add_option("--out", options->out, "Write the values to this FILE.safetensors");
  command->add_option("--rows", options->rows, "Rows of each --name, in this order: 464,262 or 0-9 (tokens of wte)")
      ->needs(out);
  command->add_option("--dtype", options->dtype, "The type in the file")
      ->check(CLI::IsMember({"float32", "float16", "bfloat16"}))
      ->capture_default_str()
      ->needs(out);
  command->add_flag("--force", options->force, "Overwrite the file of --out")->needs(out);
  command->add_flag("--json", options->json, "What was asked for, as JSON: names, shapes, provenance");
  command->footer(kExamples);
  command->callback([=, &session] { *action = [=, &session] { return RunParameters(session, *options); }; });
}

}  // namespace hydrophone::client
