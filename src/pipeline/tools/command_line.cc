#include "pipeline/tools/command_line.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>
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

/// What is wrong with `text` where a number is wanted; empty = nothing.
template <typename Number>
std::string NumberProblem(const std::string& text, std::string_view wanted) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) return fmt::format("'{}' is too large", text);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (whole && number >= 0 && std::isfinite(static_cast<double>(number))) return "";
  return fmt::format("'{}' is not {} from 0", text, wanted);
}

/// CLI11's own complaints, where they are not sentences for people.
std::string Reworded(const CLI::ParseError& error) {
  const std::string text = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    return fmt::format("{} needs a value", text.substr(0, text.find(':')));
  }
  constexpr std::string_view kConversion = "Could not convert: ";
  if (text.substr(0, kConversion.size()) == kConversion) {
    return fmt::format("{} is out of range", text.substr(kConversion.size()));
  }
  return text;
}

std::string Complaint(const CLI::App& command, const std::string& name,
                      const std::vector<std::string>& unknown, const CLI::ParseError& error) {
  if (unknown.empty() && dynamic_cast<const CLI::RequiredError*>(&error) != nullptr &&
      command.get_subcommands().empty() && !CommandsOf(command).empty()) {
    return fmt::format("name a command: {}", fmt::join(CommandsOf(command), ", "));
  }
  if (unknown.empty()) return Reworded(error);
  const std::string word = unknown.front().substr(0, unknown.front().find('='));
  const bool is_option = word.substr(0, 1) == "-";
  const std::vector<std::string> known = is_option ? OptionsOf(command) : CommandsOf(command);
  if (std::find(known.begin(), known.end(), word) != known.end()) {
    return fmt::format("'{}' must come after '{}'", word, name);
  }
  const std::string hint = DidYouMean(word, known);
  std::string_view what = is_option ? "unknown option" : "unknown command";
  if (!is_option && known.empty()) what = "unexpected argument";
  return fmt::format("{} '{}'{}{}", what, word, hint.empty() ? "" : "; ", hint);
}

}  // namespace

void CheckNumbers(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    const std::string type = option->get_type_name();
    if (type.rfind("UINT", 0) == 0 || type.rfind("INT", 0) == 0) {
      option->check(
          [](const std::string& text) { return NumberProblem<uint64_t>(text, "a whole number"); });
    } else if (type.rfind("FLOAT", 0) == 0) {
      option->check(
          [](const std::string& text) { return NumberProblem<double>(text, "a number"); });
    }
  }
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    CheckNumbers(*command);
  }
}

int EndCommandLine(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    app.exit(error);
    return kExitOk;
  }
  std::string name;
  const CLI::App* command = Innermost(app, name);
  fmt::print(stderr, "{}: {}\n`{} --help` shows the usage\n", name,
             Complaint(*command, name, app.remaining(true), error), name);
  return kExitUsage;
}

}  // namespace caracal::pipeline
