#include "agents/amount/amount_zscore.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "agents/amount/amount_reason.h"
#include "agents/amount/decay.h"
#include "agents/api/check.h"

namespace caracal::agents {
namespace {

// Below this a history no longer says anything of the variance: the next amount would weigh so much
// more that any third one looked like an outlier.
constexpr double kLapsedWeight = 0.5;

constexpr int kCountBits = 20;       // beside the weight
constexpr int kUpperCountBits = 11;  // beside the time
constexpr uint64_t kCountMask = (uint64_t{1} << kCountBits) - 1;
constexpr uint64_t kUpperCountMask = (uint64_t{1} << kUpperCountBits) - 1;
constexpr int64_t kLatestUs = INT64_MAX >> kUpperCountBits;
// A weight is at least 1 and below 2^63: 6 bits of its exponent and 38 of its fraction are left.
constexpr int kDroppedWeightBits = 14;
static_assert(kDroppedWeightBits + 6 == kCountBits);
constexpr uint64_t kBitsOfOne = std::bit_cast<uint64_t>(1.0);

int64_t Rounded(double value) {
  return static_cast<int64_t>(value < 0 ? value - 0.5 : value + 0.5);
}

}  // namespace

StateSpec ZscoreAgent::State(const ZscoreOptions& /*options*/) {
  static_assert(sizeof(Record) == 32);
  // Copied as a whole, so that the record needs no more alignment than others of its key.
  return {sizeof(Record), alignof(uint32_t), 2};
}

ZscoreAgent::ZscoreAgent(const ZscoreOptions& options)
    : options_(options), above_(ToDouble(options.above)) {
  CHECK(options_.half_life_us > 0);
  CHECK(options_.min_history >= 2 && options_.min_history <= kMaxHistory);
}

ZscoreAgent::Profile ZscoreAgent::Load(const std::byte* state) {
  Record record;
  std::memcpy(&record, state, sizeof(record));
  const auto count = static_cast<uint32_t>((record.time_and_count & kUpperCountMask) << kCountBits |
                                           (record.weight_and_count & kCountMask));
  if (count == 0) return {};
  const int64_t newest_us = static_cast<int64_t>(record.time_and_count) >> kUpperCountBits;
  const uint64_t weight = record.weight_and_count >> kCountBits << kDroppedWeightBits;
  return {record.mean, record.squares, std::bit_cast<double>(weight + kBitsOfOne), newest_us,
          count};
}

void ZscoreAgent::Store(const Profile& profile, std::byte* state) {
  constexpr uint64_t kHalf = uint64_t{1} << (kDroppedWeightBits - 1);
  const uint64_t weight = std::bit_cast<uint64_t>(profile.weight) - kBitsOfOne + kHalf;
  const int64_t newest_us = std::clamp(profile.newest_us, -kLatestUs - 1, kLatestUs);
  const Record record = {
      profile.mean, profile.squares,
      static_cast<uint64_t>(newest_us) << kUpperCountBits | profile.count >> kCountBits,
      weight >> kDroppedWeightBits << kCountBits | (profile.count & kCountMask)};
  std::memcpy(state, &record, sizeof(record));
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
    Profile profile = Load(states[i]);
    Judge(event.amount, profile, verdicts[i]);
    Remember(event, profile);
    Store(profile, states[i]);
  }
}

void ZscoreAgent::Judge(int64_t amount, const Profile& profile, Verdict& verdict) const {
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

void ZscoreAgent::Remember(const Transaction& event, Profile& profile) const {
  if (profile.count > 0 && event.event_time_us > profile.newest_us) {
    const uint64_t elapsed =
        static_cast<uint64_t>(event.event_time_us) - static_cast<uint64_t>(profile.newest_us);
    const double left = Decay(elapsed, options_.half_life_us);
    profile.weight *= left;
    profile.squares *= left;
    profile.newest_us = event.event_time_us;
    if (profile.weight < kLapsedWeight) profile = Profile{};
  }
  if (profile.count == 0) profile.newest_us = event.event_time_us;
  const double old_weight = profile.weight;
  const double delta = static_cast<double>(event.amount) - profile.mean;
  profile.weight = old_weight + 1.0;
  const double step = delta / profile.weight;
  profile.mean += step;
  profile.squares += old_weight * delta * step;
  profile.count = std::min(profile.count + 1, kMaxHistory);
}

}  // namespace caracal::agents
