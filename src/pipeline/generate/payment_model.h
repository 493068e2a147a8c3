#pragma once

#include <cstdint>

#include "pipeline/generate/agenda.h"
#include "pipeline/generate/merchant_directory.h"
#include "pipeline/generate/payment.h"
#include "pipeline/generate/random.h"

namespace caracal::pipeline {

/// Decides who pays what, where and how much: the contents of the load, without ids, bytes or
/// pace. One thread at a time.
class PaymentModel {
 public:
  PaymentModel() = default;
  PaymentModel(const PaymentModel&) = delete;
  PaymentModel& operator=(const PaymentModel&) = delete;
  virtual ~PaymentModel() = default;

  /// Fills `payment` with one made at `now_us`; now_us never decreases from call to call. With
  /// `may_plant` the payment may begin a fraud episode, whose further payments go to `agenda`.
  /// False: nobody can pay at this time without looking like fraud; ask again with a later one.
  virtual bool Draw(int64_t now_us, bool may_plant, Random& random, Agenda& agenda,
                    Payment& payment) = 0;
  /// A new amount for a row that is corrected later; as normal as the first one.
  virtual int64_t DrawAmount(const Payment& payment, Random& random) = 0;
  /// A normal payment that Draw made is held back, and later sent.
  virtual void Hold(const Payment& payment) = 0;
  virtual void Release(const Payment& payment) = 0;
  /// The payment that Draw made last is never sent.
  virtual void Discard(const Payment& payment) = 0;
  /// The shops and their places; null when the model has none.
  virtual const MerchantDirectory* merchants() const = 0;
};

}  // namespace caracal::pipeline
