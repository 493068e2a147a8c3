#pragma once

#include "pipeline/generate/payment_model.h"

namespace caracal::pipeline {

/// Makes the payments of the widely used teaching data set: user 1000 to 9999, amount 5.00 to
/// 5000.00, card type VISA, MASTERCARD or AMEX, merchant 1 to 500, each uniform and independent.
/// No places, no planted fraud. One thread at a time.
class ReferenceModel : public PaymentModel {
 public:
  bool Draw(int64_t now_us, bool may_plant, Random& random, Agenda& agenda,
            Payment& payment) override;
  int64_t DrawAmount(const Payment& payment, Random& random) override;
  void Hold(const Payment&) override {}
  void Release(const Payment&) override {}
  void Discard(const Payment&) override {}
  const MerchantDirectory* merchants() const override { return nullptr; }
};

}  // namespace caracal::pipeline
