#pragma once

#include <cstdint>
#include <string>

#include "pipeline/source/source_options.h"
#include "pipeline/types/offset_metadata.h"

namespace caracal::pipeline {

/// Where a group stands in a partition, and where its log begins and ends.
struct GroupPosition {
  int64_t committed = -1;  ///< -1 = never
  std::string metadata;
  int64_t log_start = 0;
  int64_t log_end = 0;
};

/// What an operator's setting of an offset commits.
struct OffsetChange {
  int64_t offset = 0;
  OffsetMetadata metadata;
  /// State begins with nothing at the offset: asked for, or because nothing says what it is made
  /// of.
  bool resets_state = false;
};

/// Sets the offset of a group that has no members. The state stays what the records below the new
/// offset make it: activations beyond it are forgotten; copies beyond it are deleted by the engine
/// at its next start. `reset_state`, an offset below the first activation, and metadata of another
/// program: state begins at the offset, by whatever rules the engine then has.
///
/// The mark of the last record stays as long as that record is below the offset and in the log.
OffsetChange ChangeOffset(const GroupPosition& position, int64_t offset, bool reset_state);

}  // namespace caracal::pipeline
