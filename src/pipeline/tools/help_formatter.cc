#include "pipeline/tools/help_formatter.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "pipeline/tools/command_tree.h"

namespace caracal::pipeline {
namespace {

constexpr size_t kColumns = 80;
constexpr size_t kRightColumn = 28;

/// The right column begins on a line of its own when the left one is too long.
std::string TwoColumns(const std::string& left, const std::string& right) {
  constexpr size_t kGap = 2;
  const size_t used = kGap + left.size();
  const std::string gap = used + kGap <= kRightColumn ? std::string(kRightColumn - used, ' ')
                                                      : "\n" + std::string(kRightColumn, ' ');
  return fmt::format("  {}{}{}\n", left, gap, Wrapped(right, kRightColumn, kColumns));
}

std::string DefaultOf(const CLI::Option& option) {
  if (option.get_required()) return " [required]";
  std::string text = option.get_default_str();
  if (!option.get_envname().empty()) {
    text += fmt::format("{}${}", text.empty() ? "" : " or ", option.get_envname());
  }
  return text.empty() ? text : fmt::format(" [{}]", text);
}

}  // namespace

std::string Wrapped(std::string_view text, size_t indent, size_t width) {
  std::string out;
  size_t column = indent;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (column > indent && column + 1 + word.size() >= width) {
      out.append("\n").append(indent, ' ');
      column = indent;
    }
    if (column > indent) out += ' ';
    column += word.size() + (column > indent ? 1 : 0);
    out += word;
  }
  return out;
}

HelpFormatter::HelpFormatter() { label("SUBCOMMAND", "COMMAND"); }

std::string HelpFormatter::make_help(const CLI::App* app, std::string name,
                                     CLI::AppFormatMode mode) const {
  const std::string help = Formatter::make_help(app, std::move(name), mode);
  // CLI11 separates groups of options by two empty lines.
  std::string out;
  for (const char c : help) {
    if (c == '\n' && out.size() >= 2 && out.substr(out.size() - 2) == "\n\n") continue;
    out += c;
  }
  return out;
}

std::string HelpFormatter::make_subcommands(const CLI::App* app,
                                            CLI::AppFormatMode /*mode*/) const {
  std::string out;
  for (const CLI::App* command : app->get_subcommands([](const CLI::App*) { return true; })) {
    out += TwoColumns(command->get_name(), command->get_description());
  }
  return out.empty() ? out : "\nCommands:\n" + out;
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool /*is_positional*/) const {
  const OptionDescription description = DescribeOption(*option);
  std::string left = fmt::format("{}", fmt::join(description.names, ", "));
  if (!description.value_name.empty()) left += " " + description.value_name;
  return TwoColumns(left, description.description + DefaultOf(*option));
}

std::string HelpFormatter::make_footer(const CLI::App* app) const {
  const std::string footer = app->get_footer();
  std::string_view rest = footer;
  std::string out;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    out += line.substr(0, 1) == " " ? std::string(line) : Wrapped(line, 0, kColumns);
    out += '\n';
  }
  return out;
}

}  // namespace caracal::pipeline
