#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agents/api/verdict.h"

namespace caracal::agents {

/// Where the event time of a transaction was taken from, in order of preference.
enum class TimeSource : uint8_t {
  kField,         ///< the mapped time field of the row
  kSourceCommit,  ///< `source.ts_ms`: when the database committed the row
  kRecord,        ///< the timestamp of the Kafka record
};

/// A point on the earth in micro-degrees: latitude in [-90e6, 90e6], longitude in [-180e6, 180e6].
struct Location {
  int32_t latitude_udeg = 0;
  int32_t longitude_udeg = 0;

  friend bool operator==(const Location&, const Location&) = default;
};

/// The attribute names a stream maps (merchant, card_type, country, device, currency, ...), in slot
/// order. Slot i of Transaction::attributes belongs to names()[i]. Immutable; any thread.
class AttributeSchema {
 public:
  AttributeSchema() = default;
  explicit AttributeSchema(std::vector<std::string> names) : names_(std::move(names)) {}

  /// The slot of `name`; nullopt when the stream does not map it.
  std::optional<uint16_t> Find(std::string_view name) const {
    for (size_t i = 0; i < names_.size(); ++i) {
      if (names_[i] == name) return static_cast<uint16_t>(i);
    }
    return std::nullopt;
  }
  const std::vector<std::string>& names() const { return names_; }
  size_t size() const { return names_.size(); }

 private:
  std::vector<std::string> names_;
};

/// One decoded payment event, a value that agents judge. It owns nothing.
///
/// IMPORTANT: Buffer Lifetime. Every view points into the record the event was decoded from or into
/// the batch's text arena; both live until the batch that holds the event is destroyed. An agent
/// must copy what it wants to keep, into its state.
struct Transaction {
  /// Canonical text of the stream's key: the unit of state, of routing and of ownership.
  std::string_view key;
  /// Canonical text of the account; the same bytes as `key` unless the stream is keyed otherwise.
  std::string_view account;
  /// Identity of the row in its table; empty when the stream maps no id.
  std::string_view id;
  /// ISO 4217 code, declared by the stream or mapped from a column; empty when neither.
  std::string_view currency;
  /// One view per slot of the stream's AttributeSchema. data() == nullptr means SQL NULL or absent.
  std::span<const std::string_view> attributes;
  /// Minor units of the stream's scale (cents for scale 2), |amount| <= 10^15. 0 unless has_amount.
  int64_t amount = 0;
  /// Microseconds since 1970-01-01T00:00:00Z. May be negative.
  int64_t event_time_us = 0;
  Location location;
  bool has_amount = false;
  bool has_location = false;
  TimeSource time_source = TimeSource::kField;
};

/// A value that a rule observes, for later rules of its ruleset to build on.
struct FeatureSpec {
  std::string name;  ///< "rule_id.value", value as in the alert's `observed`
  ValueKind kind = ValueKind::kInteger;
  uint8_t slot = 0;  ///< index into the observing rule's Verdict::observed
};

/// What a rule may rely on in the stream it is bound to. Immutable; any thread.
struct StreamContext {
  std::string topic;
  AttributeSchema attributes;
  /// Decimal digits of the minor unit: 2 = cents.
  int amount_scale = 2;
  /// The stream maps an amount.
  bool has_amount = true;
  /// The stream maps coordinates or a place table.
  bool has_location = false;
  /// The currency every transaction of the stream has; empty when mapped per row or undeclared.
  std::string currency;
  /// What the rules before this one in its ruleset observe; filled in by whoever binds the rule.
  std::vector<FeatureSpec> features = {};
};

/// |amount| bound in minor units; larger amounts never reach an agent.
inline constexpr int64_t kMaxAmount = 1'000'000'000'000'000;

}  // namespace caracal::agents
