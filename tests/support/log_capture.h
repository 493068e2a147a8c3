#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "pipeline/base/log.h"
#include "pipeline/base/mutex.h"

namespace caracal::pipeline {

/// Keeps the process's log lines while it lives. Install before threads start, remove after they
/// have ended. Any thread writes.
class LogCapture : public LogSink {
 public:
  LogCapture() { SetLogSink(this); }
  ~LogCapture() override { SetLogSink(nullptr); }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  void Write(LogSeverity severity, std::string_view component, std::string_view message,
             std::initializer_list<LogField> fields, uint64_t /*suppressed*/) override {
    std::string line(component);
    line.append(severity >= LogSeverity::kWarning ? " warns: " : ": ").append(message);
    for (const LogField& field : fields) {
      line.append(" ").append(field.key).append("=");
      line.append(field.is_number ? std::to_string(field.number) : std::string(field.text));
    }
    MutexLock lock(&mutex_);
    lines_.push_back(std::move(line));
  }

  /// Lines that contain `text`.
  size_t Count(std::string_view text) const {
    MutexLock lock(&mutex_);
    size_t count = 0;
    for (const std::string& line : lines_) count += line.find(text) == std::string::npos ? 0 : 1;
    return count;
  }
  /// The last `count` lines, for failure messages.
  std::string Tail(size_t count) const {
    MutexLock lock(&mutex_);
    std::string tail;
    for (size_t i = lines_.size() > count ? lines_.size() - count : 0; i < lines_.size(); ++i) {
      tail.append(lines_[i]).append("\n");
    }
    return tail;
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace caracal::pipeline
