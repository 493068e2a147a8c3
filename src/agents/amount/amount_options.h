#pragma once

#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/amount/amount_limits.h"
#include "agents/amount/amount_profile.h"
#include "agents/amount/amount_zscore.h"
#include "agents/api/parameters.h"
#include "agents/api/transaction.h"

namespace caracal::agents {

/// An amount rule is of exactly one of these kinds.
using AmountOptions =
    std::variant<LimitsOptions, ProfileOptions, ZscoreOptions, RoundAmountOptions>;

/// What an amount rule file may say.
std::vector<ParameterSpec> AmountParameters();

/// Reads checked parameters for a rule on `stream`. InvalidArgument "<parameter>: ..." when not
/// exactly one kind is given, the stream maps no amount, or a value makes no sense.
absl::StatusOr<AmountOptions> ParseAmountOptions(const Parameters& parameters,
                                                 const StreamContext& stream);

}  // namespace caracal::agents
