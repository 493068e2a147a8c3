#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "pipeline/base/cell.h"
#include "pipeline/base/mutex.h"

namespace caracal::pipeline {

/// Why a plugin is named in the metrics and in /status.
enum class PluginFault : uint8_t {
  kEventError,  ///< it reported an error with a transaction
  kBadVerdict,  ///< it gave a verdict that cannot be
  kBroken,      ///< it failed as a whole
  kOverBudget,  ///< a batch took longer than it may
};
inline constexpr size_t kPluginFaultCount = 4;
/// "event_error", "bad_verdict", "broken", "over_budget".
std::string_view PluginFaultName(PluginFault fault);

/// What a plugin says of itself.
struct PluginIdentity {
  std::string path;
  std::string sha256;
  std::string agent;
  std::string version;
  std::string licence;
  uint32_t abi_version = 0;  ///< major in the upper, minor in the lower 16 bits
};

/// What is known of one plugin of the configuration while it runs: its watches (pipeline/plugins)
/// write it, metrics and /status read it. Replayed transactions count like others: a plugin that
/// fails in a replay fails.
///
/// Any thread, except the setters: before others see the probe.
class PluginProbe {
 public:
  /// Writers of batch durations share this many cells: few enough to keep, enough that workers
  /// rarely meet.
  static constexpr size_t kShards = 8;

  const PluginIdentity& identity() const { return identity_; }
  void set_identity(PluginIdentity identity) { identity_ = std::move(identity); }

  /// What the plugin itself counts: names and values.
  using Counters = std::vector<std::pair<std::string, uint64_t>>;
  Counters counters() const { return read_counters_ == nullptr ? Counters() : read_counters_(); }
  void set_counters(std::function<Counters()> read) { read_counters_ = std::move(read); }

  void Count(PluginFault fault, std::string_view sentence);
  uint64_t count(PluginFault fault) const { return faults_[static_cast<size_t>(fault)].value(); }
  /// The sentence of the last fault; empty = there was none.
  std::string last_error() const;

  /// The cell of one more agent of the plugin.
  DurationHistogram& NextDurations() {
    return durations_[next_shard_.fetch_add(1, std::memory_order_relaxed) % kShards].cell;
  }
  const DurationHistogram& durations(size_t shard) const { return durations_[shard].cell; }

 private:
  /// From 2 µs to 131 ms.
  struct alignas(64) Shard {
    DurationHistogram cell{2};
  };

  PluginIdentity identity_;
  std::function<Counters()> read_counters_;
  std::array<Counter, kPluginFaultCount> faults_;
  std::array<Shard, kShards> durations_;
  std::atomic<uint32_t> next_shard_{0};  // which of them it is does not matter
  mutable Mutex mutex_;
  std::string last_error_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace caracal::pipeline
