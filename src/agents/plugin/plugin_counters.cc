#include "agents/plugin/plugin_counters.h"

#include <algorithm>

namespace caracal::agents {
namespace {

constexpr size_t kMaxName = 64;

bool IsName(std::string_view name) {
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  if (name.empty() || name.size() > kMaxName || !is_lower(name.front())) return false;
  return std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_lower(c) || (c >= '0' && c <= '9') || c == '_'; });
}

}  // namespace

int32_t PluginCounters::Find(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto known = std::find(names_.begin(), names_.end(), name);
  const auto index = static_cast<int32_t>(known - names_.begin());
  if (known != names_.end()) return index;
  if (names_.size() == values_.size() || !IsName(name)) return -1;
  names_.emplace_back(name);
  return index;
}

std::vector<std::pair<std::string, uint64_t>> PluginCounters::values() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<std::string, uint64_t>> values;
  for (size_t i = 0; i < names_.size(); ++i) {
    values.emplace_back(names_[i], values_[i].load(std::memory_order_relaxed));
  }
  return values;
}

}  // namespace caracal::agents
