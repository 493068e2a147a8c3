#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "agents/api/agent.h"
#include "agents/api/parameters.h"

namespace caracal::agents {

/// "More than `ratio` times the mean of the key's last `history` amounts."
struct ProfileOptions {
  /// More would let the sum of amounts overflow, and the record pass 64 KiB.
  static constexpr uint32_t kMaxHistory = 8'000;

  uint32_t history = 50;     ///< 1 to kMaxHistory
  uint32_t min_history = 3;  ///< 1 to history
  Decimal ratio;             ///< > 0
  /// Minor units; an amount up to the floor never raises.
  std::optional<int64_t> floor;
  /// Amounts <= 0 are judged and remembered like any other.
  bool include_refunds = false;
};

/// Raises when an amount exceeds `ratio` times the mean of the key's last `history` amounts and
/// exceeds the floor, both strictly. The current amount is not part of the mean it is judged by.
///
/// Called by the ruleset for its rule's events; one worker at a time. "Last" is log order, event
/// times play no part. The state is a ring of the amounts and their sum, 16 + 8 x history bytes.
/// The comparison is exact: amount x n x 10^scale > ratio x sum, in 128-bit integers. Flags
/// kInactive, without raising: no amount, an excluded refund, or fewer than min_history amounts
/// remembered.
class ProfileAgent final : public Agent {
 public:
  static constexpr uint8_t kMeanSlot = 1;     ///< minor units, rounded half away from zero
  static constexpr uint8_t kRatioSlot = 2;    ///< amount / mean; 0 when the mean is not positive
  static constexpr uint8_t kHistorySlot = 3;  ///< amounts the mean is of

  static StateSpec State(const ProfileOptions& options);

  explicit ProfileAgent(const ProfileOptions& options);

  void Process(std::span<const Transaction* const> events, std::span<std::byte* const> states,
               std::span<Verdict> verdicts) override;
  void OmitUnreadValues() override { omits_unread_values_ = true; }

 private:
  struct Header {
    int64_t sum;
    uint32_t size;
    uint32_t oldest;
  };

  void Judge(int64_t amount, const Header& profile, Verdict& verdict) const;
  bool IsAbove(int64_t amount, const Header& profile) const;
  void Remember(int64_t amount, std::byte* state) const;
  /// Where the next amount goes.
  int64_t* NextSlot(std::byte* state) const;

  ProfileOptions options_;
  int64_t ratio_unit_;  // 10^scale of the ratio
  bool omits_unread_values_ = false;
};

}  // namespace caracal::agents
