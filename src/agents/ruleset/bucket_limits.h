#pragma once

#include <cstddef>
#include <cstdint>

namespace caracal::agents {

/// How much a bucket may hold.
struct BucketLimits {
  /// Bytes for keys, records and the row filter together; at least BucketState::MinBytes. Default:
  /// a 64th of 512 MiB.
  size_t max_bytes = size_t{8} << 20;
  /// Rows remembered for de-duplication; 0 = none. See RowFilter.
  uint32_t rows_per_bucket = 16 * 1024;
};

}  // namespace caracal::agents
