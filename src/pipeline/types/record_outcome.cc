#include "pipeline/types/record_outcome.h"

namespace caracal::pipeline {

std::string_view SkipReasonName(SkipReason reason) {
  switch (reason) {
    case SkipReason::kTombstone:
      return "tombstone";
    case SkipReason::kOperation:
      return "operation";
    case SkipReason::kDeleted:
      return "deleted";
    case SkipReason::kTruncate:
      return "truncate";
    case SkipReason::kMessage:
      return "message";
    case SkipReason::kHeartbeat:
      return "heartbeat";
    case SkipReason::kTransactionMarker:
      return "transaction_marker";
    case SkipReason::kMovedRow:
      return "moved_row";
    case SkipReason::kDuplicate:
      return "duplicate";
  }
  return "unknown";
}

std::string_view RejectReasonName(RejectReason reason) {
  switch (reason) {
    case RejectReason::kTooLarge:
      return "too_large";
    case RejectReason::kTooDeep:
      return "too_deep";
    case RejectReason::kMalformedJson:
      return "malformed_json";
    case RejectReason::kInvalidUtf8:
      return "invalid_utf8";
    case RejectReason::kUnknownFormat:
      return "unknown_format";
    case RejectReason::kMissingField:
      return "missing_field";
    case RejectReason::kMissingAccount:
      return "missing_account";
    case RejectReason::kMissingAmount:
      return "missing_amount";
    case RejectReason::kInvalidValue:
      return "invalid_value";
    case RejectReason::kInvalidAmount:
      return "invalid_amount";
    case RejectReason::kAmountNotFinite:
      return "amount_not_finite";
    case RejectReason::kAmountScale:
      return "amount_scale";
    case RejectReason::kAmountScaleUnknown:
      return "amount_scale_unknown";
    case RejectReason::kAmountOutOfRange:
      return "amount_out_of_range";
    case RejectReason::kMissingTime:
      return "missing_time";
    case RejectReason::kInvalidCurrency:
      return "invalid_currency";
  }
  return "unknown";
}

}  // namespace caracal::pipeline
