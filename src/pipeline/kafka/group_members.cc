#include "pipeline/kafka/group_members.h"

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/kafka/client_config.h"

namespace caracal::pipeline {
namespace {

constexpr int kTimeoutMs = 5000;

}  // namespace

absl::StatusOr<std::vector<std::string>> GroupMembers(rd_kafka_t* client,
                                                      const std::string& group) {
  const std::string context = fmt::format("looking at the members of group '{}'", group);
  const rd_kafka_group_list* groups = nullptr;
  RETURN_IF_ERROR(
      KafkaStatus(rd_kafka_list_groups(client, group.c_str(), &groups, kTimeoutMs), context));
  std::vector<std::string> members;
  absl::Status status;
  for (int i = 0; i < groups->group_cnt; ++i) {
    const rd_kafka_group_info& found = groups->groups[i];
    status.Update(KafkaStatus(found.err, context));
    for (int m = 0; m < found.member_cnt; ++m) members.emplace_back(found.members[m].client_id);
  }
  rd_kafka_group_list_destroy(groups);
  RETURN_IF_ERROR(status);
  return members;
}

}  // namespace caracal::pipeline
