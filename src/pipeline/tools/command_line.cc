#include "pipeline/tools/command_line.h"

#include <cstdio>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "pipeline/config/suggestion.h"
#include "pipeline/tools/command.h"

namespace caracal::pipeline {
namespace {

/// The innermost command that was recognised.
const CLI::App* Innermost(const CLI::App& app, std::string& name) {
  const CLI::App* command = &app;
  name = app.get_name();
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    name += " " + command->get_name();
  }
  return command;
}

std::vector<std::string> CommandsOf(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(sub->get_name());
  }
  return names;
}

std::vector<std::string> OptionsOf(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string Complaint(const CLI::App& command, const std::vector<std::string>& unknown,
                      const CLI::ParseError& error) {
  if (unknown.empty() && dynamic_cast<const CLI::RequiredError*>(&error) != nullptr &&
      command.get_subcommands().empty() && !CommandsOf(command).empty()) {
    return fmt::format("name a command: {}", fmt::join(CommandsOf(command), ", "));
  }
  if (unknown.empty()) return error.what();
  const std::string word = unknown.front().substr(0, unknown.front().find('='));
  const bool is_option = word.substr(0, 1) == "-";
  const std::vector<std::string> known = is_option ? OptionsOf(command) : CommandsOf(command);
  const std::string hint = DidYouMean(word, known);
  std::string_view what = is_option ? "unknown option" : "unknown command";
  if (!is_option && known.empty()) what = "unexpected argument";
  return fmt::format("{} '{}'{}{}", what, word, hint.empty() ? "" : "; ", hint);
}

}  // namespace

int EndCommandLine(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    app.exit(error);
    return kExitOk;
  }
  std::string name;
  const CLI::App* command = Innermost(app, name);
  fmt::print(stderr, "{}: {}\n`{} --help` shows the usage\n", name,
             Complaint(*command, app.remaining(true), error), name);
  return kExitUsage;
}

}  // namespace caracal::pipeline
