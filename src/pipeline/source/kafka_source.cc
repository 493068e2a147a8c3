#include "pipeline/source/kafka_source.h"

#include <algorithm>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/base/log.h"
#include "pipeline/source/partition_pause.h"
#include "pipeline/source/partition_seek.h"

namespace caracal::pipeline {
namespace {

/// So near to the log end a partition is up to date, if nothing of it waits.
constexpr int64_t kNearRecords = 1'000;

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
  RETURN_IF_ERROR(ReadOn());
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

void KafkaSource::Wake() {
  queues_->Wake();
  rd_kafka_queue_yield(group_queue_.get());
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

}  // namespace caracal::pipeline
