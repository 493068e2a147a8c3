#include "agents/velocity/velocity_agent.h"

#include <limits>

#include "agents/api/check.h"

namespace caracal::agents {

namespace {

// Never exceeded: what a limit the rule does not have becomes.
constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

}  // namespace

VelocityAgent::VelocityAgent(const VelocityOptions& options)
    : window_(options.window()),
      window_us_(options.window_us),
      max_count_(options.max_count.value_or(kNoLimit)),
      max_amount_(options.max_amount.value_or(kNoLimit)),
      max_distinct_(options.distinct ? options.distinct->max : kNoLimit),
      counts_values_(options.distinct.has_value()),
      value_slot_(options.distinct ? options.distinct->slot : 0),
      include_refunds_(options.include_refunds) {}

WindowEvent VelocityAgent::ToWindowEvent(const Transaction& event) const {
  WindowEvent entry;
  entry.time_us = event.event_time_us;
  // An event without amount has amount 0.
  entry.amount = event.amount > 0 || include_refunds_ ? event.amount : 0;
  if (counts_values_) entry.value = EventWindow::ValueTag(event.attributes[value_slot_]);
  return entry;
}

void VelocityAgent::Judge(const WindowTotals& totals, Verdict& verdict) const {
  verdict.observed[VelocitySlots::kCount] = totals.count;
  verdict.observed[VelocitySlots::kSum] = totals.sum;
  verdict.observed[VelocitySlots::kDistinct] = totals.distinct;
  verdict.observed[VelocitySlots::kWindow] = window_us_;
  verdict.flags =
      static_cast<uint8_t>((totals.saturated ? kAtLeast : 0) | (totals.late ? kLate : 0));
  if (totals.late) return;
  const bool count_exceeded = totals.count > max_count_;
  const bool amount_exceeded = totals.sum > max_amount_;
  const bool distinct_exceeded = totals.distinct > max_distinct_;
  verdict.fired = count_exceeded || amount_exceeded || distinct_exceeded || totals.saturated;
  if (!verdict.fired) return;
  const VelocityReason reason = count_exceeded      ? VelocityReason::kCountExceeded
                                : amount_exceeded   ? VelocityReason::kAmountExceeded
                                : distinct_exceeded ? VelocityReason::kDistinctExceeded
                                                    : VelocityReason::kWindowSaturated;
  verdict.reason = static_cast<uint16_t>(reason);
}

void VelocityAgent::Process(std::span<const Transaction* const> events,
                            std::span<std::byte* const> states, std::span<Verdict> verdicts) {
  DCHECK(events.size() == states.size() && events.size() == verdicts.size());
  window_.WithAdd([&](auto add) {
    for (size_t i = 0; i < events.size(); ++i) {
      Judge(add(states[i], ToWindowEvent(*events[i])), verdicts[i]);
    }
  });
}

}  // namespace caracal::agents
