#include "pipeline/source/kafka_source.h"

#include <algorithm>

#include <fmt/format.h>

#include "agents/api/check.h"
#include "agents/api/status_macros.h"
#include "pipeline/base/failpoint.h"
#include "pipeline/base/log.h"
#include "pipeline/source/group_metadata.h"
#include "pipeline/source/partition_pause.h"
#include "pipeline/source/partition_seek.h"

namespace caracal::pipeline {
namespace {

constexpr int kLeaveWaitMs = 20;
constexpr absl::Duration kLeaveTimeout = absl::Seconds(3);
/// So near to the log end a partition is up to date, if nothing of it waits.
constexpr int64_t kNearRecords = 1'000;

/// A member that has left the group has none.
bool HasMemberId(rd_kafka_t* client) {
  char* const id = rd_kafka_memberid(client);
  const bool has = id != nullptr && *id != '\0';
  rd_kafka_mem_free(client, id);
  return has;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaSource>> KafkaSource::Create(SourceOptions options,
                                                                 SnapshotLoader* snapshots) {
  std::unique_ptr<KafkaSource> source(new KafkaSource(std::move(options), snapshots));
  RETURN_IF_ERROR(source->Connect());
  return source;
}

KafkaSource::KafkaSource(SourceOptions options, SnapshotLoader* snapshots)
    : options_(std::move(options)),
      snapshots_(snapshots),
      records_(options_.connection, options_.group_id),
      polled_(options_.batch_records) {}

absl::Status KafkaSource::Connect() {
  ASSIGN_OR_RETURN(KafkaConf conf, MakeConsumerConf(options_));
  rd_kafka_conf_set_rebalance_cb(conf.get(), &KafkaSource::OnRebalance);
  rd_kafka_conf_set_opaque(conf.get(), this);
  joins_ = std::make_unique<JoinWatch>();
  joins_->Install(conf.get());
  ASSIGN_OR_RETURN(client_, MakeKafkaClient(RD_KAFKA_CONSUMER, std::move(conf)));
  // Errors of the client itself, a refused login for one, are told where the group is served.
  RETURN_IF_ERROR(KafkaStatus(rd_kafka_poll_set_consumer(client_.get()), "serving the consumer"));
  group_queue_.reset(rd_kafka_queue_get_consumer(client_.get()));
  queues_.emplace(client_.get());
  offsets_ = std::make_unique<GroupOffsets>(client_.get(), *joins_);
  restorer_ = std::make_unique<PartitionRestorer>(client_.get(), *offsets_, records_, snapshots_,
                                                  options_, probe_.restorer, [this] { Wake(); });
  return absl::OkStatus();
}

KafkaSource::~KafkaSource() {
  restorer_.reset();
  owned_.clear();
  queues_.reset();
  group_queue_.reset();
  if (!member_ || (left_ && assigned_once_)) return;
  // librdkafka 2.0.2 aborts the process when a cooperative member is destroyed between its join and
  // its first assignment (librdkafka issue 4381), and waits for up to a session when it has not
  // left the group. Such a client is given up, threads and all, to the end of the process.
  rd_kafka_set_log_level(client_.get(), 0);
  static_cast<void>(client_.release());
  static_cast<void>(joins_.release());  // its threads may still tell it of requests
}

void KafkaSource::Leave(absl::Time deadline) {
  const bool is_static = !options_.group_instance_id.empty();
  // A static member keeps its place: for it, an assignment on its way is waited for.
  if (!is_static && rd_kafka_unsubscribe(client_.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  while (absl::Now() < deadline && (is_static ? joins_->joining() : HasMemberId(client_.get()))) {
    static_cast<void>(ServeGroup(kLeaveWaitMs));
  }
}

absl::Status KafkaSource::Start() {
  KafkaPartitionList topics(
      rd_kafka_topic_partition_list_new(static_cast<int>(options_.topics.size())));
  for (const SourceTopic& topic : options_.topics) {
    rd_kafka_topic_partition_list_add(topics.get(), topic.name.c_str(), RD_KAFKA_PARTITION_UA);
  }
  restorer_->Start();
  member_ = true;
  return KafkaStatus(rd_kafka_subscribe(client_.get(), topics.get()), "joining the consumer group");
}

absl::Status KafkaSource::Poll(absl::Duration max_wait, bool want_records, PollResult& result) {
  result.changes.clear();
  result.records = nullptr;
  // Up, not down: less than a millisecond would be no wait at all, over and over until it is over.
  const int wait_ms =
      static_cast<int>(absl::ToInt64Milliseconds(absl::Ceil(max_wait, absl::Milliseconds(1))));
  RETURN_IF_ERROR(ServeGroup(want_records ? 0 : wait_ms));
  FinishRevoke(/*released=*/false);
  RETURN_IF_ERROR(OpenRestored(result));
  size_t count = 0;
  if (want_records) {
    const bool wait = changes_.empty() && result.changes.empty();
    count = queues_->Read(wait ? wait_ms : 0, polled_);
  }
  // Closing before opening: a partition that comes back has ended before it starts again.
  result.changes.insert(result.changes.begin(), changes_.begin(), changes_.end());
  changes_.clear();
  Collect(count, result);
  if (queues_->nothing_behind()) MoveUp();
  return fatal_;
}

void KafkaSource::MoveUp() {
  std::vector<rd_kafka_queue_t*> queues;
  for (const auto& [key, owned] : owned_) {
    if (!owned.open || !owned.behind) continue;
    const int64_t end = HighWatermark(owned.lease->topic(), owned.lease->partition());
    const bool is_near = end >= 0 && end - owned.next_offset <= kNearRecords;
    // One that stands still on request need not be waited for.
    if (!is_near && !owned.paused) return;
    queues.push_back(owned.queue.get());
  }
  queues_->MoveUp(queues);
  for (auto& [key, owned] : owned_) owned.behind = owned.behind && !owned.open;
}

bool KafkaSource::IsUpToDate() const {
  return std::any_of(owned_.begin(), owned_.end(),
                     [](const auto& it) { return it.second.open && !it.second.behind; });
}

void KafkaSource::Collect(size_t count, PollResult& result) {
  if (count == 0) return;
  auto batch = std::make_shared<KafkaRecordBatch>(count);
  // A backlog of partitions that have just come here must not make the others wait for commits.
  batch->set_full(count == polled_.size() && (queues_->front_is_full() || !IsUpToDate()));
  uint64_t discarded = 0;
  for (size_t i = 0; i < count; ++i) {
    rd_kafka_message_t* message = polled_[i];
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (absl::Status status = CollectError(*message); !status.ok()) fatal_ = status;
      rd_kafka_message_destroy(message);
      continue;
    }
    OwnedPartition* owned = Find(*message);
    if (owned == nullptr || !owned->open || owned->paused || message->offset < owned->next_offset) {
      rd_kafka_message_destroy(message);
      ++discarded;
      continue;
    }
    owned->next_offset = message->offset + 1;
    batch->Add(message, owned->lease);
  }
  if (discarded > 0) probe_.discarded_records.Add(discarded);
  if (!batch->empty()) result.records = std::move(batch);
}

absl::Status KafkaSource::CollectError(const rd_kafka_message_t& message) {
  const char* topic = message.rkt == nullptr ? "" : rd_kafka_topic_name(message.rkt);
  if (message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
      message.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
    OwnedPartition* owned = Find(message);
    if (owned == nullptr || !owned->open) return absl::OkStatus();
    return absl::OutOfRangeError(fmt::format(
        "{} [{}]: offset {} is no longer in the log: records were deleted before they were judged, "
        "or "
        "the topic was re-created. Nothing after it was consumed; {}",
        topic, message.partition, owned->next_offset, rd_kafka_message_errstr(&message)));
  }
  // The client passes over such a batch and goes on behind it.
  if (message.err == RD_KAFKA_RESP_ERR__BAD_MSG ||
      message.err == RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED) {
    return absl::UnavailableError(fmt::format(
        "{} [{}]: what the broker sends at offset {} is damaged. Nothing after it was consumed; a "
        "restart reads it again. If that does not help, the leader's log is: let another replica "
        "lead. {}",
        topic, message.partition, message.offset, rd_kafka_message_errstr(&message)));
  }
  return HandleGroupMessage(message);
}

absl::Status KafkaSource::ServeGroup(int timeout_ms) {
  while (true) {
    const KafkaMessage message(rd_kafka_consumer_poll(client_.get(), timeout_ms));
    if (message == nullptr) return fatal_;
    timeout_ms = 0;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      RETURN_IF_ERROR(HandleGroupMessage(*message));
    } else {
      // A record that was fetched before its partition's queue was forwarded: it will come again.
      probe_.discarded_records.Add(1);
    }
  }
}

absl::Status KafkaSource::HandleGroupMessage(const rd_kafka_message_t& message) {
  std::array<char, 512> text = {};
  const rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(client_.get(), text.data(), text.size());
  if (message.err == RD_KAFKA_RESP_ERR__FATAL || fatal != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const std::string reason = fmt::format("the Kafka consumer cannot go on: {}", text.data());
    if (fatal != RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) return absl::InternalError(reason);
    return absl::FailedPreconditionError(
        fmt::format("another process has joined group '{}' with instance_id '{}', and takes this "
                    "one's place: two processes have the same instance_id",
                    options_.group_id, options_.group_instance_id));
  }
  const absl::Status status = KafkaStatus(message.err, rd_kafka_message_errstr(&message));
  if (absl::IsPermissionDenied(status)) return status;
  probe_.client_errors.Add(1);
  if (absl::IsNotFound(status)) {
    LOG(kWarning, "source",
        "a topic does not exist yet, waiting for it: check its name, or start the connector",
        {{"error", rd_kafka_message_errstr(&message)}});
  } else {
    LOG(kWarning, "source", "the consumer reports an error and goes on",
        {{"error", agents::MessageOf(status)}});
  }
  return absl::OkStatus();
}

void KafkaSource::OnRebalance(rd_kafka_t* /*client*/, rd_kafka_resp_err_t error,
                              rd_kafka_topic_partition_list_t* partitions, void* opaque) {
  auto* source = static_cast<KafkaSource*>(opaque);
  source->assigned_once_ = true;
  source->CheckMember();
  if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    source->OnAssign(partitions);
  } else {
    source->OnRevoke(partitions);
  }
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
  ReadOn();
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
  ReadOn();
  offsets_->SetRevoking(false);
}

void KafkaSource::ReadOn() {
  if (closing_) return;
  for (const auto& [key, owned] : owned_) {
    if (!owned.open) continue;
    if (absl::Status status = SeekTo(*owned.lease, owned.next_offset); !status.ok()) {
      fatal_ = status;
    }
  }
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

absl::Status KafkaSource::OpenRestored(PollResult& result) {
  std::vector<RestoredPartition> finished = restorer_->Take();
  if (finished.empty()) return absl::OkStatus();
  for (RestoredPartition& restored : finished) {
    OwnedPartition* owned = Find(*restored.lease);
    if (owned == nullptr || owned->lease != restored.lease) continue;
    RETURN_IF_ERROR(restored.position.status());
    RETURN_IF_ERROR(Open(*owned, *restored.position));
    result.changes.emplace_back(
        PartitionOpened{owned->lease, *restored.position, std::move(restored.state)});
  }
  ShowOwned();
  return absl::OkStatus();
}

void KafkaSource::ShowOwned() {
  const auto open =
      std::count_if(owned_.begin(), owned_.end(), [](const auto& it) { return it.second.open; });
  probe_.assigned_partitions.Set(static_cast<int64_t>(owned_.size()));
  probe_.open_partitions.Set(open);
}

absl::Status KafkaSource::Open(OwnedPartition& partition, const StartPosition& position) {
  const PartitionLease& lease = *partition.lease;
  RETURN_IF_ERROR(SeekTo(lease, position.replay_from));
  partition.queue = queues_->Open(lease);
  partition.next_offset = position.replay_from;
  partition.open = true;
  if (position.state_gap) probe_.state_gaps.Add(1);
  LOG(kInfo, "source", "partition opened",
      {{"topic", lease.topic()},
       {"partition", lease.partition()},
       {"replay_from", position.replay_from},
       {"committed", position.committed}});
  return Resume(partition.lease);
}

absl::Status KafkaSource::SeekTo(const PartitionLease& lease, int64_t offset) {
  return SeekPartition(client_.get(), lease.topic(), lease.partition(), offset);
}

absl::Status KafkaSource::Pause(const LeasePtr& lease, int64_t from) {
  OwnedPartition* owned = Find(*lease);
  if (owned == nullptr || owned->lease != lease) return absl::OkStatus();
  const KafkaPartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), lease->topic().c_str(), lease->partition());
  RETURN_IF_ERROR(PausePartitions(client_.get(), list.get()));
  owned->paused = true;
  owned->next_offset = from;
  return SeekTo(*lease, from);
}

absl::Status KafkaSource::Resume(const LeasePtr& lease) {
  OwnedPartition* owned = Find(*lease);
  if (owned == nullptr || owned->lease != lease) return absl::OkStatus();
  const KafkaPartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), lease->topic().c_str(), lease->partition());
  owned->paused = false;
  return ResumePartitions(client_.get(), list.get());
}

