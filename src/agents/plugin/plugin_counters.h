#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caracal/agent_abi.h>

namespace caracal::agents {

/// What the agents of one plugin count, by names of their own. Any thread: Find and values take a
/// lock, Add adds to an atomic that several workers may write.
class PluginCounters {
 public:
  /// The counter of that name, made if need be; -1 for a name that cannot be, or one too many.
  int32_t Find(std::string_view name);
  /// Nothing happens for a counter that Find did not give.
  void Add(int32_t counter, uint64_t amount) {
    if (static_cast<uint32_t>(counter) >= values_.size()) return;
    values_[static_cast<uint32_t>(counter)].fetch_add(amount, std::memory_order_relaxed);
  }
  /// Names and values, in the order the names came up.
  std::vector<std::pair<std::string, uint64_t>> values() const;

 private:
  std::array<std::atomic<uint64_t>, CARACAL_COUNTERS_MAX> values_ = {};
  mutable std::mutex mutex_;        // guards names_
  std::vector<std::string> names_;  // as values_
};

}  // namespace caracal::agents
