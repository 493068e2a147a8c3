#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "agents/api/agent.h"
#include "agents/api/parameters.h"

namespace caracal::agents {

/// "More than `above` standard deviations over the key's exponentially decayed mean."
struct ZscoreOptions {
  int64_t half_life_us = 1;   ///< > 0
  uint32_t min_history = 10;  ///< >= 2
  Decimal above;              ///< > 0
  /// Amounts <= 0 are judged and remembered like any other.
  bool include_refunds = false;
};

/// Raises when an amount lies more than `above` standard deviations over the mean of the key's
/// earlier amounts, each weighed by 2^(-age / half_life). The current amount is not part of what it
/// is judged by; a zero variance never raises.
///
/// Called by the ruleset for its rule's events in log order; one worker at a time. Age is event
/// time, measured from the newest time remembered; an event older than that ages nothing (dt < 0
/// counts as 0). Mean and variance are updated incrementally in doubles (West, 1979, "Updating mean
/// and variance estimates", with decayed weights), with IEEE + - x / sqrt only, so every host gets
/// the same bits. A history whose remaining weight falls below half an amount has lapsed: the event
/// that ends the pause is still judged by it, then a new history starts.
///
/// State: 32 bytes, the weight with 39 significant bits (an error of 2 x 10^-12 per amount), the
/// number of amounts up to kMaxHistory, times from 1827 to 2112. Flags kInactive, without raising:
/// no amount, an excluded refund, or fewer than min_history amounts remembered.
class ZscoreAgent final : public Agent {
 public:
  static constexpr uint8_t kMeanSlot = 1;       ///< minor units, rounded half away from zero
  static constexpr uint8_t kDeviationSlot = 2;  ///< standard deviation, rounded the same way
  static constexpr uint8_t kZSlot = 3;          ///< 0 when the variance is zero
  /// Amounts remembered since the history began, counted up to kMaxHistory.
  static constexpr uint8_t kHistorySlot = 4;
  static constexpr uint32_t kMaxHistory = (1U << 31) - 1;

  static StateSpec State(const ZscoreOptions& options);

  explicit ZscoreAgent(const ZscoreOptions& options);

  void Process(std::span<const Transaction* const> events, std::span<std::byte* const> states,
               std::span<Verdict> verdicts) override;

 private:
  /// What is known of a key.
  struct Profile {
    double mean = 0;
    double squares = 0;  ///< sum of weight x (amount - mean)^2
    double weight = 0;   ///< sum of weights at newest_us; at least 1 once there is an amount
    int64_t newest_us = 0;
    uint32_t count = 0;
  };
  /// The same in the state's bytes. Zeroed = no amount yet.
  struct Record {
    double mean;
    double squares;
    uint64_t time_and_count;    ///< 53 bits of newest_us; the upper 11 of 31 bits of count
    uint64_t weight_and_count;  ///< the weight's bits above those of 1.0, rounded; the lower 20
  };

  static Profile Load(const std::byte* state);
  static void Store(const Profile& profile, std::byte* state);
  void Judge(int64_t amount, const Profile& profile, Verdict& verdict) const;
  void Remember(const Transaction& event, Profile& profile) const;

  ZscoreOptions options_;
  double above_;
};

}  // namespace caracal::agents