std::string KafkaSource::GroupMetadata() {
  std::string metadata = ReadGroupMetadata(client_.get());
  // What one member has judged must not be committed as another: the group may have given the
  // partitions away in between.
  const std::string_view member = FencingMember(metadata);
  return member.empty() || member != member_id_ ? "" : metadata;
}

void KafkaSource::Wake() {
  queues_->Wake();
  rd_kafka_queue_yield(group_queue_.get());
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

int64_t KafkaSource::HighWatermark(const std::string& topic, int32_t partition) const {
  int64_t low = -1;
  int64_t high = -1;
  if (rd_kafka_get_watermark_offsets(client_.get(), topic.c_str(), partition, &low, &high) !=
      RD_KAFKA_RESP_ERR_NO_ERROR) {
    return -1;
  }
  return high;
}

KafkaSource::OwnedPartition* KafkaSource::Find(const rd_kafka_message_t& message) {
  if (message.rkt == last_topic_ && message.partition == last_partition_ &&
      last_owned_ != nullptr) {
    return last_owned_;
  }
  const auto it = owned_.find({rd_kafka_topic_name(message.rkt), message.partition});
  if (it == owned_.end()) return nullptr;
  last_topic_ = message.rkt;
  last_partition_ = message.partition;
  last_owned_ = &it->second;
  return last_owned_;
}

KafkaSource::OwnedPartition* KafkaSource::Find(const PartitionLease& lease) {
  const auto it = owned_.find({lease.topic(), lease.partition()});
  return it == owned_.end() ? nullptr : &it->second;
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

}  // namespace caracal::pipeline
