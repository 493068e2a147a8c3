#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "agents/api/agent.h"
#include "agents/state/event_window.h"
#include "agents/velocity/velocity_options.h"

namespace caracal::agents {

/// Why a velocity rule raises: the first that applies, in this order.
enum class VelocityReason : uint16_t {
  kCountExceeded,
  kAmountExceeded,
  kDistinctExceeded,
  kWindowSaturated,
};

/// Where a velocity verdict keeps what it observed.
struct VelocitySlots {
  static constexpr uint8_t kCount = 0;
  static constexpr uint8_t kSum = 1;
  static constexpr uint8_t kDistinct = 2;
  static constexpr uint8_t kWindow = 3;
};

/// Raises when too many events, too much money or too many different values of an attribute lie in
/// the closed window [T - W, T] of the key, the current event included.
///
/// Called by the ruleset for its rule's events in log order; one worker at a time. The state is the
/// EventWindow record of the event's key. Nothing allocates and nothing can fail: an event without
/// amount or attribute adds nothing to the sum or the values, and a late one is only flagged.
class VelocityAgent final : public Agent {
 public:
  explicit VelocityAgent(const VelocityOptions& options);

  void Process(std::span<const Transaction* const> events, std::span<std::byte* const> states,
               std::span<Verdict> verdicts) override;

 private:
  // Inlined by force: the loop over a batch is compiled once per shape of the window, too often for
  // the compiler to do it by itself, and a call is a quarter of an event's cost.
  [[gnu::always_inline]] inline WindowEvent ToWindowEvent(const Transaction& event) const;
  [[gnu::always_inline]] inline void Judge(const WindowTotals& totals, Verdict& verdict) const;

  EventWindow window_;
  int64_t window_us_;
  int64_t max_count_;
  int64_t max_amount_;
  int64_t max_distinct_;
  bool counts_values_;
  uint16_t value_slot_;
  bool include_refunds_;
};

}  // namespace caracal::agents
