#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "pipeline/types/activation.h"
#include "pipeline/types/record_mark.h"

namespace caracal::pipeline {

/// What Caracal keeps in the metadata of a committed offset: it is read back atomically with the
/// offset by whoever owns the partition next. ASCII, at most kBytesMax:
///
///   caracal/1 activation=17 alert_from=17 rules=9c1e4d20a7b3
///   … activations=17:5a0b33c1de02,900:9c1e4d20a7b3     when the rules have changed since
///   … last=941:1772622127512:4f0c9a7be1d23356           offset, timestamp and hash of a record
struct OffsetMetadata {
  /// What a broker takes unless told otherwise (offset.metadata.max.bytes).
  static constexpr size_t kBytesMax = 4096;
  static constexpr size_t kActivationsMax = 64;

  /// The first record that may have touched state; replay starts here.
  int64_t activation = 0;
  /// The first record that may raise an alert.
  int64_t alert_from = 0;
  /// Identity of the rules in effect at the committed offset; empty = unknown.
  std::string rules;
  /// All activations that the state rests on, by offset; empty = one, `rules` at `activation`.
  std::vector<Activation> activations = {};
  /// The last record below the committed offset.
  RecordMark last = {};

  friend bool operator==(const OffsetMetadata&, const OffsetMetadata&) = default;
};

/// The activations in full: at least one, offsets strictly increasing, the last one in effect.
std::vector<Activation> ActivationsOf(const OffsetMetadata& metadata);
/// Metadata whose state rests on these activations (at least one).
OffsetMetadata MetadataOf(std::vector<Activation> activations, int64_t alert_from);

std::string FormatOffsetMetadata(const OffsetMetadata& metadata);
/// InvalidArgument when the text is not ours (another program committed the offset) or of a newer
/// major format.
absl::StatusOr<OffsetMetadata> ParseOffsetMetadata(std::string_view text);

}  // namespace caracal::pipeline
