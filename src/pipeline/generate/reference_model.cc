#include "pipeline/generate/reference_model.h"

#include <array>
#include <string_view>

namespace caracal::pipeline {
namespace {

constexpr int64_t kFirstUser = 1000;
constexpr int64_t kLastUser = 9999;
constexpr int64_t kLowestAmount = 5'00;
constexpr int64_t kHighestAmount = 5000'00;
constexpr int64_t kMerchants = 500;
constexpr std::array<std::string_view, 3> kCardTypes = {"VISA", "MASTERCARD", "AMEX"};

}  // namespace

bool ReferenceModel::Draw(int64_t now_us, bool /*may_plant*/, Random& random, Agenda& /*agenda*/,
                          Payment& payment) {
  payment.account = random.Between(kFirstUser, kLastUser);
  payment.amount = random.Between(kLowestAmount, kHighestAmount);
  payment.card_type = kCardTypes[random.Below(kCardTypes.size())];
  payment.merchant = static_cast<uint32_t>(random.Between(1, kMerchants));
  payment.event_time_us = now_us;
  return true;
}

int64_t ReferenceModel::DrawAmount(const Payment& /*payment*/, Random& random) {
  return random.Between(kLowestAmount, kHighestAmount);
}

}  // namespace caracal::pipeline
