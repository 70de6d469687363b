#include "client/cpp/cli/completion.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace hydrophone::client {
namespace {

// The hook points as the server names them, without the layers' "blocks.L.", which --hook does not need.
constexpr char kHookPoints[] = "hydrophone --timeout 2 hooks 2>/dev/null | sed -n '2,$s/^blocks\\.L\\.//; 2,$s/ .*//p'";

struct Option {
  std::string name;  // "--layout"
  std::string help;
  std::vector<std::string> values;  // if there are a few
  bool takes_value = false;
  bool names_hook = false;
};

struct Command {
  std::string name;
  std::string help;
  std::vector<Option> options;
  std::vector<std::string> values;  // of its first argument, if there are a few
};

// "{rows,per-run}", as CLI11 describes a choice at the end of an option's type.
std::vector<std::string> ValuesOf(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t begin = type.find('{');
  const size_t end = type.rfind('}');
  if (begin == std::string::npos || end == std::string::npos) return {};
  return absl::StrSplit(type.substr(begin + 1, end - begin - 1), ',');
}

// The beginning of a help text, up to where a sentence or a list of values begins.
std::string Brief(const std::string& help) {
  const std::string line = help.substr(0, std::min(help.find(". "), help.find(": ")));
  return absl::StrReplaceAll(line, {{"'", ""}, {"\"", ""}, {"`", ""}, {":", ""}, {"[", ""}, {"]", ""}, {"$", ""}});
}

std::vector<Option> OptionsOf(const CLI::App& app) {
  std::vector<Option> options;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      options.push_back({"--" + name, Brief(option->get_description()), ValuesOf(*option),
                         option->get_items_expected_max() > 0, name == "hook"});
    }
  }
  return options;
}

std::vector<std::string> ArgumentValuesOf(const CLI::App& app) {
  const auto all = app.get_options();
  const auto found = std::find_if(all.begin(), all.end(), [](const CLI::Option* one) { return one->get_positional(); });
  return found == all.end() ? std::vector<std::string>() : ValuesOf(**found);
}

// The options of all commands are added to each command's own.
std::vector<Command> CommandsOf(const CLI::App& app) {
  std::vector<Command> commands;
  const std::vector<Option> common = OptionsOf(app);
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    Command command{sub->get_name(), Brief(sub->get_description()), OptionsOf(*sub), ArgumentValuesOf(*sub)};
    for (const Option& option : common) {
      const auto same = [&](const Option& own) { return own.name == option.name; };
      if (std::none_of(command.options.begin(), command.options.end(), same)) command.options.push_back(option);
    }
    commands.push_back(std::move(command));
  }
  return commands;
}

std::string Names(const std::vector<Command>& commands) {
  return absl::StrJoin(commands, " ", [](std::string* out, const Command& command) { *out += command.name; });
}

std::string Names(const std::vector<Option>& options) {
  return absl::StrJoin(options, " ", [](std::string* out, const Option& option) { *out += option.name; });
}

// Cases of a shell's `case`, COMMAND/OPTION, that set `values`. After options with free values, `values` is "-": files.
std::string ValueCases(const std::vector<Command>& commands) {
  std::string cases;
  for (const Command& command : commands) {
    if (!command.values.empty()) {
      absl::StrAppend(&cases, "    ", command.name, "/", command.name, ") values=\"",
                      absl::StrJoin(command.values, " "), "\" ;;\n");
    }
    for (const Option& option : command.options) {
      if (!option.takes_value) continue;
      const std::string values = option.names_hook       ? absl::StrCat("$(", kHookPoints, ")")
                                 : option.values.empty() ? "-"
                                                         : absl::StrJoin(option.values, " ");
      absl::StrAppend(&cases, "    ", command.name, "/", option.name, ") values=\"", values, "\" ;;\n");
    }
  }
  return cases;
}

std::string OptionCases(const std::vector<Command>& commands) {
  std::string cases;
  for (const Command& command : commands) {
    absl::StrAppend(&cases, "    ", command.name, ") values=\"", Names(command.options), "\" ;;\n");
  }
  return cases;
}

