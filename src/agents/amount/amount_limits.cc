#include "agents/amount/amount_limits.h"

#include "agents/amount/amount_reason.h"
#include "agents/api/check.h"

namespace caracal::agents {

void LimitsAgent::Process(std::span<const Transaction* const> events,
                          std::span<std::byte* const> /*states*/, std::span<Verdict> verdicts) {
  DCHECK(events.size() == verdicts.size());
  for (size_t i = 0; i < events.size(); ++i) {
    Verdict& verdict = verdicts[i];
    if (!events[i]->has_amount) {
      verdict.flags |= kInactive;
      continue;
    }
    const int64_t amount = events[i]->amount;
    verdict.observed[kAmountSlot] = amount;
    if (options_.above && amount > *options_.above) {
      Raise(AmountReason::kAboveLimit, verdict);
    } else if (options_.below && amount < *options_.below) {
      Raise(AmountReason::kBelowLimit, verdict);
    }
  }
}

void RoundAmountAgent::Process(std::span<const Transaction* const> events,
                               std::span<std::byte* const> /*states*/,
                               std::span<Verdict> verdicts) {
  DCHECK(events.size() == verdicts.size());
  for (size_t i = 0; i < events.size(); ++i) {
    Verdict& verdict = verdicts[i];
    if (!events[i]->has_amount) {
      verdict.flags |= kInactive;
      continue;
    }
    const int64_t amount = events[i]->amount;
    verdict.observed[kAmountSlot] = amount;
    if (amount >= options_.min && amount % options_.multiple_of == 0) {
      Raise(AmountReason::kRoundAmount, verdict);
    }
  }
}

}  // namespace caracal::agents
