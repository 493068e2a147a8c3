// The member's part in its group: what it is given, what is taken from it, and how it leaves.

#include <algorithm>

#include <fmt/format.h>

#include "agents/api/check.h"
#include "pipeline/base/failpoint.h"
#include "pipeline/base/log.h"
#include "pipeline/source/group_metadata.h"
#include "pipeline/source/kafka_source.h"
#include "pipeline/source/partition_pause.h"
#include "pipeline/source/partition_seek.h"

namespace caracal::pipeline {
namespace {

constexpr int kLeaveWaitMs = 20;
constexpr absl::Duration kLeaveTimeout = absl::Seconds(3);

/// A member that has left the group has none.
bool HasMemberId(rd_kafka_t* client) {
  char* const id = rd_kafka_memberid(client);
  const bool has = id != nullptr && *id != '\0';
  rd_kafka_mem_free(client, id);
  return has;
}

}  // namespace

void KafkaSource::OnRebalance(rd_kafka_t* /*client*/, rd_kafka_resp_err_t error,
                              rd_kafka_topic_partition_list_t* partitions, void* opaque) {
  auto* source = static_cast<KafkaSource*>(opaque);
  const absl::Time begin = absl::Now();
  source->assigned_once_ = true;
  source->CheckMember();
  if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    source->OnAssign(partitions);
  } else {
    source->OnRevoke(partitions);
  }
  source->probe_.rebalance_callback.Observe(absl::ToInt64Microseconds(absl::Now() - begin));
}

void KafkaSource::CheckMember() {
  if (closing_) return;
  const std::string metadata = ReadGroupMetadata(client_.get());
  const std::string_view now = FencingMember(metadata);
  if (owned_.empty()) {
    member_id_ = now;
  } else if (!now.empty() && now != member_id_ && rd_kafka_assignment_lost(client_.get()) == 0) {
    // The group had expelled this member and has taken it in again, as it does at once with one
    // that has an instance_id. librdkafka 2.0.2 says nothing of it when it learns that by a join.
    fatal_ = absl::UnavailableError(
        "the group had given this member up, and took it in again as another one: others may have "
        "judged its partitions meanwhile. Start it again");
  }
}

void KafkaSource::OnAssign(rd_kafka_topic_partition_list_t* partitions) {
  static_cast<void>(HitFailpoint(Failpoint::kPartitionAssign));
  // Before the client is told, because it may then join again at once.
  std::exchange(joins_again_, false) ? joins_->ExpectAnother() : joins_->Settle();
  if (closing_) {
    TakeForClosing(partitions);
    return;
  }
  std::vector<LeasePtr> leases;
  for (int i = 0; i < partitions->cnt; ++i) {
    rd_kafka_topic_partition_t& entry = partitions->elems[i];
    const auto topic =
        std::find_if(options_.topics.begin(), options_.topics.end(),
                     [&entry](const SourceTopic& known) { return known.name == entry.topic; });
    CHECK(topic != options_.topics.end());
    // A placeholder: the partition is paused until its start is known.
    entry.offset = 0;
    OwnedPartition owned;
    owned.lease = std::make_shared<PartitionLease>(
        next_lease_id_++, static_cast<uint16_t>(topic - options_.topics.begin()), entry.topic,
        entry.partition, TakeSlot());
    leases.push_back(owned.lease);
    owned_.insert_or_assign({entry.topic, entry.partition}, std::move(owned));
  }
  if (KafkaError error(rd_kafka_incremental_assign(client_.get(), partitions)); error != nullptr) {
    fatal_ = absl::InternalError(
        fmt::format("taking assigned partitions: {}", rd_kafka_error_string(error.get())));
    return;
  }
  if (absl::Status status = PausePartitions(client_.get(), partitions); !status.ok()) {
    fatal_ = status;
    return;
  }
  probe_.assigned.Add(leases.size());
  probe_.member.Set(1);
  ShowOwned();
  reads_on_ = true;
  LOG(kInfo, "source", "partitions assigned", {{"count", partitions->cnt}});
  // While the group is being left another member's leaving may still bring partitions here.
  if (!closing_) restorer_->Submit(std::move(leases));
}

void KafkaSource::TakeForClosing(rd_kafka_topic_partition_list_t* partitions) {
  if (KafkaError error(rd_kafka_incremental_assign(client_.get(), partitions)); error != nullptr) {
    LOG(kWarning, "source", "partitions that came during the stop were not taken",
        {{"error", rd_kafka_error_string(error.get())}});
  }
  static_cast<void>(PausePartitions(client_.get(), partitions));
}

