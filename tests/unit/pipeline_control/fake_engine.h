#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "pipeline/ports/engine_status.h"

namespace caracal::pipeline {

/// An engine whose answers the test sets. Any thread.
class FakeEngine final : public EngineStatus {
 public:
  std::string StatusJson() override {
    std::unique_lock lock(mutex_);
    is_in_status_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !is_corked_; });
    is_in_status_ = false;
    return R"({"version":"0.1.0"})";
  }
  Health Readiness() override { return Locked(readiness_); }
  Health Liveness() override { return {true, {{"ingest", true, ""}}}; }
  std::string ConfigText() override { return "version: 1\n"; }
  std::string MetricsText() override { return Locked(metrics_); }
  absl::Status Resume(std::string_view topic, int32_t partition) override {
    const std::lock_guard lock(mutex_);
    resumed_.emplace_back(topic, partition);
    return resume_result_;
  }

  void SetReadiness(Health health) { SetLocked(readiness_, std::move(health)); }
  void SetMetrics(std::string metrics) { SetLocked(metrics_, std::move(metrics)); }
  void SetResumeResult(absl::Status result) { SetLocked(resume_result_, std::move(result)); }
  std::vector<std::pair<std::string, int32_t>> resumed() const { return Locked(resumed_); }

  /// From now on StatusJson waits until Uncork.
  void Cork() { SetLocked(is_corked_, true); }
  void Uncork() {
    SetLocked(is_corked_, false);
    changed_.notify_all();
  }
  /// Waits until a thread is in StatusJson.
  void WaitForStatusCall() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_in_status_; });
  }

 private:
  template <typename T>
  T Locked(const T& value) const {
    const std::lock_guard lock(mutex_);
    return value;
  }
  template <typename T>
  void SetLocked(T& value, T now) {
    const std::lock_guard lock(mutex_);
    value = std::move(now);
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Health readiness_{true, {{"kafka", true, "4 partitions"}, {"config", true, ""}}};
  std::string metrics_ = "# TYPE caracal_up gauge\ncaracal_up 1\n";
  absl::Status resume_result_;
  std::vector<std::pair<std::string, int32_t>> resumed_;
  bool is_corked_ = false;
  bool is_in_status_ = false;
};

}  // namespace caracal::pipeline
