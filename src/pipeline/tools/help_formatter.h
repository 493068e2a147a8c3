#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

namespace caracal::pipeline {

/// Lays out --help for a terminal of 80 columns: names and values on the left, what they mean and
/// the default on the right, long texts wrapped. Set it on the application before commands are
/// added: they inherit it. Main thread only.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
  std::string make_subcommands(const CLI::App* app, CLI::AppFormatMode mode) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  /// Lines that begin with a space are examples and stay as they are.
  std::string make_footer(const CLI::App* app) const override;
};

/// `text`, broken at spaces into lines that end before column `width` and begin at `indent`; the
/// cursor stands there already. A word that does not fit has a line to itself.
std::string Wrapped(std::string_view text, size_t indent, size_t width);

}  // namespace caracal::pipeline