void KafkaSource::OnRevoke(const rd_kafka_topic_partition_list_t* partitions) {
  static_cast<void>(HitFailpoint(Failpoint::kPartitionRevoke));
  const bool lost = rd_kafka_assignment_lost(client_.get()) != 0;
  offsets_->SetRevoking(true);
  last_owned_ = nullptr;
  last_topic_ = nullptr;
  for (int i = 0; i < partitions->cnt; ++i) {
    const auto it = owned_.find({partitions->elems[i].topic, partitions->elems[i].partition});
    if (it == owned_.end()) continue;
    it->second.lease->Lapse();
    if (it->second.open)
      changes_.emplace_back(PartitionRevoked{it->second.lease, lost});
    else
      slots_[it->second.lease->slot()] = false;
    owned_.erase(it);
  }
  joins_again_ = !lost;
  if (lost || closing_) probe_.member.Set(0);
  (lost ? probe_.lost : probe_.revoked).Add(static_cast<uint64_t>(partitions->cnt));
  ShowOwned();
  LOG(kInfo, "source", lost ? "partitions lost" : "partitions revoked",
      {{"count", partitions->cnt}});
  if (lost || closing_) {
    Unassign(partitions);
    return;
  }
  revoking_.reset(rd_kafka_topic_partition_list_copy(partitions));
  revoke_deadline_ = absl::Now() + options_.revoke_grace;
}

void KafkaSource::Unassign(const rd_kafka_topic_partition_list_t* partitions) {
  if (KafkaError error(rd_kafka_incremental_unassign(client_.get(), partitions));
      error != nullptr) {
    fatal_ = absl::InternalError(
        fmt::format("giving partitions up: {}", rd_kafka_error_string(error.get())));
  }
  reads_on_ = true;
  offsets_->SetRevoking(false);
}

absl::Status KafkaSource::ReadOn() {
  if (!std::exchange(reads_on_, false) || closing_) return absl::OkStatus();
  KafkaPartitionList open(rd_kafka_topic_partition_list_new(static_cast<int>(owned_.size())));
  for (const auto& [key, owned] : owned_) {
    if (!owned.open) continue;
    rd_kafka_topic_partition_list_add(open.get(), key.first.c_str(), key.second)->offset =
        owned.next_offset;
  }
  return SeekPartitions(client_.get(), std::move(open));
}

void KafkaSource::FinishRevoke(bool released) {
  if (revoking_ == nullptr || (!released && absl::Now() < revoke_deadline_)) return;
  const KafkaPartitionList partitions = std::move(revoking_);
  revoke_deadline_ = absl::InfiniteFuture();
  Unassign(partitions.get());
}

void KafkaSource::Release(std::span<const LeasePtr> leases) {
  for (const LeasePtr& lease : leases) slots_[lease->slot()] = false;
  FinishRevoke(/*released=*/true);
}

std::string KafkaSource::GroupMetadata() {
  std::string metadata = ReadGroupMetadata(client_.get());
  // What one member has judged must not be committed as another: the group may have given the
  // partitions away in between.
  const std::string_view member = FencingMember(metadata);
  return member.empty() || member != member_id_ ? "" : metadata;
}

void KafkaSource::ShowOwned() {
  const auto open =
      std::count_if(owned_.begin(), owned_.end(), [](const auto& it) { return it.second.open; });
  probe_.assigned_partitions.Set(static_cast<int64_t>(owned_.size()));
  probe_.open_partitions.Set(open);
}

uint32_t KafkaSource::TakeSlot() {
  const auto free = std::find(slots_.begin(), slots_.end(), false);
  const auto slot = static_cast<uint32_t>(free - slots_.begin());
  if (free == slots_.end()) {
    slots_.push_back(true);
  } else {
    *free = true;
  }
  return slot;
}

void KafkaSource::Leave(absl::Time deadline) {
  const bool is_static = !options_.group_instance_id.empty();
  // A static member keeps its place: for it, an assignment on its way is waited for.
  if (!is_static && rd_kafka_unsubscribe(client_.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  while (absl::Now() < deadline && (is_static ? joins_->joining() : HasMemberId(client_.get()))) {
    static_cast<void>(ServeGroup(kLeaveWaitMs));
  }
}

absl::Status KafkaSource::Close(absl::Duration timeout) {
  closing_ = true;
  offsets_->Close();
  FinishRevoke(/*released=*/true);
  restorer_.reset();
  const absl::Time deadline = absl::Now() + timeout;
  Leave(std::min(deadline, absl::Now() + kLeaveTimeout));
  if (KafkaError error(rd_kafka_consumer_close_queue(client_.get(), group_queue_.get()));
      error != nullptr) {
    return absl::InternalError(
        fmt::format("leaving the consumer group: {}", rd_kafka_error_string(error.get())));
  }
  while (rd_kafka_consumer_closed(client_.get()) == 0) {
    if (absl::Now() >= deadline) {
      return absl::DeadlineExceededError("the consumer group could not be left in time");
    }
    const KafkaEvent event(rd_kafka_queue_poll(group_queue_.get(), 100));
    if (event != nullptr && rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_REBALANCE) {
      OnRebalance(client_.get(), rd_kafka_event_error(event.get()),
                  rd_kafka_event_topic_partition_list(event.get()), this);
    }
  }
  left_ = true;
  return absl::OkStatus();
}

}  // namespace caracal::pipeline
