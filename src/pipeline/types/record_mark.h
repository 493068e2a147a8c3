#pragma once

#include <cstdint>
#include <string_view>

namespace caracal::pipeline {

/// Tells a record of the source apart from one that has come into its place: kept with the
/// committed offset, and looked at again by whoever goes on from it.
struct RecordMark {
  int64_t offset = -1;  ///< -1 = none
  int64_t timestamp_ms = -1;
  uint64_t hash = 0;  ///< of key and value

  friend bool operator==(const RecordMark&, const RecordMark&) = default;
};

/// About 50 ns and the time to read the bytes. Any thread.
RecordMark MarkOf(int64_t offset, int64_t timestamp_ms, std::string_view key,
                  std::string_view value);

}  // namespace caracal::pipeline
