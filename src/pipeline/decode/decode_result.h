#pragma once

#include <cstdint>
#include <string_view>

#include "pipeline/types/record_outcome.h"

namespace caracal::pipeline {

/// What became of one record.
enum class DecodeOutcome : uint8_t { kTransaction, kSkip, kReject };

/// Where the location of a transaction comes from, or why it has none: for the caller to count.
enum class LocationOutcome : uint8_t {
  kUnmapped,      ///< the stream maps neither coordinates nor a place table
  kColumns,       ///< latitude and longitude of the row
  kPlaceTable,    ///< the place table
  kAbsent,        ///< the columns and the looked-up attribute are null
  kUnreadable,    ///< a coordinate is no number, not finite, or off the globe
  kUnknownPlace,  ///< the place table does not know the attribute's text
};

/// The small value Decoder::Decode returns. `skip_reason` is meaningful for kSkip only,
/// `reject_reason` and `detail` for kReject only, `location` for kTransaction only.
struct [[nodiscard]] DecodeResult {
  DecodeOutcome outcome = DecodeOutcome::kTransaction;
  SkipReason skip_reason = SkipReason::kTombstone;
  RejectReason reject_reason = RejectReason::kMalformedJson;
  LocationOutcome location = LocationOutcome::kUnmapped;
  /// A short sentence that names the field, never bytes of the payload. It is a static text or lies
  /// in the arena given to Decode.
  std::string_view detail;

  static DecodeResult Transaction(LocationOutcome location) {
    DecodeResult result;
    result.location = location;
    return result;
  }
  static DecodeResult Skip(SkipReason reason) {
    DecodeResult result;
    result.outcome = DecodeOutcome::kSkip;
    result.skip_reason = reason;
    return result;
  }
  static DecodeResult Reject(RejectReason reason, std::string_view detail) {
    DecodeResult result;
    result.outcome = DecodeOutcome::kReject;
    result.reject_reason = reason;
    result.detail = detail;
    return result;
  }
};

}  // namespace caracal::pipeline
