#include "pipeline/observe/log_line.h"

#include <fmt/format.h>

#include "pipeline/base/json_string.h"
#include "pipeline/base/rfc3339.h"
#include "pipeline/base/utf8.h"

namespace caracal::pipeline {
namespace {

std::string_view HumanSeverity(LogSeverity severity) {
  switch (severity) {
    case LogSeverity::kDebug:
      return "DEBUG";
    case LogSeverity::kInfo:
      return "INFO ";
    case LogSeverity::kWarning:
      return "WARN ";
    case LogSeverity::kError:
      return "ERROR";
  }
  return "?    ";
}

void AppendTime(int64_t unix_ms, std::string& out) {
  AppendRfc3339(unix_ms * 1000, FractionDigits::kMillis, out);
}

/// Quotes only what a reader could not tell apart from the next field.
void AppendHumanText(std::string_view text, std::string& out) {
  const std::string quoted = JsonString(text);
  const bool is_escaped = quoted.size() != text.size() + 2;
  const bool is_one_word = !text.empty() && text.find_first_of(" =") == std::string_view::npos;
  out += is_one_word && !is_escaped ? text : std::string_view(quoted);
}

}  // namespace

std::string_view LogSeverityName(LogSeverity severity) {
  switch (severity) {
    case LogSeverity::kDebug:
      return "debug";
    case LogSeverity::kInfo:
      return "info";
    case LogSeverity::kWarning:
      return "warning";
    case LogSeverity::kError:
      return "error";
  }
  return "unknown";
}

std::string JsonLogLine(const LogEntry& entry) {
  std::string line = R"({"ts":")";
  AppendTime(entry.unix_ms, line);
  line += fmt::format(R"(","level":"{}","msg":)", LogSeverityName(entry.severity));
  AppendJsonString(entry.message, line);
  line += R"(,"component":)";
  AppendJsonString(entry.component, line);
  for (const LogField& field : entry.fields) {
    line += ',';
    AppendJsonString(field.key, line);
    line += ':';
    if (field.is_number) {
      line += fmt::format("{}", field.number);
    } else {
      AppendJsonString(field.text, line);
    }
  }
  if (entry.suppressed > 0) {
    line += fmt::format(R"(,"suppressed":{})", entry.suppressed);
  }
  line += '}';
  return line;
}

std::string HumanLogLine(const LogEntry& entry) {
  std::string line;
  AppendTime(entry.unix_ms, line);
  line += fmt::format(" {} {}: {}", HumanSeverity(entry.severity), PrintableLine(entry.component),
                      PrintableLine(entry.message));
  for (const LogField& field : entry.fields) {
    line += fmt::format(" {}=", PrintableLine(field.key));
    if (field.is_number) {
      line += fmt::format("{}", field.number);
    } else {
      AppendHumanText(field.text, line);
    }
  }
  if (entry.suppressed > 0) {
    line += fmt::format(" suppressed={}", entry.suppressed);
  }
  return line;
}

}  // namespace caracal::pipeline
