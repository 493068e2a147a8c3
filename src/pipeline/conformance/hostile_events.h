#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include "agents/api/transaction.h"
#include "pipeline/conformance/guarded_memory.h"

namespace caracal::pipeline {

/// Makes transactions that keep to the letter of the plugin interface and to nothing else: missing,
/// empty, endless and odd texts, amounts and places at their bounds, times that jump between the
/// years 1 and 9999, keys that come back after one or a thousand others. A third are ordinary
/// payments.
///
/// Events and texts can only be read, and every text ends at a page that can not be read: an agent
/// that writes to an event, or takes a text for one that ends with a zero byte, crashes. The same
/// seed gives the same events. Immutable once made; any thread.
class HostileEvents {
 public:
  static constexpr size_t kKeys = 64;
  static constexpr int kAmountScale = 2;

  HostileEvents(size_t count, uint32_t seed);

  /// In the order of the log.
  std::span<const agents::Transaction* const> events() const { return pointers_; }
  /// The key of event i, in [0, kKeys): the index of its state.
  size_t key(size_t event) const { return keys_[event]; }

  /// What rules over these events are bound to.
  static agents::StreamContext Stream();

 private:
  void MakeTexts();
  void AddText(std::string_view text);
  std::string_view Pick(std::mt19937& random) const;
  agents::Transaction Make(std::mt19937& random, size_t key, std::string_view* attributes);

  std::vector<GuardedMemory> memory_;
  std::vector<std::string_view> texts_;
  std::vector<std::string_view> key_texts_;
  std::vector<const agents::Transaction*> pointers_;
  std::vector<uint8_t> keys_;
  int64_t now_us_ = 1'700'000'000'000'000;
};

}  // namespace caracal::pipeline
