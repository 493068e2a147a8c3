#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "pipeline/generate/account_directory.h"
#include "pipeline/generate/merchant_directory.h"
#include "pipeline/generate/payment_model.h"
#include "pipeline/generate/zipf_sampler.h"

namespace caracal::pipeline {

struct CardsModelOptions {
  uint64_t seed = 1;
  /// Accounts that pay, in [1, 10^8]. Sixteen bytes each.
  uint32_t accounts = 100'000;
  /// Exponent of the Zipf distribution of payments over accounts; 0 = uniform.
  double zipf_exponent = 0.8;
  /// Shops, in [40, 10^7].
  uint32_t merchants = 5'000;
  /// Episodes per normal payment.
  double burst_rate = 1e-4;
  double big_ticket_rate = 1e-4;
  double travel_rate = 1e-4;
};

/// Makes card payments with planted, labelled fraud that cannot be confused with normal traffic.
///
/// Normal traffic, by construction: an account rests kRestUs after each payment, so that no closed
/// window of 60 s holds more than five; its amounts span less than a factor of ten, so that none is
/// above ten times the mean of earlier ones; it moves between cities slower than 700 km/h.
///
/// An episode begins on an account that is about to pay and has no late payment outstanding; a
/// burst or a journey only where the account stays in its city throughout, and its normal traffic
/// pauses until the episode is over and its window of 60 s clear again:
///
///   burst       8 to 14 payments within 50 s, after 60 s without any; the 7th and later ones cross
///   big ticket  one payment as AccountDirectory::BigTicketAmount, after 20 normal ones, and at
///               least 64 after the account's last big ticket, so that no history holds two; it
///               crosses
///   travel      one payment at home, one or two more than kAbroadKm away 1 to 5 minutes later, one
///               at home again after as long; the first abroad and the last one cross
///
/// Episodes that fall due while no suitable account pays are planted on the next suitable one. One
/// thread at a time.
class CardsModel : public PaymentModel {
 public:
  explicit CardsModel(const CardsModelOptions& options);

  bool Draw(int64_t now_us, bool may_plant, Random& random, Agenda& agenda,
            Payment& payment) override;
  int64_t DrawAmount(const Payment& payment, Random& random) override;
  void Hold(const Payment& payment) override;
  void Release(const Payment& payment) override;
  void Discard(const Payment& payment) override;
  const MerchantDirectory* merchants() const override { return &merchants_; }
  const AccountDirectory& accounts() const { return accounts_; }

  /// The rest of an account after a normal payment.
  static constexpr int64_t kRestUs = 13'000'000;
  /// Accounts needed per payment and second of event time, so that enough of them are not resting.
  static constexpr double kAccountsPerRate = 40;

 private:
  static constexpr size_t kEpisodeKinds = 3;

  struct AccountState {
    /// The account may pay from this time on.
    int64_t free_at_us = 0;
    /// Payments since the start, or since the last big ticket less what must pass before another.
    int16_t settled = 0;
    /// Payments held back.
    uint16_t held = 0;
  };
  /// An account that may pay now.
  struct Payer {
    uint32_t index = 0;
    AccountTraits traits;
    Whereabouts place;
  };

  bool FindPayer(int64_t now_us, Random& random, Payer& payer) const;
  bool CanPay(uint32_t index, int64_t now_us, Payer& payer) const;
  void CountDueEpisodes(Random& random);
  bool PlantDueEpisode(const Payer& payer, int64_t now_us, Random& random, Agenda& agenda,
                       Payment& payment);
  void PlantBurst(const Payer& payer, int64_t now_us, Random& random, Agenda& agenda,
                  Payment& payment);
  void PlantBigTicket(const Payer& payer, int64_t now_us, Random& random, Payment& payment);
  void PlantTravel(const Payer& payer, int64_t now_us, Random& random, Agenda& agenda,
                   Payment& payment);
  size_t PickFarCity(size_t from, Random& random) const;
  Payment MakePayment(const Payer& payer, size_t city, int64_t at_us, Random& random) const;
  void Settle(uint32_t index, int payments, int64_t free_at_us);

  const CardsModelOptions options_;
  MerchantDirectory merchants_;
  AccountDirectory accounts_;
  ZipfSampler popularity_;
  std::vector<AccountState> states_;
  /// Cumulated probabilities of an episode of each kind.
  std::array<uint64_t, kEpisodeKinds> thresholds_{};
  std::array<uint32_t, kEpisodeKinds> due_{};
  uint32_t episodes_ = 0;
};

}  // namespace caracal::pipeline
