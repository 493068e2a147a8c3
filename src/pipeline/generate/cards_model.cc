#include "pipeline/generate/cards_model.h"

#include <algorithm>

#include "agents/api/check.h"

namespace caracal::pipeline {
namespace {

constexpr int64_t kSecondUs = 1'000'000;
constexpr int64_t kMinuteUs = 60 * kSecondUs;

/// A burst needs the account's window of 60 s clear before it, and every longer episode after it.
constexpr int64_t kClearUs = 61 * kSecondUs;

constexpr int64_t kBurstSmallest = 8;
constexpr int64_t kBurstLargest = 14;
constexpr int64_t kBurstSpanUs = 50 * kSecondUs;
constexpr int64_t kBurstShortestGapUs = kSecondUs / 2;
/// The 7th payment within 60 s is the first above the threshold of 6.
constexpr int kBurstThreshold = 6;

constexpr int kBigTicketHistory = 20;
constexpr int kBigTicketSpacing = 64;

constexpr int64_t kTravelShortestGapUs = kMinuteUs;
constexpr int64_t kTravelLongestGapUs = 5 * kMinuteUs;
constexpr int kTravelMostPayments = 4;

/// The longest episode, with room: during it the account must not leave its city.
constexpr int64_t kLongestEpisodeUs = kTravelMostPayments * kTravelLongestGapUs + kClearUs;

constexpr int kZipfTries = 8;
constexpr uint32_t kScanLimit = 4096;

enum EpisodeIndex : size_t { kBurstIndex, kBigTicketIndex, kTravelIndex };

}  // namespace

CardsModel::CardsModel(const CardsModelOptions& options)
    : options_(options),
      merchants_(options.merchants, options.seed),
      accounts_(options.accounts, options.seed, merchants_),
      popularity_(options.accounts, options.zipf_exponent),
      states_(options.accounts) {
  thresholds_[kBurstIndex] = ShareThreshold(options.burst_rate);
  thresholds_[kBigTicketIndex] = ShareThreshold(options.burst_rate + options.big_ticket_rate);
  thresholds_[kTravelIndex] =
      ShareThreshold(options.burst_rate + options.big_ticket_rate + options.travel_rate);
}

bool CardsModel::Draw(int64_t now_us, bool may_plant, Random& random, Agenda& agenda,
                      Payment& payment) {
  Payer payer;
  if (!FindPayer(now_us, random, payer)) return false;
  if (may_plant) {
    CountDueEpisodes(random);
    if (PlantDueEpisode(payer, now_us, random, agenda, payment)) return true;
  }
  payment = MakePayment(payer, payer.place.city, now_us, random);
  Settle(payer.index, 1, now_us + kRestUs);
  return true;
}

int64_t CardsModel::DrawAmount(const Payment& payment, Random& random) {
  return accounts_.NormalAmount(accounts_.Traits(payment.account_index), random.Next());
}

void CardsModel::Hold(const Payment& payment) { ++states_[payment.account_index].held; }

void CardsModel::Release(const Payment& payment) {
  AccountState& state = states_[payment.account_index];
  DCHECK(state.held > 0);
  --state.held;
}

void CardsModel::Discard(const Payment& payment) { --states_[payment.account_index].settled; }

bool CardsModel::FindPayer(int64_t now_us, Random& random, Payer& payer) const {
  for (int i = 0; i < kZipfTries; ++i) {
    if (CanPay(popularity_.Sample(random), now_us, payer)) return true;
  }
  const uint32_t size = accounts_.size();
  auto index = static_cast<uint32_t>(random.Below(size));
  for (uint32_t i = 0; i < std::min(size, kScanLimit); ++i) {
    if (CanPay(index, now_us, payer)) return true;
    if (++index == size) index = 0;
  }
  return false;
}

bool CardsModel::CanPay(uint32_t index, int64_t now_us, Payer& payer) const {
  if (states_[index].free_at_us > now_us) return false;
  payer.index = index;
  payer.traits = accounts_.Traits(index);
  payer.place = accounts_.WhereIs(payer.traits, now_us);
  return !payer.place.in_transit;
}

void CardsModel::CountDueEpisodes(Random& random) {
  if (thresholds_.back() == 0) return;
  const uint64_t bits = random.Next();
  if (bits >= thresholds_.back()) return;
  const auto* kind = std::upper_bound(thresholds_.begin(), thresholds_.end(), bits);
  ++due_[static_cast<size_t>(kind - thresholds_.begin())];
}

bool CardsModel::PlantDueEpisode(const Payer& payer, int64_t now_us, Random& random, Agenda& agenda,
                                 Payment& payment) {
  if (due_[kBurstIndex] + due_[kBigTicketIndex] + due_[kTravelIndex] == 0) return false;
  const AccountState& state = states_[payer.index];
  if (state.held > 0) return false;
  const bool window_clear = state.free_at_us - kRestUs + kClearUs <= now_us;
  const bool stays = payer.place.until_us - now_us > kLongestEpisodeUs;
  if (due_[kBigTicketIndex] > 0 && state.settled >= kBigTicketHistory) {
    --due_[kBigTicketIndex];
    PlantBigTicket(payer, now_us, random, payment);
  } else if (due_[kBurstIndex] > 0 && window_clear && stays) {
    --due_[kBurstIndex];
    PlantBurst(payer, now_us, random, agenda, payment);
  } else if (due_[kTravelIndex] > 0 && stays) {
    --due_[kTravelIndex];
    PlantTravel(payer, now_us, random, agenda, payment);
  } else {
    return false;
  }
  return true;
}

void CardsModel::PlantBurst(const Payer& payer, int64_t now_us, Random& random, Agenda& agenda,
                            Payment& payment) {
  const auto size = static_cast<int>(random.Between(kBurstSmallest, kBurstLargest));
  const int64_t longest_gap_us = kBurstSpanUs / (size - 1);
  const auto device = static_cast<uint32_t>(random.Next());
  const uint32_t episode = ++episodes_;
  int64_t at_us = now_us;
  for (int i = 0; i < size; ++i) {
    if (i > 0) at_us += random.Between(kBurstShortestGapUs, longest_gap_us);
    Payment step = MakePayment(payer, payer.place.city, at_us, random);
    step.device = device;
    step.mark = {EpisodeKind::kBurst, i >= kBurstThreshold, static_cast<uint16_t>(i),
                 static_cast<uint16_t>(size), episode};
    if (i == 0) {
      payment = step;
    } else {
      agenda.Add(at_us, step, false);
    }
  }
  Settle(payer.index, size, at_us + kClearUs);
}

void CardsModel::PlantBigTicket(const Payer& payer, int64_t now_us, Random& random,
                                Payment& payment) {
  payment = MakePayment(payer, payer.place.city, now_us, random);
  payment.amount = accounts_.BigTicketAmount(payer.traits, random);
  payment.mark = {EpisodeKind::kBigTicket, true, 0, 1, ++episodes_};
  Settle(payer.index, 1, now_us + kRestUs);
  states_[payer.index].settled = kBigTicketHistory - kBigTicketSpacing;
}

void CardsModel::PlantTravel(const Payer& payer, int64_t now_us, Random& random, Agenda& agenda,
                             Payment& payment) {
  const auto size = static_cast<int>(random.Between(3, kTravelMostPayments));
  const size_t away = PickFarCity(payer.place.city, random);
  const auto device = static_cast<uint32_t>(random.Next());
  const uint32_t episode = ++episodes_;
  int64_t at_us = now_us;
  for (int i = 0; i < size; ++i) {
    if (i > 0) at_us += random.Between(kTravelShortestGapUs, kTravelLongestGapUs);
    const bool at_home = i == 0 || i == size - 1;
    Payment step = MakePayment(payer, at_home ? payer.place.city : away, at_us, random);
    if (!at_home) step.device = device;
    step.mark = {EpisodeKind::kTravel, i == 1 || i == size - 1, static_cast<uint16_t>(i),
                 static_cast<uint16_t>(size), episode};
    if (i == 0) {
      payment = step;
    } else {
      agenda.Add(at_us, step, false);
    }
  }
  Settle(payer.index, size, at_us + kClearUs);
}

size_t CardsModel::PickFarCity(size_t from, Random& random) const {
  auto city = static_cast<size_t>(random.Below(kCityCount));
  // Twenty of the forty cities are far enough: a few steps.
  while (CityDistanceKm(from, city) < kAbroadKm) city = (city + 1) % kCityCount;
  return city;
}

Payment CardsModel::MakePayment(const Payer& payer, size_t city, int64_t at_us,
                                Random& random) const {
  Payment payment;
  payment.account = accounts_.Id(payer.index);
  payment.account_index = payer.index;
  payment.amount = accounts_.NormalAmount(payer.traits, random.Next());
  payment.event_time_us = at_us;
  payment.card_type = payer.traits.card_type;
  payment.merchant = merchants_.SampleMerchant(city, random);
  payment.country = merchants_.country(payment.merchant);
  payment.location = merchants_.location(payment.merchant);
  payment.device = accounts_.Device(payer.traits, random.Next());
  return payment;
}

void CardsModel::Settle(uint32_t index, int payments, int64_t free_at_us) {
  AccountState& state = states_[index];
  state.free_at_us = free_at_us;
  state.settled = static_cast<int16_t>(std::min(state.settled + payments, 1000));
}

}  // namespace caracal::pipeline
