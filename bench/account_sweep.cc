#include "bench/account_sweep.h"

#include <numeric>
#include <utility>

#include "agents/api/check.h"
#include "pipeline/generate/murmur2.h"

namespace caracal::pipeline {
namespace {

constexpr double kSecondUs = 1e6;
/// From created_at to the commit, and from the commit to the connector's sending it.
constexpr int64_t kCommitDelayUs = 1'200;
constexpr int64_t kSendDelayUs = 90'000;
constexpr int64_t kLsnBytes = 232;  // of a row and its commit

}  // namespace

AccountSweep::AccountSweep(const GeneratorOptions& options)
    : options_(options),
      merchants_(options.cards.merchants, options.seed),
      accounts_(options.cards.accounts, options.seed, merchants_),
      renderer_(options.profile, options.message),
      random_(options.seed),
      order_(options.cards.accounts) {
  CHECK(options.profile == LoadProfile::kCards && options.partitions > 0);
  CHECK(options.first_id > int64_t{options.cards.accounts});
  std::iota(order_.begin(), order_.end(), 0);
  for (size_t left = order_.size(); left > 1; --left) {
    std::swap(order_[left - 1], order_[static_cast<size_t>(random_.Below(left))]);
  }
}

bool AccountSweep::Next(GeneratedRecord& record) {
  if (paid_ == order_.size()) return false;
  const auto left = static_cast<double>(order_.size() - paid_);
  const int64_t now_us = options_.time.start_us -
                         static_cast<int64_t>(left / options_.EffectiveEventRate() * kSecondUs);
  row_ = PaymentOf(order_[paid_], now_us);
  const auto number = static_cast<int64_t>(++paid_);
  Change change;
  change.commit_us = now_us + kCommitDelayUs;
  change.sent_ns = (change.commit_us + kSendDelayUs) * 1000;
  change.transaction_id = number;
  change.lsn = number * kLsnBytes;
  change.previous_commit_lsn = change.lsn - kLsnBytes;
  record = {};
  record.key = renderer_.RenderKey(row_);
  record.value = renderer_.RenderValue(change, nullptr, &row_);
  record.row = &row_;
  record.timestamp_ms = change.sent_ns / 1'000'000;
  record.position = static_cast<uint64_t>(number - 1);
  record.partition = JavaPartition(record.key, options_.partitions);
  return true;
}

Payment AccountSweep::PaymentOf(uint32_t account, int64_t now_us) {
  const AccountTraits traits = accounts_.Traits(account);
  // Where the generator's next payment of the account will be, too.
  const size_t city = accounts_.WhereIs(traits, now_us).city;
  Payment payment;
  payment.id = options_.first_id - static_cast<int64_t>(order_.size() - paid_);
  payment.account = accounts_.Id(account);
  payment.account_index = account;
  payment.amount = accounts_.NormalAmount(traits, random_.Next());
  payment.event_time_us = now_us;
  payment.card_type = traits.card_type;
  payment.merchant = merchants_.SampleMerchant(city, random_);
  payment.country = merchants_.country(payment.merchant);
  payment.location = merchants_.location(payment.merchant);
  payment.device = accounts_.Device(traits, random_.Next());
  return payment;
}

}  // namespace caracal::pipeline
