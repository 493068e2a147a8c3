#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace caracal::pipeline {

/// What the value of an option is, as far as help and completion care.
enum class ValueKind : uint8_t { kNone, kText, kChoice, kFile };

/// An option as a user sees it.
struct OptionDescription {
  /// As they are typed: "-c", "--config".
  std::vector<std::string> names;
  std::string description;
  ValueKind value = ValueKind::kNone;
  /// "FILE", "text|json"; empty for a flag.
  std::string value_name;
  /// For kChoice: every value there is.
  std::vector<std::string> choices;
};

/// A command as a user sees it.
struct CommandDescription {
  /// As it is typed: "caracal list rulesets".
  std::string path;
  std::string name;
  std::string description;
  std::vector<OptionDescription> options;
  std::vector<CommandDescription> commands;
};

OptionDescription DescribeOption(const CLI::Option& option);

/// The command, its options, and all commands below it, in the order of --help.
CommandDescription DescribeCommand(const CLI::App& app);

/// The command and all below it, each before its own.
std::vector<const CommandDescription*> Flattened(const CommandDescription& root);

}  // namespace caracal::pipeline
