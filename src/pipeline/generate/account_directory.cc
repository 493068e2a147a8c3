#include "pipeline/generate/account_directory.h"

#include <algorithm>

namespace caracal::pipeline {
namespace {

/// Typical amounts of accounts: log-normal around 45.00, from 2.25 to 900.00.
constexpr int64_t kMedianTypicalAmount = 45'00;
constexpr double kTypicalSigma = 1.0;
constexpr double kTypicalBound = 20;
constexpr double kAmountSigma = 0.45;
constexpr double kAmountBound = 3;
/// Below it, rounding to cents could stretch the factor of nine between two amounts.
constexpr int64_t kLowestTypicalAmount = 8'00;

constexpr int64_t kBigTicketFloor = 2000'00;
constexpr int64_t kBigTicketRatio = 30;

constexpr uint64_t kVisaShare = ShareThreshold(0.55);
constexpr uint64_t kMastercardShare = ShareThreshold(0.90);
constexpr uint64_t kFirstDeviceShare = ShareThreshold(0.85);

/// Prime and larger than any number of accounts, so that rank x stride mod accounts is a
/// permutation.
constexpr uint64_t kStride = 2'654'435'761;

std::string_view CardType(uint64_t bits) {
  if (bits < kVisaShare) return "VISA";
  return bits < kMastercardShare ? "MASTERCARD" : "AMEX";
}

}  // namespace

AccountDirectory::AccountDirectory(uint32_t accounts, uint64_t seed,
                                   const MerchantDirectory& merchants)
    : accounts_(accounts),
      seed_(Mix64(seed)),
      id_shift_(seed_ % accounts),
      merchants_(merchants),
      itinerary_(merchants),
      typical_amounts_(kTypicalSigma, kTypicalBound),
      amounts_(kAmountSigma, kAmountBound) {}

int64_t AccountDirectory::Id(uint32_t index) const {
  return static_cast<int64_t>((index * kStride + id_shift_) % accounts_) + 1;
}

AccountTraits AccountDirectory::Traits(uint32_t index) const {
  AccountTraits traits;
  traits.hash = Mix64(seed_ ^ index);
  traits.home = merchants_.PickCity(Mix64(traits.hash + 1));
  traits.typical_amount = std::max(
      kLowestTypicalAmount, typical_amounts_.Scale(kMedianTypicalAmount, Mix64(traits.hash + 2)));
  traits.card_type = CardType(Mix64(traits.hash + 3));
  return traits;
}

int64_t AccountDirectory::BigTicketAmount(const AccountTraits& traits, Random& random) const {
  const int64_t floor = std::max(kBigTicketFloor, kBigTicketRatio * traits.typical_amount);
  return random.Between(floor + floor / 20, 2 * floor);
}

uint32_t AccountDirectory::Device(const AccountTraits& traits, uint64_t bits) const {
  const uint64_t which = bits < kFirstDeviceShare ? 4 : 5;
  return static_cast<uint32_t>(Mix64(traits.hash + which));
}

}  // namespace caracal::pipeline
