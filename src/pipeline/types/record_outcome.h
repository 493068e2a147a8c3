#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace caracal::pipeline {

/// Why a record was skipped: it is not a transaction to judge, and nothing is wrong with it.
enum class SkipReason : uint8_t {
  kTombstone,          ///< null value
  kOperation,          ///< the stream's op policy says skip (u and d by default)
  kDeleted,            ///< a flattened delete: JSON null, or __deleted = "true"
  kTruncate,           ///< op t
  kMessage,            ///< op m: a logical decoding message
  kHeartbeat,          ///< Debezium heartbeat
  kTransactionMarker,  ///< BEGIN or END of provide.transaction.metadata
  kMovedRow,   ///< a `c` with a __debezium.oldkey header: the row was judged before it moved
  kDuplicate,  ///< the row was seen before (re-delivery, re-snapshot)
};
inline constexpr size_t kSkipReasonCount = 9;

/// Why a record was dead-lettered: its bytes do not yield a transaction.
enum class RejectReason : uint8_t {
  kTooLarge,       ///< longer than max_record_bytes
  kTooDeep,        ///< JSON nested deeper than allowed
  kMalformedJson,  ///< not JSON, truncated, or trailing bytes
  kInvalidUtf8,
  kUnknownFormat,       ///< not the stream's format
  kMissingField,        ///< a mapped column is absent, or the whole row (null `after`)
  kMissingAccount,      ///< the account (or the stream's key) is null
  kMissingAmount,       ///< the amount is null
  kInvalidValue,        ///< a mapped field has a type that cannot be read
  kInvalidAmount,       ///< the amount is not a number
  kAmountNotFinite,     ///< NaN or infinity
  kAmountScale,         ///< more digits after the point than the stream's amount_scale
  kAmountScaleUnknown,  ///< base64 decimal without a scale in a schema or in the configuration
  kAmountOutOfRange,    ///< |amount| > 10^15 minor units
  kMissingTime,         ///< no usable time at all
  kInvalidCurrency,     ///< the mapped currency is null or not the declared one
};
inline constexpr size_t kRejectReasonCount = 16;

std::string_view SkipReasonName(SkipReason reason);      ///< "tombstone", "operation", ...
std::string_view RejectReasonName(RejectReason reason);  ///< "too_large", "malformed_json", ...

/// What becomes of a decoded record.
enum class EventAction : uint8_t {
  kEvaluate,  ///< changes the state and may alert
  kWarm,      ///< changes the state, raises nothing
};

}  // namespace caracal::pipeline
