#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace caracal::pipeline {

/// What Caracal keeps in the metadata of a committed offset: it is read back atomically with the
/// offset by whoever owns the partition next. ASCII, "caracal/1 activation=17 alert_from=17
/// rules=9c1e...".
struct OffsetMetadata {
  /// A: the first record that may have touched state; replay starts here.
  int64_t activation = 0;
  /// The first record that may raise an alert.
  int64_t alert_from = 0;
  /// Identity of the rules in effect, hex; empty = unknown.
  std::string rules;

  friend bool operator==(const OffsetMetadata&, const OffsetMetadata&) = default;
};

std::string FormatOffsetMetadata(const OffsetMetadata& metadata);
/// InvalidArgument when the text is not ours (another program committed the offset) or of a newer
/// major format.
absl::StatusOr<OffsetMetadata> ParseOffsetMetadata(std::string_view text);

}  // namespace caracal::pipeline
