#include "pipeline/tools/completion_script.h"

#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace caracal::pipeline {
namespace {

/// A word for any of these shells: in single quotes.
std::string Quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += R"('\'')";
    } else {
      out += c;
    }
  }
  return out + "'";
}

/// `text` with a backslash before each of `special`.
std::string Escaped(std::string_view text, std::string_view special) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

/// "a | b": every name of the option, on the command line of `command`.
std::string BashPattern(const CommandDescription& command, const OptionDescription& option) {
  std::vector<std::string> words;
  for (const std::string& name : option.names) words.push_back(Quoted(command.path + " " + name));
  return fmt::format("{}", fmt::join(words, " | "));
}

/// What follows an option that takes a value.
std::string BashValueCases(const std::vector<const CommandDescription*>& commands) {
  std::string out;
  for (const CommandDescription* command : commands) {
    for (const OptionDescription& option : command->options) {
      if (option.value == ValueKind::kNone) continue;
      out += fmt::format("    {})\n", BashPattern(*command, option));
      if (option.value == ValueKind::kFile) {
        out += "      compopt -o filenames 2>/dev/null\n";
        out += "      mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n";
      }
      if (option.value == ValueKind::kChoice) {
        out += fmt::format("      mapfile -t COMPREPLY < <(compgen -W {} -- \"$current\")\n",
                           Quoted(fmt::format("{}", fmt::join(option.choices, " "))));
      }
      out += "      return\n      ;;\n";
    }
  }
  return out;
}

/// The words each command takes.
std::string BashWordCases(const std::vector<const CommandDescription*>& commands) {
  std::string out;
  for (const CommandDescription* command : commands) {
    std::vector<std::string> words;
    for (const CommandDescription& sub : command->commands) words.push_back(sub.name);
    for (const OptionDescription& option : command->options) {
      words.insert(words.end(), option.names.begin(), option.names.end());
    }
    out += fmt::format("    {}) words={} ;;\n", Quoted(command->path),
                       Quoted(fmt::format("{}", fmt::join(words, " "))));
  }
  return out;
}

constexpr const char* kBash =
    R"(# bash completion for {0}. Made by `{0} completion bash`; do not edit.
# shellcheck shell=bash
_{0}() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}}
  local command={0} word words=
  # Bash takes --option=value for three words.
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=${{COMP_WORDS[COMP_CWORD - 2]}}
  fi
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "$command $word" in
      {1}) command+=" $word" ;;
    esac
  done
  COMPREPLY=()
  case "$command $previous" in
{2}  esac
  case $command in
{3}  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -F _{0} {0}
)";

/// The specification `_arguments` takes for one option, one per name.
std::string ZshOption(const OptionDescription& option) {
  std::string value;
  if (option.value != ValueKind::kNone) {
    std::string action = " ";
    if (option.value == ValueKind::kFile) action = "_files";
    if (option.value == ValueKind::kChoice) {
      action = fmt::format("({})", fmt::join(option.choices, " "));
    }
    value = fmt::format(":{}:{}", Escaped(option.value_name, ":\\"), action);
  }
  std::string out;
  for (const std::string& name : option.names) {
    const bool is_long = name.substr(0, 2) == "--";
    const std::string ending = value.empty() ? "" : is_long ? "=" : "+";
    out += fmt::format(" \\\n    {}",
                       Quoted(fmt::format("*{}{}[{}]{}", name, ending,
                                          Escaped(option.description, "[]:\\"), value)));
  }
  return out;
}

std::string ZshFunction(const CommandDescription& command) {
  std::string name = "_" + command.path;
  for (char& c : name) {
    if (c == ' ' || c == '-') c = '_';
  }
  std::string options;
  for (const OptionDescription& option : command.options) options += ZshOption(option);
  if (command.commands.empty()) {
    return fmt::format("{}() {{\n  _arguments{}\n}}\n\n", name, options);
  }
  std::string list;
  std::string dispatch;
  for (const CommandDescription& sub : command.commands) {
    list += fmt::format("        {}\n", Quoted(sub.name + ":" + Escaped(sub.description, ":\\")));
    dispatch += fmt::format("        {0}) {1}_{0} ;;\n", sub.name, name);
  }
  return fmt::format(R"({0}() {{
  local curcontext=$curcontext state line
  local -a commands
  _arguments -C{1} \
    '1: :->command' \
    '*:: :->arguments'
  case $state in
    command)
      commands=(
{2}      )
      _describe -t commands command commands
      ;;
    arguments)
      case $line[1] in
{3}      esac
      ;;
  esac
}}

)",
                     name, options, list, dispatch);
}

/// One `complete` line per command or option.
std::string FishLines(const std::string& program, const CommandDescription& command) {
  const std::string condition = fmt::format("__{}_at {}", program, command.path);
  const std::string start = fmt::format("complete -c {} -n {}", program, Quoted(condition));
  std::string out;
  for (const CommandDescription& sub : command.commands) {
    out += fmt::format("{} -a {} -d {}\n", start, sub.name, Quoted(sub.description));
  }
  for (const OptionDescription& option : command.options) {
    out += start;
    for (const std::string& name : option.names) {
      const bool is_long = name.substr(0, 2) == "--";
      out += fmt::format(" -{} {}", is_long ? 'l' : 's', name.substr(is_long ? 2 : 1));
    }
    if (option.value == ValueKind::kText) out += " -x";
    if (option.value == ValueKind::kFile) out += " -rF";
    if (option.value == ValueKind::kChoice) {
      out += " -xa " + Quoted(fmt::format("{}", fmt::join(option.choices, " ")));
    }
    out += fmt::format(" -d {}\n", Quoted(option.description));
  }
  return out;
}

constexpr const char* kFish =
    R"(# fish completion for {0}. Made by `{0} completion fish`; do not edit.
function __{0}_at --description 'True at this command of {0}'
    set -l command {0}
    for word in (commandline -opc)[2..-1]
        if contains -- "$command $word" {1}
            set command "$command $word"
        end
    end
    test "$command" = "$argv"
end
complete -c {0} -f
)";

/// Every command below the program, quoted, as a list of `separator`.
std::string Paths(const std::vector<const CommandDescription*>& commands,
                  std::string_view separator) {
  std::vector<std::string> paths;
  for (const CommandDescription* command : commands) {
    if (command != commands.front()) paths.push_back(Quoted(command->path));
  }
  return fmt::format("{}", fmt::join(paths, separator));
}

}  // namespace

std::string BashCompletion(const CommandDescription& root) {
  const std::vector<const CommandDescription*> commands = Flattened(root);
  return fmt::format(fmt::runtime(kBash), root.name, Paths(commands, " | "),
                     BashValueCases(commands), BashWordCases(commands));
}

std::string ZshCompletion(const CommandDescription& root) {
  std::string out = fmt::format(
      "#compdef {0}\n# zsh completion for {0}. Made by `{0} completion zsh`; do not edit.\n\n",
      root.name);
  for (const CommandDescription* command : Flattened(root)) out += ZshFunction(*command);
  // Autoloaded, this file is the function's body; sourced, it registers the function.
  out += fmt::format(
      "if [[ $funcstack[1] == _{0} ]]; then\n  _{0} \"$@\"\nelse\n  compdef _{0} {0}\nfi\n",
      root.name);
  return out;
}

std::string FishCompletion(const CommandDescription& root) {
  const std::vector<const CommandDescription*> commands = Flattened(root);
  std::string out = fmt::format(fmt::runtime(kFish), root.name, Paths(commands, " "));
  for (const CommandDescription* command : commands) out += FishLines(root.name, *command);
  return out;
}

}  // namespace caracal::pipeline
