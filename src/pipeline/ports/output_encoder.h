#pragma once

#include <cstddef>

#include "agents/api/ruleset.h"
#include "pipeline/types/epoch.h"
#include "pipeline/types/event_batch.h"
#include "pipeline/types/record_batch.h"

namespace caracal::pipeline {

/// Turns a judgement into the bytes of an alert. Immutable; any thread.
class AlertEncoder {
 public:
  virtual ~AlertEncoder() = default;
  /// `event` is the judged event; the result owns its bytes.
  virtual OutputRecord EncodeAlert(const Event& event,
                                   const agents::Judgement& judgement) const = 0;
};

/// Turns a rejected record into a dead letter: original bytes and the reason. Immutable; any
/// thread.
class DeadLetterEncoder {
 public:
  virtual ~DeadLetterEncoder() = default;
  /// `detail` says what is wrong, without payload bytes ("field 'amount' is missing").
  virtual OutputRecord EncodeDeadLetter(const RecordBatch& batch, size_t index, RejectReason reason,
                                        std::string_view detail) const = 0;
};

}  // namespace caracal::pipeline
