#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pipeline/kafka/client_config.h"
#include "pipeline/source/offset_change.h"

namespace caracal::pipeline {

/// The copies of one partition's buckets in the state topic.
struct SnapshotRange {
  uint32_t buckets = 0;  ///< that have a complete copy
  int64_t oldest = -1;   ///< smallest offset among the newest copies of the buckets
  int64_t newest = -1;
};

/// Reads which complete copies a state topic holds of the partitions of `source`.
absl::StatusOr<std::map<int32_t, SnapshotRange>> ReadSnapshotRanges(
    const KafkaConnection& connection, const std::string& group, const std::string& state_topic,
    const std::string& source);

/// One partition as `caracal offsets show` prints it.
struct OffsetRow {
  std::string topic;
  int32_t partition = 0;
  GroupPosition position;
  SnapshotRange snapshots;
};
std::string OffsetTableText(const std::vector<OffsetRow>& rows);
std::string OffsetTableJson(const std::vector<OffsetRow>& rows);

}  // namespace caracal::pipeline
