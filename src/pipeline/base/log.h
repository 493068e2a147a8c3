#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

/// Structured logging. LOG(kInfo, "source", "partition opened", {{"topic", topic}, {"partition",
/// 3}}) writes one line. Each call site may write five lines in 10 s; the next line it writes says
/// how many were left out (field `suppressed`). Never pass record payloads, accounts or secrets.
/// Any thread.
namespace caracal::pipeline {

enum class LogSeverity : uint8_t { kDebug, kInfo, kWarning, kError };

/// One key and value of a log line; the value is already text, or a number.
struct LogField {
  LogField(std::string_view k, std::string_view v) : key(k), text(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), text(v) {}
  LogField(std::string_view k, const char* v) : key(k), text(v) {}
  LogField(std::string_view k, int64_t v) : key(k), number(v), is_number(true) {}
  LogField(std::string_view k, int v) : LogField(k, static_cast<int64_t>(v)) {}
  LogField(std::string_view k, uint32_t v) : LogField(k, static_cast<int64_t>(v)) {}
  LogField(std::string_view k, uint64_t v) : LogField(k, static_cast<int64_t>(v)) {}

  std::string_view key;
  std::string_view text;
  int64_t number = 0;
  bool is_number = false;
};

/// Where log lines go; observe/ has the real one. Any thread.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void Write(LogSeverity severity, std::string_view component, std::string_view message,
                     std::initializer_list<LogField> fields, uint64_t suppressed) = 0;
};

/// Installs the process's sink (not owned; null = drop everything). Call before threads start.
void SetLogSink(LogSink* sink);
LogSink* GetLogSink();

/// State of one call site; LOG makes one.
class LogSite {
 public:
  void Write(LogSeverity severity, std::string_view component, std::string_view message,
             std::initializer_list<LogField> fields = {});

 private:
  std::atomic<int64_t> window_start_us_{0};
  std::atomic<uint64_t> in_window_{0};
  std::atomic<uint64_t> suppressed_{0};
};

}  // namespace caracal::pipeline

#define LOG(severity, ...)                                                            \
  do {                                                                                \
    static ::caracal::pipeline::LogSite caracal_log_site_;                            \
    caracal_log_site_.Write(::caracal::pipeline::LogSeverity::severity, __VA_ARGS__); \
  } while (false)
