#pragma once

#include <cstddef>
#include <string_view>

#include "pipeline/ports/output_encoder.h"

namespace caracal::pipeline {

/// Passes a rejected record on byte for byte (a null key or value stays null) and says in headers
/// where it came from and what is wrong, in the two dialects that existing tools read:
///
///   Kafka Connect (DeadLetterQueueReporter): every value is UTF-8 text
///     __connect.errors.topic · .partition · .offset · .stage · .class.name ·
///     .exception.class.name · .exception.message
///   spring-kafka (DeadLetterPublishingRecoverer): text, but numbers are big-endian binary
///     kafka_dlt-original-topic · -original-partition (int32) · -original-offset (int64) ·
///     -original-timestamp (int64, ms; -1 = none) · kafka_dlt-exception-fqcn · -exception-message
///   ours: caracal-reason (RejectReasonName), caracal-stage ("decode"); and traceparent, if the
///     record has it
///
/// "Exception class" is caracal.RejectedRecord.<reason>, so that tools which group by it group by
/// reason. Connect's stage is VALUE_CONVERTER, the one of its own closed list that fits.
///
/// No header holds payload bytes: `detail` must not quote any; it is cut after
/// kMaxDetailBytes and made one line of printable UTF-8. The timestamp is left to the producer:
/// with the original one, retention could delete an old record's dead letter at once. The lease is
/// left null for the caller to set.
///
/// Immutable, any thread; FindHeader is called on `batch`, which one thread at a time may do.
class RawDeadLetterEncoder final : public DeadLetterEncoder {
 public:
  static constexpr size_t kMaxDetailBytes = 512;

  OutputRecord EncodeDeadLetter(const RecordBatch& batch, size_t index, RejectReason reason,
                                std::string_view detail) const override;
};

}  // namespace caracal::pipeline
