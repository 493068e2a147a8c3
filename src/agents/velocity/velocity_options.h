#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/api/parameters.h"
#include "agents/api/transaction.h"
#include "agents/state/event_window.h"

namespace caracal::agents {

/// "More than `max` different values of an attribute."
struct DistinctLimit {
  std::string attribute;
  uint16_t slot = 0;  ///< of `attribute` in the stream's AttributeSchema
  int64_t max = 0;
};

/// A velocity rule. At least one of the three limits is set.
struct VelocityOptions {
  int64_t window_us = 0;
  std::optional<int64_t> max_count;
  std::optional<int64_t> max_amount;  ///< minor units
  std::optional<DistinctLimit> distinct;
  /// Newest events kept per key.
  uint32_t capacity = 1;
  /// Amounts <= 0 enter the sum.
  bool include_refunds = false;

  EventWindowOptions window() const {
    return {window_us, capacity, max_amount.has_value(), distinct.has_value()};
  }
};

/// What a velocity rule file may say.
std::vector<ParameterSpec> VelocityParameters();

/// Reads checked parameters for a rule on `stream`. InvalidArgument "<parameter>: ..." when no
/// limit is given, the stream lacks what a limit needs, or the capacity is too small or too large.
absl::StatusOr<VelocityOptions> ParseVelocityOptions(const Parameters& parameters,
                                                     const StreamContext& stream);

}  // namespace caracal::agents
