#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "agents/api/agent.h"

namespace caracal::agents {

/// Fixed limits in minor units; both strict, each judged on its own, at least one set.
struct LimitsOptions {
  std::optional<int64_t> above;
  std::optional<int64_t> below;
};

/// Raises on an amount above one limit or below the other. Stateless; one worker at a time. Every
/// amount is judged, refunds too: a negative amount is below any positive limit.
class LimitsAgent final : public Agent {
 public:
  explicit LimitsAgent(const LimitsOptions& options) : options_(options) {}

  void Process(std::span<const Transaction* const> events, std::span<std::byte* const> states,
               std::span<Verdict> verdicts) override;

 private:
  LimitsOptions options_;
};

/// Amounts that are a multiple of `multiple_of` and at least `min`, in minor units, both > 0.
struct RoundAmountOptions {
  int64_t multiple_of = 1;
  int64_t min = 1;
};

/// Raises on suspiciously round amounts. Stateless; one worker at a time. As `min` is positive,
/// refunds never raise.
class RoundAmountAgent final : public Agent {
 public:
  explicit RoundAmountAgent(const RoundAmountOptions& options) : options_(options) {}

  void Process(std::span<const Transaction* const> events, std::span<std::byte* const> states,
               std::span<Verdict> verdicts) override;

 private:
  RoundAmountOptions options_;
};

}  // namespace caracal::agents
