#include "agents/velocity/velocity_options.h"

#include <algorithm>

#include <fmt/format.h>

#include "absl/status/status.h"
#include "agents/api/status_macros.h"

namespace caracal::agents {
namespace {

// Kept when sums or distinct values need every event of the window and nothing else is said.
constexpr int64_t kDefaultCapacity = 64;

ParameterSpec DistinctParameter() {
  return {.name = "distinct",
          .type = ParameterType::kObject,
          .doc = "Raise when more than `max` different values of an attribute lie in the window.",
          .fields = {{.name = "attribute",
                      .type = ParameterType::kText,
                      .doc = "An attribute the stream maps: merchant, device, country, ... "
                             "NULL counts as no value.",
                      .required = true},
                     {.name = "max",
                      .type = ParameterType::kInteger,
                      .doc = "Different values allowed; one more raises.",
                      .required = true,
                      .min_text = "1",
                      .max_text = "15999"}}};
}

absl::StatusOr<DistinctLimit> ParseDistinct(const Parameters& parameters,
                                            const StreamContext& stream) {
  DistinctLimit limit;
  limit.attribute = parameters.Text("attribute");
  limit.max = parameters.Integer("max");
  const std::optional<uint16_t> slot = stream.attributes.Find(limit.attribute);
  if (!slot.has_value()) {
    return absl::InvalidArgumentError(
        fmt::format("distinct: stream '{}' maps no attribute '{}'; map it under the stream's "
                    "fields or count another one",
                    stream.topic, limit.attribute));
  }
  limit.slot = *slot;
  return limit;
}

// Events the window must hold so that every limit can be seen exceeded.
int64_t NeededCapacity(const VelocityOptions& options) {
  const int64_t most = std::max(options.max_count.value_or(0),
                                options.distinct.has_value() ? options.distinct->max : 0);
  return most + 1;
}

absl::StatusOr<uint32_t> ParseCapacity(const Parameters& parameters,
                                       const VelocityOptions& options) {
  const int64_t needed = NeededCapacity(options);
  const bool keeps_all = options.max_amount.has_value() || options.distinct.has_value();
  int64_t capacity = keeps_all ? std::max(needed, kDefaultCapacity) : needed;
  if (parameters.Has("capacity")) capacity = parameters.Integer("capacity");
  if (capacity < needed) {
    return absl::InvalidArgumentError(
        fmt::format("capacity: {} events are too few to see a limit exceeded; give at least {}",
                    capacity, needed));
  }
  const uint32_t max_capacity = EventWindow::MaxCapacity(options.window());
  if (capacity > max_capacity) {
    return absl::InvalidArgumentError(
        fmt::format("capacity: {} events do not fit the 64 KiB of state a key may have; this rule "
                    "can keep {}: lower the limits or the capacity",
                    capacity, max_capacity));
  }
  return static_cast<uint32_t>(capacity);
}

}  // namespace

std::vector<ParameterSpec> VelocityParameters() {
  return {{.name = "window",
           .type = ParameterType::kDuration,
           .doc = "Length of the window that ends at the key's newest event time; closed: two "
                  "events exactly this far apart share a window.",
           .required = true,
           .min_text = "1us",
           .max_text = "3650d"},
          {.name = "max_count",
           .type = ParameterType::kInteger,
           .doc = "Raise when more events than this lie in the window.",
           .min_text = "0",
           .max_text = "15999"},
          {.name = "max_amount",
           .type = ParameterType::kMoney,
           .doc = "Raise when the amounts in the window add up to more than this.",
           .min_text = "0"},
          DistinctParameter(),
          {.name = "capacity",
           .type = ParameterType::kInteger,
           .doc = "Newest events kept per key: results are exact while the window holds no more. "
                  "Default: one more than the largest of max_count and distinct.max, at least 64 "
                  "with max_amount or distinct. At most what fits 64 KiB per key: 16000 for "
                  "counts, less with sums, distinct values or windows above 71 minutes.",
           .min_text = "1",
           .max_text = "16000"},
          {.name = "refunds",
           .type = ParameterType::kText,
           .doc = "Whether zero and negative amounts enter the sum. They always count as events.",
           .default_text = "exclude",
           .choices = {"exclude", "include"}}};
}

absl::StatusOr<VelocityOptions> ParseVelocityOptions(const Parameters& parameters,
                                                     const StreamContext& stream) {
  VelocityOptions options;
  options.window_us = parameters.DurationMicros("window");
  options.include_refunds = parameters.Has("refunds") && parameters.Text("refunds") == "include";
  if (parameters.Has("max_count")) options.max_count = parameters.Integer("max_count");
  if (parameters.Has("max_amount")) {
    if (!stream.has_amount) {
      return absl::InvalidArgumentError(
          fmt::format("max_amount: stream '{}' maps no amount; map one under the stream's fields",
                      stream.topic));
    }
    ASSIGN_OR_RETURN(options.max_amount, parameters.Money("max_amount", stream.amount_scale));
  }
  if (parameters.Has("distinct")) {
    ASSIGN_OR_RETURN(options.distinct, ParseDistinct(parameters.Object("distinct"), stream));
  }
  if (!options.max_count && !options.max_amount && !options.distinct) {
    return absl::InvalidArgumentError(
        "max_count: a velocity rule needs at least one limit; give max_count, max_amount or "
        "distinct");
  }
  ASSIGN_OR_RETURN(options.capacity, ParseCapacity(parameters, options));
  return options;
}

}  // namespace caracal::agents
