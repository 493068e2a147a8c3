#include "agents/amount/amount_options.h"

#include <string_view>

#include <fmt/format.h>

#include "absl/status/status.h"
#include "agents/api/status_macros.h"

namespace caracal::agents {
namespace {

ParameterSpec ProfileParameter() {
  return {.name = "profile",
          .type = ParameterType::kObject,
          .doc =
              "Raise on an amount above `ratio` times the mean of the key's last amounts, the "
              "current one excluded.",
          .fields = {{.name = "history",
                      .type = ParameterType::kInteger,
                      .doc = "Amounts remembered per key; 8 bytes of state each.",
                      .default_text = "50",
                      .min_text = "1",
                      .max_text = "8000"},
                     {.name = "min_history",
                      .type = ParameterType::kInteger,
                      .doc = "Amounts a key needs before it is judged.",
                      .default_text = "3",
                      .min_text = "1",
                      .max_text = "8000"},
                     {.name = "ratio",
                      .type = ParameterType::kDecimal,
                      .doc = "Raise above this multiple of the mean (strictly).",
                      .required = true},
                     {.name = "floor",
                      .type = ParameterType::kMoney,
                      .doc = "Amounts up to this never raise."}}};
}

ParameterSpec ZscoreParameter() {
  return {.name = "zscore",
          .type = ParameterType::kObject,
          .doc =
              "Raise on an amount too many standard deviations above the key's exponentially "
              "decayed mean, the current one excluded.",
          .fields = {{.name = "half_life",
                      .type = ParameterType::kDuration,
                      .doc = "Event time after which an amount weighs half.",
                      .required = true,
                      .min_text = "1us",
                      .max_text = "3650d"},
                     {.name = "min_history",
                      .type = ParameterType::kInteger,
                      .doc = "Amounts a key needs before it is judged.",
                      .default_text = "10",
                      .min_text = "2",
                      .max_text = "1000000"},
                     {.name = "above",
                      .type = ParameterType::kDecimal,
                      .doc = "Raise above this many standard deviations (strictly).",
                      .required = true}}};
}

ParameterSpec RoundAmountParameter() {
  return {.name = "round_amount",
          .type = ParameterType::kObject,
          .doc = "Raise on amounts that are a multiple of a round sum.",
          .fields = {{.name = "multiple_of",
                      .type = ParameterType::kMoney,
                      .doc = "The round sum.",
                      .required = true},
                     {.name = "min",
                      .type = ParameterType::kMoney,
                      .doc = "Smallest amount that raises. Default: multiple_of."}}};
}

bool IncludesRefunds(const Parameters& parameters) {
  return parameters.Has("refunds") && parameters.Text("refunds") == "include";
}

absl::StatusOr<AmountOptions> ParseLimits(const Parameters& parameters, int scale) {
  LimitsOptions options;
  if (parameters.Has("above")) {
    ASSIGN_OR_RETURN(options.above, parameters.Money("above", scale));
  }
  if (parameters.Has("below")) {
    ASSIGN_OR_RETURN(options.below, parameters.Money("below", scale));
  }
  return options;
}

absl::StatusOr<AmountOptions> ParseProfile(const Parameters& parameters, int scale) {
  ProfileOptions options;
  options.include_refunds = IncludesRefunds(parameters);
  const Parameters& profile = parameters.Object("profile");
  if (profile.Has("history")) options.history = static_cast<uint32_t>(profile.Integer("history"));
  if (profile.Has("min_history")) {
    options.min_history = static_cast<uint32_t>(profile.Integer("min_history"));
  }
  options.ratio = profile.DecimalValue("ratio");
  if (options.ratio.unscaled <= 0) {
    return absl::InvalidArgumentError("profile: ratio must be greater than 0");
  }
  if (options.min_history > options.history) {
    return absl::InvalidArgumentError(
        fmt::format("profile: min_history {} can never be reached with history {}; lower it or "
                    "raise history",
                    options.min_history, options.history));
  }
  if (profile.Has("floor")) {
    ASSIGN_OR_RETURN(options.floor, profile.Money("floor", scale));
  }
  return options;
}

absl::StatusOr<AmountOptions> ParseZscore(const Parameters& parameters) {
  ZscoreOptions options;
  options.include_refunds = IncludesRefunds(parameters);
  const Parameters& zscore = parameters.Object("zscore");
  options.half_life_us = zscore.DurationMicros("half_life");
  if (zscore.Has("min_history")) {
    options.min_history = static_cast<uint32_t>(zscore.Integer("min_history"));
  }
  options.above = zscore.DecimalValue("above");
  if (options.above.unscaled <= 0) {
    return absl::InvalidArgumentError("zscore: above must be greater than 0");
  }
  return options;
}

absl::StatusOr<AmountOptions> ParseRoundAmount(const Parameters& parameters, int scale) {
  RoundAmountOptions options;
  const Parameters& round_amount = parameters.Object("round_amount");
  ASSIGN_OR_RETURN(options.multiple_of, round_amount.Money("multiple_of", scale));
  options.min = options.multiple_of;
  if (round_amount.Has("min")) {
    ASSIGN_OR_RETURN(options.min, round_amount.Money("min", scale));
  }
  if (options.multiple_of <= 0 || options.min <= 0) {
    return absl::InvalidArgumentError("round_amount: multiple_of and min must be greater than 0");
  }
  return options;
}

}  // namespace

std::vector<ParameterSpec> AmountParameters() {
  return {{.name = "above",
           .type = ParameterType::kMoney,
           .doc = "Raise on an amount above this (strictly)."},
          {.name = "below",
           .type = ParameterType::kMoney,
           .doc = "Raise on an amount below this (strictly); negative amounts too."},
          ProfileParameter(),
          ZscoreParameter(),
          RoundAmountParameter(),
          {.name = "refunds",
           .type = ParameterType::kText,
           .doc = "Whether profile and zscore judge and remember zero and negative amounts.",
           .default_text = "exclude",
           .choices = {"exclude", "include"}}};
}

absl::StatusOr<AmountOptions> ParseAmountOptions(const Parameters& parameters,
                                                 const StreamContext& stream) {
  std::vector<std::string_view> kinds;
  if (parameters.Has("above") || parameters.Has("below")) kinds.push_back("above/below");
  for (const std::string_view kind : {"profile", "zscore", "round_amount"}) {
    if (parameters.Has(kind)) kinds.push_back(kind);
  }
  if (kinds.size() != 1) {
    return absl::InvalidArgumentError(fmt::format(
        "above: an amount rule is of exactly one kind and this one is of {}; give above/below, "
        "profile, zscore or round_amount, and write one rule for each",
        kinds.empty() ? "none" : fmt::format("{}", fmt::join(kinds, " and "))));
  }
  const std::string_view kind = kinds.front();
  if (!stream.has_amount) {
    return absl::InvalidArgumentError(fmt::format(
        "{}: stream '{}' maps no amount; map one under the stream's fields", kind, stream.topic));
  }
  if (kind == "profile") return ParseProfile(parameters, stream.amount_scale);
  if (kind == "zscore") return ParseZscore(parameters);
  if (kind == "round_amount") return ParseRoundAmount(parameters, stream.amount_scale);
  return ParseLimits(parameters, stream.amount_scale);
}

}  // namespace caracal::agents
