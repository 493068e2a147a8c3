#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pipeline/generate/account_directory.h"
#include "pipeline/generate/generated_record.h"
#include "pipeline/generate/generator_options.h"
#include "pipeline/generate/merchant_directory.h"
#include "pipeline/generate/payment.h"
#include "pipeline/generate/random.h"
#include "pipeline/generate/record_renderer.h"

namespace caracal::pipeline {

/// Renders one normal payment of every account of an EventGenerator's cards profile, the accounts
/// in shuffled order, at its event rate and ending where its stream begins: what is to be judged
/// before a stream that is to find all of its state there.
///
/// Four bytes per account. One thread.
class AccountSweep {
 public:
  /// `options`: of the generator; of the cards profile, with partitions. Rows get the ids below
  /// first_id, which must leave room for them (CHECK).
  explicit AccountSweep(const GeneratorOptions& options);

  /// The payment of the next account; its views live until the next call. False when every account
  /// has paid. `record.offset` is not set.
  bool Next(GeneratedRecord& record);

 private:
  Payment PaymentOf(uint32_t account, int64_t now_us);

  const GeneratorOptions options_;
  MerchantDirectory merchants_;
  AccountDirectory accounts_;
  RecordRenderer renderer_;
  Random random_;
  std::vector<uint32_t> order_;
  size_t paid_ = 0;
  Payment row_;
};

}  // namespace caracal::pipeline
