#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "pipeline/base/log.h"

/// The two shapes of a log line, without the newline. Both are one line of printable UTF-8 whatever
/// the bytes of the message and the values are.
namespace caracal::pipeline {

std::string_view LogSeverityName(LogSeverity severity);  ///< "debug", "info", "warning", "error"

/// What one line says. Views are read during the call only.
struct LogEntry {
  int64_t unix_ms = 0;
  LogSeverity severity = LogSeverity::kInfo;
  std::string_view component;
  std::string_view message;
  std::initializer_list<LogField> fields;
  uint64_t suppressed = 0;
};

/// {"ts":"2026-03-04T11:02:07.512Z","level":"info","msg":"partition opened","component":"source",
///  "topic":"bank.public.transactions","partition":3,"suppressed":12}
std::string JsonLogLine(const LogEntry& entry);

/// 2026-03-04T11:02:07.512Z INFO  source: partition opened topic=bank.public.transactions
/// partition=3 suppressed=12
std::string HumanLogLine(const LogEntry& entry);

}  // namespace caracal::pipeline