// bash's and zsh's scripts share their middle: from `command`, `before` and `current` to `values`.
std::string FindValues(const CLI::App& app, const std::vector<Command>& commands) {
  return absl::StrCat("  case \"$command/$before\" in\n", ValueCases(commands),
                      "  esac\n"
                      "  [ \"$values\" = - ] && return 1\n"
                      "  [ -n \"$values\" ] && return 0\n"
                      "  case \"$command\" in\n"
                      "    '') values=\"",
                      Names(commands), " ", Names(OptionsOf(app)), "\"; return 0 ;;\n",
                      "  esac\n"
                      "  case \"$current\" in\n"
                      "    -*) ;;\n"
                      "    *) return 1 ;;\n"
                      "  esac\n"
                      "  case \"$command\" in\n",
                      OptionCases(commands), "  esac\n");
}

// A case for the names of the commands.
std::string CommandPattern(const std::vector<Command>& commands) {
  return absl::StrReplaceAll(Names(commands), {{" ", "|"}});
}

std::string Bash(const CLI::App& app, const std::vector<Command>& commands) {
  return absl::StrCat(
      "# hydrophone's completion for bash: source <(hydrophone completion bash)\n"
      "_hydrophone_values() {\n",
      FindValues(app, commands),
      "}\n"
      "_hydrophone() {\n"
      "  local command='' before=\"${COMP_WORDS[COMP_CWORD-1]}\" current=\"${COMP_WORDS[COMP_CWORD]}\" values='' word\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case \"$word\" in ",
      CommandPattern(commands),
      ") command=\"$word\"; break ;; esac\n"
      "  done\n"
      "  COMPREPLY=()\n"
      "  if _hydrophone_values; then mapfile -t COMPREPLY < <(compgen -W \"$values\" -- \"$current\"); fi\n"
      "}\n"
      "complete -o bashdefault -o default -F _hydrophone hydrophone\n");
}

std::string Zsh(const CLI::App& app, const std::vector<Command>& commands) {
  return absl::StrCat(
      "#compdef hydrophone\n"
      "# hydrophone's completion for zsh: source <(hydrophone completion zsh), after compinit\n"
      "_hydrophone_values() {\n",
      FindValues(app, commands),
      "}\n"
      "_hydrophone() {\n"
      "  local command='' before=\"${words[CURRENT-1]}\" current=\"${words[CURRENT]}\" values='' word\n"
      "  for word in \"${(@)words[2,CURRENT-1]}\"; do\n"
      "    case \"$word\" in ",
      CommandPattern(commands),
      ") command=\"$word\"; break ;; esac\n"
      "  done\n"
      "  if _hydrophone_values; then compadd -- ${=values}; else _files; fi\n"
      "}\n"
      "compdef _hydrophone hydrophone\n");
}

std::string FishOption(const std::string& condition, const Option& option) {
  std::string line =
      absl::StrCat("complete -c hydrophone -n '", condition, "' -l ", option.name.substr(2), " -d '", option.help, "'");
  if (option.takes_value) absl::StrAppend(&line, " -r");
  if (!option.values.empty()) absl::StrAppend(&line, " -f -a '", absl::StrJoin(option.values, " "), "'");
  if (option.names_hook) {
    absl::StrAppend(&line, " -f -a \"(", absl::StrReplaceAll(kHookPoints, {{"$", "\\$"}, {"\\.", "\\\\."}}), ")\"");
  }
  return line + "\n";
}

std::string Fish(const CLI::App& app, const std::vector<Command>& commands) {
  std::string script = "# hydrophone's completion for fish: hydrophone completion fish | source\n";
  for (const Command& command : commands) {
    absl::StrAppend(&script, "complete -c hydrophone -n __fish_use_subcommand -f -a ", command.name, " -d '",
                    command.help, "'\n");
  }
  for (const Option& option : OptionsOf(app)) script += FishOption("__fish_use_subcommand", option);
  for (const Command& command : commands) {
    const std::string condition = absl::StrCat("__fish_seen_subcommand_from ", command.name);
    if (!command.values.empty()) {
      absl::StrAppend(&script, "complete -c hydrophone -n '", condition, "' -f -a '",
                      absl::StrJoin(command.values, " "), "'\n");
    }
    for (const Option& option : command.options) script += FishOption(condition, option);
  }
  return script;
}

}  // namespace

std::string CompletionScript(const CLI::App& app, const std::string& shell) {
  const std::vector<Command> commands = CommandsOf(app);
  if (shell == "bash") return Bash(app, commands);
  if (shell == "zsh") return Zsh(app, commands);
  return shell == "fish" ? Fish(app, commands) : "";
}

}  // namespace hydrophone::client
