#include "agents/amount/amount_profile.h"

#include <bit>
#include <limits>

#include "agents/amount/amount_reason.h"
#include "agents/api/check.h"
#include "agents/state/prefetch.h"

namespace caracal::agents {
namespace {

// Every product below stays within its type: |amount| x n fits an int64 ...
static_assert(ProfileOptions::kMaxHistory <= std::numeric_limits<int64_t>::max() / kMaxAmount);
// ... and so does 10^18, the largest scale a Decimal has.
int64_t PowerOfTen(int exponent) {
  int64_t power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

int64_t RoundedMean(int64_t sum, uint32_t size) {
  const int64_t n = size;
  return (sum < 0 ? sum - n / 2 : sum + n / 2) / n;
}

}  // namespace

StateSpec ProfileAgent::State(const ProfileOptions& options) {
  return {static_cast<uint32_t>(sizeof(Header) + options.history * sizeof(int64_t)),
          alignof(Header), 1};
}

ProfileAgent::ProfileAgent(const ProfileOptions& options)
    : options_(options), ratio_unit_(PowerOfTen(options.ratio.scale)) {
  CHECK(options_.history > 0 && options_.history <= ProfileOptions::kMaxHistory);
  CHECK(options_.min_history > 0 && options_.min_history <= options_.history);
  CHECK(options_.ratio.scale <= 18);
}

void ProfileAgent::Process(std::span<const Transaction* const> events,
                           std::span<std::byte* const> states, std::span<Verdict> verdicts) {
  DCHECK(events.size() == states.size() && events.size() == verdicts.size());
  // The amount that gives way lies somewhere in the ring: the one place nobody could load ahead.
  for (std::byte* const state : states) PrefetchLine(NextSlot(state));
  for (size_t i = 0; i < events.size(); ++i) {
    const Transaction& event = *events[i];
    verdicts[i].observed[kAmountSlot] = event.amount;
    if (!event.has_amount || (event.amount <= 0 && !options_.include_refunds)) {
      verdicts[i].flags |= kInactive;
      continue;
    }
    Judge(event.amount, *reinterpret_cast<const Header*>(states[i]), verdicts[i]);
    Remember(event.amount, states[i]);
  }
}

void ProfileAgent::Judge(int64_t amount, const Header& profile, Verdict& verdict) const {
  if (profile.size < options_.min_history) {
    verdict.flags |= kInactive;
  } else if (IsAbove(amount, profile)) {
    Raise(AmountReason::kAboveProfile, verdict);
  }
  if (omits_unread_values_ && !verdict.fired) return;
  const int64_t n = profile.size;
  verdict.observed[kHistorySlot] = n;
  if (n > 0) verdict.observed[kMeanSlot] = RoundedMean(profile.sum, profile.size);
  if (profile.sum > 0) {
    const double ratio =
        static_cast<double>(amount) * static_cast<double>(n) / static_cast<double>(profile.sum);
    verdict.observed[kRatioSlot] = std::bit_cast<int64_t>(ratio);
  }
}

bool ProfileAgent::IsAbove(int64_t amount, const Header& profile) const {
  if (options_.floor && amount <= *options_.floor) return false;
  return static_cast<__int128>(amount * int64_t{profile.size}) * ratio_unit_ >
         static_cast<__int128>(options_.ratio.unscaled) * profile.sum;
}

int64_t* ProfileAgent::NextSlot(std::byte* state) const {
  const Header& profile = *reinterpret_cast<const Header*>(state);
  int64_t* const amounts = reinterpret_cast<int64_t*>(state + sizeof(Header));
  return amounts + (profile.size < options_.history ? profile.size : profile.oldest);
}

void ProfileAgent::Remember(int64_t amount, std::byte* state) const {
  Header& profile = *reinterpret_cast<Header*>(state);
  int64_t* const slot = NextSlot(state);
  if (profile.size < options_.history) {
    *slot = amount;
    ++profile.size;
    profile.sum += amount;
    return;
  }
  profile.sum += amount - *slot;
  *slot = amount;
  profile.oldest = profile.oldest + 1 == options_.history ? 0 : profile.oldest + 1;
}

}  // namespace caracal::agents
