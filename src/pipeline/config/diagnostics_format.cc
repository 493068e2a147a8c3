#include "pipeline/config/diagnostics_format.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "pipeline/base/utf8.h"
#include "pipeline/config/json.h"

namespace caracal::pipeline {
namespace {

constexpr size_t kMaxQuotedBytes = 160;

std::string_view SeverityText(const Diagnostic& item) {
  return InfoOf(item.code).severity == DiagnosticSeverity::kError ? "error" : "warning";
}

std::string PlaceText(const Diagnostics& diagnostics, const SourceSpan& span) {
  const std::string& name = diagnostics.SourceName(span.source);
  if (span.line == 0) return name;
  return fmt::format("{}:{}:{}", name, span.line, span.column);
}

bool IsContinuationByte(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// `count` blanks or carets for the characters (not bytes) of `text`; tabs stay tabs.
std::string Underline(std::string_view text, char mark) {
  std::string line;
  for (const char c : text) {
    if (IsContinuationByte(c)) continue;
    line.push_back(c == '\t' ? '\t' : mark);
  }
  return line;
}

/// A line that may be written to a terminal as it is.
bool IsQuotable(std::string_view line) {
  const auto is_control = [](char c) {
    return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f';
  };
  return line.size() <= kMaxQuotedBytes && ValidUtf8Prefix(line) == line.size() &&
         std::none_of(line.begin(), line.end(), is_control);
}

/// The quoted line and the caret below it; only the hint when there is no line to quote.
std::string Excerpt(const Diagnostics& diagnostics, const Diagnostic& item) {
  const std::string line =
      diagnostics.Masked(diagnostics.SourceLine(item.span.source, item.span.line));
  const auto start = static_cast<size_t>(std::max(item.span.column, 1)) - 1;
  const std::string hint = diagnostics.Masked(item.hint);
  if (line.empty() || start > line.size() || !IsQuotable(line)) {
    return hint.empty() ? "" : fmt::format("       {}\n", hint);
  }
  const auto length = static_cast<size_t>(std::max(item.span.length, 1));
  std::string carets = Underline(std::string_view(line).substr(start, length), '^');
  if (carets.empty()) carets = "^";
  return fmt::format("{:>5} | {}\n      | {}{}{}{}\n", item.span.line, line,
                     Underline(std::string_view(line).substr(0, start), ' '), carets,
                     hint.empty() ? "" : " ", hint);
}

std::string Plural(size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string FormatText(const Diagnostics& diagnostics) {
  const size_t total = diagnostics.errors() + diagnostics.warnings();
  if (total == 0) return "";
  std::string out;
  const std::vector<Diagnostic> items = diagnostics.Sorted();
  for (const Diagnostic& item : items) {
    const std::string place = PlaceText(diagnostics, item.span);
    out += fmt::format("{}{}{}[{}]: {}\n", place, place.empty() ? "" : ": ", SeverityText(item),
                       InfoOf(item.code).name, diagnostics.Masked(item.message));
    out += Excerpt(diagnostics, item);
  }
  if (items.size() < total) out += fmt::format("... and {} more\n", total - items.size());
  out += fmt::format("{} ({}, {}); `caracal list errors` explains the codes\n",
                     Plural(total, "problem"), Plural(diagnostics.errors(), "error"),
                     Plural(diagnostics.warnings(), "warning"));
  return out;
}

std::string FormatJson(const Diagnostics& diagnostics) {
  Json problems = Json::MakeArray();
  for (const Diagnostic& item : diagnostics.Sorted()) {
    Json problem = Json::MakeObject();
    problem.Set("code", InfoOf(item.code).name).Set("severity", SeverityText(item));
    problem.Set("file", diagnostics.SourceName(item.span.source));
    if (item.span.line > 0) {
      problem.Set("line", item.span.line).Set("column", item.span.column);
      problem.Set("length", item.span.length);
    }
    problem.Set("message", diagnostics.Masked(item.message));
    if (!item.hint.empty()) problem.Set("hint", diagnostics.Masked(item.hint));
    problems.Append(std::move(problem));
  }
  Json document = Json::MakeObject();
  document.Set("errors", static_cast<int64_t>(diagnostics.errors()));
  document.Set("warnings", static_cast<int64_t>(diagnostics.warnings()));
  document.Set("problems", std::move(problems));
  return document.DumpIndented() + "\n";
}

/// Escapes as GitHub's workflow commands want it; properties also escape ':' and ','.
std::string GithubEscape(std::string_view text, bool property) {
  std::string out;
  for (const char c : text) {
    const bool special = c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','));
    if (special) {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string FormatGithub(const Diagnostics& diagnostics) {
  std::string out;
  for (const Diagnostic& item : diagnostics.Sorted()) {
    out += fmt::format("::{} ", SeverityText(item));
    const std::string& name = diagnostics.SourceName(item.span.source);
    if (!name.empty()) out += fmt::format("file={},", GithubEscape(name, true));
    if (item.span.line > 0) {
      out += fmt::format("line={},col={},", item.span.line, item.span.column);
    }
    std::string message = diagnostics.Masked(item.message);
    if (!item.hint.empty()) message += fmt::format(" ({})", diagnostics.Masked(item.hint));
    out += fmt::format("title={}::{}\n", InfoOf(item.code).name, GithubEscape(message, false));
  }
  return out;
}

}  // namespace

std::optional<DiagnosticFormat> ParseDiagnosticFormat(std::string_view name) {
  if (name == "text") return DiagnosticFormat::kText;
  if (name == "json") return DiagnosticFormat::kJson;
  if (name == "github") return DiagnosticFormat::kGithub;
  return std::nullopt;
}

std::string FormatDiagnostics(const Diagnostics& diagnostics, DiagnosticFormat format) {
  switch (format) {
    case DiagnosticFormat::kText:
      return FormatText(diagnostics);
    case DiagnosticFormat::kJson:
      return FormatJson(diagnostics);
    case DiagnosticFormat::kGithub:
      return FormatGithub(diagnostics);
  }
  return "";
}

}  // namespace caracal::pipeline
