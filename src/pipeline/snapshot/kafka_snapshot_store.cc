#include "pipeline/snapshot/kafka_snapshot_store.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/base/failpoint.h"
#include "pipeline/base/log.h"

namespace caracal::pipeline {
namespace {

constexpr int kPollMs = 100;
constexpr int kPurgeTimeoutMs = 1000;
constexpr absl::Duration kPause = absl::Milliseconds(200);

const KafkaProperties& DefaultProperties() {
  static const auto* const kDefaults = new KafkaProperties{
      {"compression.type", "lz4"},
      {"linger.ms", "5"},
      {"retry.backoff.ms", "50"},
      {"socket.keepalive.enable", "true"},
      {"reconnect.backoff.max.ms", "2000"},
      {"message.timeout.ms", "30000"},
      {"queue.buffering.max.kbytes", "131072"},
  };
  return *kDefaults;
}

const KafkaProperties& OwnedProperties() {
  static const auto* const kOwned = new KafkaProperties{
      {"enable.idempotence", "true"},
      {"acks", "all"},
      {"message.max.bytes", "1048588"},
      {"allow.auto.create.topics", "false"},
  };
  return *kOwned;
}

size_t BytesOf(const std::vector<BucketCopy>& snapshots) {
  size_t bytes = 0;
  for (const BucketCopy& snapshot : snapshots) bytes += snapshot.image.size();
  return bytes;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaSnapshotStore>> KafkaSnapshotStore::Create(
    StateTopics topics, SnapshotCatalogs& catalogs) {
  std::unique_ptr<KafkaSnapshotStore> store(new KafkaSnapshotStore(std::move(topics), catalogs));
  RETURN_IF_ERROR(store->Connect());
  return store;
}

KafkaSnapshotStore::KafkaSnapshotStore(StateTopics topics, SnapshotCatalogs& catalogs)
    : topics_(std::move(topics)), writer_(topics_, catalogs, *this) {}

KafkaSnapshotStore::~KafkaSnapshotStore() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
  if (client_ == nullptr) return;
  rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(client_.get(), kPurgeTimeoutMs);
}

absl::Status KafkaSnapshotStore::Connect() {
  ASSIGN_OR_RETURN(KafkaConf conf,
                   MakeKafkaConf(topics_.connection, DefaultProperties(), OwnedProperties()));
  rd_kafka_conf_set_dr_msg_cb(conf.get(), &KafkaSnapshotStore::OnDelivery);
  rd_kafka_conf_set_opaque(conf.get(), this);
  client_.reset();
  in_flight_ = 0;
  ASSIGN_OR_RETURN(client_, MakeKafkaClient(RD_KAFKA_PRODUCER, std::move(conf)));
  return absl::OkStatus();
}

void KafkaSnapshotStore::Start() {
  thread_ = std::thread([this] { Run(); });
}

void KafkaSnapshotStore::Save(std::vector<BucketCopy> snapshots) {
  const size_t bytes = BytesOf(snapshots);
  MutexLock lock(&mutex_);
  std::move(snapshots.begin(), snapshots.end(), std::back_inserter(waiting_));
  probe_.pending_bytes.Set(probe_.pending_bytes.value() + static_cast<int64_t>(bytes));
}

std::vector<SavedBucket> KafkaSnapshotStore::TakeSaved() {
  MutexLock lock(&mutex_);
  return std::exchange(saved_, {});
}

bool KafkaSnapshotStore::stopping() const {
  MutexLock lock(&mutex_);
  return stopping_;
}

bool KafkaSnapshotStore::Backoff() {
  MutexLock lock(&mutex_);
  return !mutex_.AwaitFor(kPause,
                          [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_; });
}

void KafkaSnapshotStore::Run() {
  const auto has_work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || !waiting_.empty();
  };
  while (true) {
    std::vector<BucketCopy> round;
    {
      MutexLock lock(&mutex_);
      mutex_.Await(has_work);
      if (stopping_) return;
      round = std::exchange(waiting_, {});
    }
    const auto bytes = static_cast<int64_t>(BytesOf(round));
    for (BucketCopy& copy : round) Write(copy);
    MutexLock lock(&mutex_);
    probe_.pending_bytes.Set(probe_.pending_bytes.value() - bytes);
  }
}

void KafkaSnapshotStore::Write(BucketCopy& copy) {
  const size_t bytes = copy.image.size();
  const std::optional<PublishedSnapshot> published = writer_.Publish(copy);
  if (!published.has_value()) return;
  probe_.buckets_saved.Add(1);
  probe_.bytes_saved.Add(bytes);
  {
    MutexLock lock(&mutex_);
    saved_.push_back({copy.lease, copy.bucket, copy.offset});
  }
  if (writer_.DeleteReplaced(*published)) probe_.sets_replaced.Add(1);
}

bool KafkaSnapshotStore::WriteAll(const PartitionLease& lease, std::vector<StateWrite>& writes) {
  const Target target = {topics_.topics[lease.stream()], lease.partition()};
  while (true) {
    for (StateWrite& write : writes) {
      if (write.acknowledged) continue;
      if (!write.tombstone && HitFailpoint(Failpoint::kSnapshotChunk)) break;
      Produce(target, write);
    }
    // Every report has come before the messages go.
    while (in_flight_ > 0) {
      if (stopping()) {
        rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
      }
      rd_kafka_poll(client_.get(), kPollMs);
    }
    const bool done = std::all_of(writes.begin(), writes.end(),
                                  [](const StateWrite& write) { return write.acknowledged; });
    if (done) return true;
    if (lease.lapsed() || !Backoff()) return false;
    probe_.failures.Add(1);
    LOG(kWarning, "snapshot", "copies of the state are not written yet, trying again",
        {{"topic", target.topic}, {"partition", target.partition}});
    if (rd_kafka_fatal_error(client_.get(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (const absl::Status status = Connect(); !status.ok()) {
        LOG(kError, "snapshot", "no producer", {{"error", agents::MessageOf(status)}});
      }
    }
  }
}

void KafkaSnapshotStore::Produce(const Target& target, StateWrite& write) {
  while (true) {
    const rd_kafka_resp_err_t error =
        rd_kafka_producev(client_.get(), RD_KAFKA_V_TOPIC(target.topic.c_str()),
                          RD_KAFKA_V_PARTITION(target.partition),
                          RD_KAFKA_V_KEY(write.record.key.data(), write.record.key.size()),
                          RD_KAFKA_V_VALUE(write.tombstone ? nullptr : write.record.value.data(),
                                           write.tombstone ? 0 : write.record.value.size()),
                          RD_KAFKA_V_OPAQUE(&write), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      in_flight_ += 1;
      return;
    }
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL || stopping()) return;  // not acknowledged
    rd_kafka_poll(client_.get(), kPollMs);
  }
}

void KafkaSnapshotStore::OnDelivery(rd_kafka_t* /*client*/, const rd_kafka_message_t* message,
                                    void* opaque) {
  static_cast<StateWrite*>(message->_private)->acknowledged =
      message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
  static_cast<KafkaSnapshotStore*>(opaque)->in_flight_ -= 1;
}

}  // namespace caracal::pipeline
