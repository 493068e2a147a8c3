#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "pipeline/generate/generated_record.h"

namespace caracal::pipeline {

/// Takes generated records somewhere. The status codes decide the exit code of `generate`:
/// Cancelled = stop without an error (the reader has gone, or the user asked), Unavailable = the
/// service cannot be reached, InvalidArgument = the request makes no sense there, others = writing
/// failed. After an error only the destructor may follow. One thread at a time.
class RecordSink {
 public:
  RecordSink() = default;
  RecordSink(const RecordSink&) = delete;
  RecordSink& operator=(const RecordSink&) = delete;
  virtual ~RecordSink() = default;

  /// Takes a copy of the record. Blocks while the sink's bounded buffer is full.
  virtual absl::Status Write(const GeneratedRecord& record) = 0;
  /// Makes what was written visible soon; called when the load pauses.
  virtual absl::Status Flush() = 0;
  /// Returns when everything written has arrived, or says why not. Nothing may follow.
  virtual absl::Status Close() = 0;
  /// Bytes handed over so far.
  virtual uint64_t bytes() const = 0;
};

}  // namespace caracal::pipeline
