#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "pipeline/kafka/client_config.h"
#include "pipeline/kafka/handles.h"
#include "pipeline/ports/offset_store.h"
#include "pipeline/source/offset_change.h"

namespace caracal::pipeline {

/// Looks at a consumer group and the logs it reads, and sets its offsets, without joining it. One
/// thread; every call blocks for at most some seconds.
class GroupAdmin {
 public:
  static absl::StatusOr<std::unique_ptr<GroupAdmin>> Create(const KafkaConnection& connection,
                                                            const std::string& group);

  /// Of every partition of the topic, in their order. NotFound: there is no such topic.
  absl::StatusOr<std::vector<GroupPosition>> Positions(const std::string& topic);
  /// The first offset at or after a time in milliseconds; -1 = every record is older.
  absl::StatusOr<int64_t> OffsetForTime(const std::string& topic, int32_t partition,
                                        int64_t time_ms);
  /// Members of the group now.
  absl::StatusOr<size_t> MemberCount();
  /// Commits for the group; FailedPrecondition when it has members after all.
  absl::Status Commit(const std::vector<OffsetCommit>& commits);

 private:
  GroupAdmin(KafkaClient client, std::string group)
      : client_(std::move(client)), group_(std::move(group)) {}
  absl::StatusOr<int32_t> PartitionCount(const std::string& topic);

  KafkaClient client_;
  const std::string group_;
};

}  // namespace caracal::pipeline
