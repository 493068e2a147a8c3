#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pipeline/generate/itinerary.h"
#include "pipeline/generate/log_normal_table.h"
#include "pipeline/generate/merchant_directory.h"
#include "pipeline/generate/random.h"

namespace caracal::pipeline {

/// What never changes about an account.
struct AccountTraits {
  uint64_t hash = 0;
  size_t home = 0;
  /// Median of its normal payments, minor units.
  int64_t typical_amount = 0;
  std::string_view card_type;
};

/// Knows the accounts of the `cards` profile. Nothing is stored per account: every property is
/// derived from (seed, index), so a hundred million accounts cost nothing. Index 0 is the account
/// that pays most often. Immutable after construction; any thread.
class AccountDirectory {
 public:
  /// accounts in [1, 2^31). `merchants` is not owned and must outlive the directory.
  AccountDirectory(uint32_t accounts, uint64_t seed, const MerchantDirectory& merchants);

  uint32_t size() const { return accounts_; }
  /// The user_id, in [1, size()]; popular accounts are scattered over the range.
  int64_t Id(uint32_t index) const;
  AccountTraits Traits(uint32_t index) const;
  Whereabouts WhereIs(const AccountTraits& traits, int64_t now_us) const {
    return itinerary_.At(traits.hash, traits.home, now_us);
  }

  /// A normal payment: log-normal (sigma 0.45) around the typical amount and within a factor of
  /// three of it. The largest is therefore at most nine times the smallest, and so never above ten
  /// times the mean of any selection of earlier ones.
  int64_t NormalAmount(const AccountTraits& traits, uint64_t bits) const {
    return amounts_.Scale(traits.typical_amount, bits);
  }
  /// Above thirty times the typical amount (ten times any mean of normal ones) and above 2000.00.
  int64_t BigTicketAmount(const AccountTraits& traits, Random& random) const;
  /// One of the two devices the account normally uses.
  uint32_t Device(const AccountTraits& traits, uint64_t bits) const;

 private:
  const uint32_t accounts_;
  const uint64_t seed_;
  const uint64_t id_shift_;
  const MerchantDirectory& merchants_;
  Itinerary itinerary_;
  LogNormalTable typical_amounts_;
  LogNormalTable amounts_;
};

}  // namespace caracal::pipeline
