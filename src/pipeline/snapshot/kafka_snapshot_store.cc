#include "pipeline/snapshot/kafka_snapshot_store.h"

#include <pthread.h>

#include <iterator>
#include <optional>
#include <utility>

#include "agents/api/status_macros.h"

namespace caracal::pipeline {
namespace {

size_t BytesOf(const std::vector<BucketCopy>& snapshots) {
  size_t bytes = 0;
  for (const BucketCopy& snapshot : snapshots) bytes += snapshot.image.size();
  return bytes;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaSnapshotStore>> KafkaSnapshotStore::Create(
    StateTopics topics, SnapshotCatalogs& catalogs) {
  std::unique_ptr<KafkaSnapshotStore> store(new KafkaSnapshotStore(std::move(topics), catalogs));
  ASSIGN_OR_RETURN(store->topic_writer_,
                   StateTopicWriter::Create(store->topics_.connection, store->topics_.topics,
                                            [store = store.get()] { return store->stopping(); }));
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
}

void KafkaSnapshotStore::Start() {
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "caracal-state");
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
  if (!published->id.is_whole()) probe_.changes_saved.Add(1);
  {
    MutexLock lock(&mutex_);
    saved_.push_back({copy.lease, copy.bucket, copy.offset, published->id.is_whole()});
  }
  if (writer_.DeleteReplaced(*published)) probe_.sets_replaced.Add(1);
}

bool KafkaSnapshotStore::WriteAll(const PartitionLease& lease, std::vector<StateWrite>& writes) {
  const uint64_t failures = topic_writer_->failures();
  const bool written = topic_writer_->WriteAll(lease, writes);
  probe_.failures.Add(topic_writer_->failures() - failures);
  return written;
}

}  // namespace caracal::pipeline
