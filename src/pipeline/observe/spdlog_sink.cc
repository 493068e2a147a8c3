#include "pipeline/observe/spdlog_sink.h"

#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>

#include "pipeline/observe/descriptor_writer.h"
#include "pipeline/observe/log_line.h"

namespace caracal::pipeline {
namespace {

constexpr size_t kWriterThreads = 1;

bool WantsHumanText(const LogSinkOptions& options) {
  if (options.format == LogFormat::kAuto) return isatty(options.fd) == 1;
  return options.format == LogFormat::kHuman;
}

/// Writes what the writer thread takes out of the queue, and tells Flush how far it is. The payload
/// is the finished line: spdlog's own patterns cannot escape JSON.
class DescriptorSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit DescriptorSink(int fd) : writer_(fd) {}

  void Abandon() { writer_.Abandon(); }

  uint64_t failed() const {
    const std::lock_guard lock(progress_mutex_);
    return failed_;
  }

  /// Waits until done(lines that left the queue here) is true.
  template <typename Done>
  bool WaitUntil(const Done& done, absl::Duration timeout) {
    std::unique_lock lock(progress_mutex_);
    return progress_.wait_for(lock, absl::ToChronoMicroseconds(timeout),
                              [&] { return done(handled_); });
  }

 private:
  void sink_it_(const spdlog::details::log_msg& msg) override {
    const bool written = writer_.WriteLine({msg.payload.data(), msg.payload.size()});
    const std::lock_guard lock(progress_mutex_);
    ++handled_;
    if (!written) ++failed_;
    progress_.notify_all();
  }
  void flush_() override {}

  DescriptorWriter writer_;
  mutable std::mutex progress_mutex_;
  std::condition_variable progress_;
  uint64_t handled_ = 0;
  uint64_t failed_ = 0;
};

}  // namespace

/// spdlog's bounded queue and writer thread, and what must be known to flush them.
class SpdlogSink::Queue {
 public:
  Queue(size_t lines, int fd)
      : sink_(std::make_shared<DescriptorSink>(fd)),
        pool_(std::make_shared<spdlog::details::thread_pool>(lines, kWriterThreads)),
        logger_(std::make_shared<spdlog::async_logger>(
            "caracal", sink_, pool_, spdlog::async_overflow_policy::overrun_oldest)) {}

  /// Joins the writer thread, which first handles what is queued, before the logger goes.
  ~Queue() { pool_.reset(); }

  void Push(const std::string& line) {
    pushed_.fetch_add(1, std::memory_order_relaxed);
    logger_->log(spdlog::level::info, spdlog::string_view_t(line));
  }

  /// The queue is first in, first out, and every line leaves it either through the sink or by an
  /// overrun: when as many have left as had been pushed when Flush was called, the caller's are
  /// out.
  bool Flush(absl::Duration timeout) {
    const uint64_t pushed = pushed_.load(std::memory_order_relaxed);
    return sink_->WaitUntil(
        [&](uint64_t handled) { return handled + pool_->overrun_counter() >= pushed; }, timeout);
  }

  void Abandon() { sink_->Abandon(); }
  uint64_t dropped() const { return sink_->failed() + pool_->overrun_counter(); }

 private:
  std::atomic<uint64_t> pushed_{0};
  std::shared_ptr<DescriptorSink> sink_;
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<spdlog::async_logger> logger_;
};

SpdlogSink::SpdlogSink(const Clock& clock, const LogSinkOptions& options)
    : clock_(clock),
      options_(options),
      human_(WantsHumanText(options)),
      queue_(std::make_unique<Queue>(options.queue_lines, options.fd)) {}

SpdlogSink::~SpdlogSink() {
  if (!Flush(options_.shutdown_timeout)) queue_->Abandon();
}

void SpdlogSink::Write(LogSeverity severity, std::string_view component, std::string_view message,
                       std::initializer_list<LogField> fields, uint64_t suppressed) {
  if (severity < options_.min_severity) return;
  lines_[static_cast<size_t>(severity)].fetch_add(1, std::memory_order_relaxed);
  const LogEntry entry = {clock_.WallMillis(), severity, component, message, fields, suppressed};
  queue_->Push(human_ ? HumanLogLine(entry) : JsonLogLine(entry));
  if (severity == LogSeverity::kError) Flush(options_.error_flush_timeout);
}

bool SpdlogSink::Flush(absl::Duration timeout) { return queue_->Flush(timeout); }

uint64_t SpdlogSink::lines(LogSeverity severity) const {
  return lines_[static_cast<size_t>(severity)].load(std::memory_order_relaxed);
}

uint64_t SpdlogSink::dropped_lines() const { return queue_->dropped(); }

}  // namespace caracal::pipeline
