#pragma once

#include <cstdint>

#include "agents/api/verdict.h"

namespace caracal::agents {

/// Why an amount rule raises, in the order of AgentInfo::reasons.
enum class AmountReason : uint16_t {
  kAboveLimit,
  kBelowLimit,
  kAboveProfile,
  kAboveZscore,
  kRoundAmount,
};

inline void Raise(AmountReason reason, Verdict& verdict) {
  verdict.fired = true;
  verdict.reason = static_cast<uint16_t>(reason);
}

/// Every amount verdict keeps the amount of the event here.
inline constexpr uint8_t kAmountSlot = 0;

}  // namespace caracal::agents
