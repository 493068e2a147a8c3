#include "pipeline/tools/command_tree.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace caracal::pipeline {
namespace {

/// The list of a CLI::IsMember, which CLI11 keeps as text only: "TEXT:{text,json}".
std::vector<std::string> ChoicesOf(std::string_view type) {
  std::vector<std::string> choices;
  const size_t open = type.find('{');
  if (open == std::string_view::npos || type.back() != '}') return choices;
  std::string_view list = type.substr(open + 1, type.size() - open - 2);
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    choices.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return choices;
}

/// CLI11's word for a type, in the words of a manual; what a validator adds behind a colon is its
/// business when the value is wrong.
std::string ValueName(std::string_view type) {
  const std::string_view word = type.substr(0, type.find(':'));
  if (word == "UINT" || word == "INT") return "N";
  return word == "FLOAT" ? "NUMBER" : std::string(word);
}

void Flatten(const CommandDescription& command, std::vector<const CommandDescription*>& out) {
  out.push_back(&command);
  for (const CommandDescription& sub : command.commands) Flatten(sub, out);
}

CommandDescription Describe(const CLI::App& app, const std::string& parent) {
  CommandDescription command;
  command.name = app.get_name();
  command.path = parent.empty() ? command.name : parent + " " + command.name;
  command.description = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) continue;
    command.options.push_back(DescribeOption(*option));
  }
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    command.commands.push_back(Describe(*sub, command.path));
  }
  return command;
}

}  // namespace

OptionDescription DescribeOption(const CLI::Option& option) {
  OptionDescription description;
  for (const std::string& name : option.get_snames()) description.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) description.names.push_back("--" + name);
  description.description = option.get_description();
  const bool is_flag = option.get_items_expected_min() == 0;
  if (is_flag) return description;
  const std::string type = option.get_type_name();
  description.choices = ChoicesOf(type);
  if (!description.choices.empty()) {
    description.value = ValueKind::kChoice;
    description.value_name = fmt::format("{}", fmt::join(description.choices, "|"));
    return description;
  }
  description.value_name = ValueName(type);
  description.value = description.value_name == "FILE" ? ValueKind::kFile : ValueKind::kText;
  return description;
}

CommandDescription DescribeCommand(const CLI::App& app) { return Describe(app, ""); }

std::vector<const CommandDescription*> Flattened(const CommandDescription& root) {
  std::vector<const CommandDescription*> commands;
  Flatten(root, commands);
  return commands;
}

}  // namespace caracal::pipeline
