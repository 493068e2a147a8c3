#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pipeline/types/record_mark.h"

namespace caracal::pipeline {

/// Where a record of a source lies.
struct RecordPlace {
  std::string topic;
  int32_t partition = 0;
  int64_t offset = 0;
};

/// Looks at single records of the sources, at most one per partition and call. Restore thread only.
class RecordReader {
 public:
  virtual ~RecordReader() = default;
  /// In the order of `places`; nullopt = there is no record at that offset. Unavailable = try
  /// again.
  virtual absl::StatusOr<std::vector<std::optional<RecordMark>>> Read(
      std::span<const RecordPlace> places) = 0;
  /// A call under way, and those that follow, soon return Unavailable. Any thread.
  virtual void Stop() = 0;
};

}  // namespace caracal::pipeline
