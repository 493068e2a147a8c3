#include "pipeline/base/log.h"

#include <chrono>

namespace caracal::pipeline {
namespace {

constexpr int64_t kWindowMicros = 10'000'000;
constexpr uint64_t kLinesPerWindow = 5;

std::atomic<LogSink*> g_sink{nullptr};

int64_t NowMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

void SetLogSink(LogSink* sink) { g_sink.store(sink, std::memory_order_release); }
LogSink* GetLogSink() { return g_sink.load(std::memory_order_acquire); }

void LogSite::Write(LogSeverity severity, std::string_view component, std::string_view message,
                    std::initializer_list<LogField> fields) {
  LogSink* sink = GetLogSink();
  if (sink == nullptr) return;
  const int64_t now = NowMicros();
  int64_t start = window_start_us_.load(std::memory_order_relaxed);
  if (start == 0 || now - start >= kWindowMicros) {
    if (window_start_us_.compare_exchange_strong(start, now, std::memory_order_relaxed)) {
      in_window_.store(0, std::memory_order_relaxed);
    }
  }
  if (in_window_.fetch_add(1, std::memory_order_relaxed) >= kLinesPerWindow) {
    suppressed_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  sink->Write(severity, component, message, fields,
              suppressed_.exchange(0, std::memory_order_relaxed));
}

}  // namespace caracal::pipeline
