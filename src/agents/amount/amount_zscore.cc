#include "agents/amount/amount_zscore.h"

#include <bit>
#include <cmath>
#include <limits>

#include "agents/amount/amount_reason.h"
#include "agents/amount/decay.h"
#include "agents/api/check.h"

namespace caracal::agents {
namespace {

// Below this a history no longer says anything of the variance: the next amount would weigh so much
// more that any third one looked like an outlier.
constexpr double kLapsedWeight = 0.5;

int64_t Rounded(double value) {
  return static_cast<int64_t>(value < 0 ? value - 0.5 : value + 0.5);
}

}  // namespace

StateSpec ZscoreAgent::State(const ZscoreOptions& /*options*/) {
  static_assert(sizeof(Record) == 40);
  return {sizeof(Record), alignof(Record), 1};
}

ZscoreAgent::ZscoreAgent(const ZscoreOptions& options)
    : options_(options), above_(ToDouble(options.above)) {
  CHECK(options_.half_life_us > 0);
  CHECK(options_.min_history >= 2);
}

void ZscoreAgent::Process(std::span<const Transaction* const> events,
                          std::span<std::byte* const> states, std::span<Verdict> verdicts) {
  DCHECK(events.size() == states.size() && events.size() == verdicts.size());
  for (size_t i = 0; i < events.size(); ++i) {
    const Transaction& event = *events[i];
    verdicts[i].observed[kAmountSlot] = event.amount;
    if (!event.has_amount || (event.amount <= 0 && !options_.include_refunds)) {
      verdicts[i].flags |= kInactive;
      continue;
    }
    Record& profile = *reinterpret_cast<Record*>(states[i]);
    Judge(event.amount, profile, verdicts[i]);
    Remember(event, profile);
  }
}

void ZscoreAgent::Judge(int64_t amount, const Record& profile, Verdict& verdict) const {
  if (profile.count < options_.min_history) verdict.flags |= kInactive;
  if (profile.count == 0) return;
  // Decay scales squares and weight alike: neither mean nor variance depends on the event's time.
  const double variance = profile.squares / profile.weight;
  const double deviation = std::sqrt(variance);
  const double z = variance > 0 ? (static_cast<double>(amount) - profile.mean) / deviation : 0.0;
  verdict.observed[kMeanSlot] = Rounded(profile.mean);
  verdict.observed[kDeviationSlot] = Rounded(deviation);
  verdict.observed[kZSlot] = std::bit_cast<int64_t>(z);
  verdict.observed[kHistorySlot] = profile.count;
  if (profile.count >= options_.min_history && z > above_) {
    Raise(AmountReason::kAboveZscore, verdict);
  }
}

void ZscoreAgent::Remember(const Transaction& event, Record& profile) const {
  if (profile.count > 0 && event.event_time_us > profile.newest_us) {
    const uint64_t elapsed =
        static_cast<uint64_t>(event.event_time_us) - static_cast<uint64_t>(profile.newest_us);
    const double left = Decay(elapsed, options_.half_life_us);
    profile.weight *= left;
    profile.squares *= left;
    profile.newest_us = event.event_time_us;
    if (profile.weight < kLapsedWeight) profile = Record{};
  }
  if (profile.count == 0) profile.newest_us = event.event_time_us;
  const double old_weight = profile.weight;
  const double delta = static_cast<double>(event.amount) - profile.mean;
  profile.weight = old_weight + 1.0;
  const double step = delta / profile.weight;
  profile.mean += step;
  profile.squares += old_weight * delta * step;
  if (profile.count < std::numeric_limits<uint32_t>::max()) ++profile.count;
}

}  // namespace caracal::agents
