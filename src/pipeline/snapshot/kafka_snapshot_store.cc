#include "pipeline/snapshot/kafka_snapshot_store.h"

#include <iterator>
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
  ASSIGN_OR_RETURN(store->writer_,
                   StateTopicWriter::Create(store->topics_.connection,
                                            [store = store.get()] { return store->stopping(); }));
  return store;
}

KafkaSnapshotStore::KafkaSnapshotStore(StateTopics topics, SnapshotCatalogs& catalogs)
    : topics_(std::move(topics)), catalogs_(catalogs) {}

KafkaSnapshotStore::~KafkaSnapshotStore() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
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
  const PartitionLease& lease = *copy.lease;
  const size_t bytes = copy.image.size();
  const BucketChunks chunks({{lease.topic(), lease.partition(), copy.bucket},
                             {copy.offset, topics_.layouts[lease.stream()]},
                             topics_.buckets,
                             topics_.seed_fingerprint,
                             std::move(copy.image)});
  std::vector<StateWrite> writes;
  for (uint32_t i = 0; i < chunks.size(); ++i) {
    StateRecord record = chunks.Record(i);
    writes.push_back({std::move(record.key), std::move(record.value)});
  }
  catalogs_.Update(chunks.place(), [&chunks](SnapshotCatalog& catalog) {
    for (uint32_t i = 0; i < chunks.size(); ++i) catalog.AddChunk(chunks.id(), i);
  });
  if (!WriteAll(lease, writes)) return;
  std::vector<StateWrite> tombstones;
  for (std::string& key : catalogs_.Update(chunks.place(), [&chunks](SnapshotCatalog& catalog) {
         catalog.MarkComplete(chunks.id());
         return catalog.SupersededKeys(chunks.id());
       })) {
    tombstones.push_back({std::move(key), std::nullopt});
  }
  probe_.buckets_saved.Add(1);
  probe_.bytes_saved.Add(bytes);
  {
    MutexLock lock(&mutex_);
    saved_.push_back({copy.lease, copy.bucket, copy.offset});
  }
  if (tombstones.empty() || !WriteAll(lease, tombstones)) return;
  catalogs_.Update(chunks.place(),
                   [&chunks](SnapshotCatalog& catalog) { catalog.ForgetSuperseded(chunks.id()); });
  probe_.sets_replaced.Add(1);
}

bool KafkaSnapshotStore::WriteAll(const PartitionLease& lease, std::vector<StateWrite>& writes) {
  const uint64_t failures = writer_->failures();
  const bool written = writer_->Write(topics_.topics[lease.stream()], lease, writes);
  probe_.failures.Add(writer_->failures() - failures);
  return written;
}

}  // namespace caracal::pipeline
