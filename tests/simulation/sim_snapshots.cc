#include "tests/simulation/sim_snapshots.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "agents/ruleset/bucket_state.h"
#include "pipeline/snapshot/bucket_assembler.h"
#include "pipeline/snapshot/state_key.h"

namespace caracal::pipeline::sim {

SimSnapshots::SimSnapshots(Process& process)
    : process_(process),
      world_(process.world),
      writer_(world_.model.state_topics(), catalogs_, *this, kValueBytesMax) {
  process_.Start([this] { WriteLoop(); });
}

void SimSnapshots::Save(std::vector<BucketCopy> snapshots) {
  for (BucketCopy& copy : snapshots) {
    const int32_t partition = copy.lease->partition();
    if (copy.offset > world_.ledger.committed(partition)) {
      world_.Fail(fmt::format("{}: copy of {}/{} at {} is handed over before that is committed",
                              process_.name, partition, copy.bucket, copy.offset));
    }
    const auto state = world_.model.Read(copy.image);
    if (state == nullptr) {
      world_.Fail("an image cannot be read back");
    } else {
      world_.ledger.OnState("copy", partition, copy.bucket, copy.offset, state->Digest());
    }
    waiting_.push_back(std::move(copy));
  }
}

void SimSnapshots::WriteLoop() {
  while (!process_.dead()) {
    process_.Await([this] { return !waiting_.empty(); });
    if (process_.dead()) return;
    BucketCopy copy = std::move(waiting_.front());
    waiting_.pop_front();
    writing_ = true;
    const int64_t offset = copy.offset;
    if (const auto published = writer_.Publish(copy); published.has_value()) {
      process_.Trace(fmt::format("copy of {}/{} at {} is durable", copy.lease->partition(),
                                 copy.bucket, offset));
      saved_.push_back({copy.lease, copy.bucket, offset});
      static_cast<void>(writer_.DeleteReplaced(*published));
    }
    writing_ = false;
  }
}

bool SimSnapshots::WriteAll(const PartitionLease& lease, std::vector<StateWrite>& writes) {
  for (StateWrite& write : writes) {
    const int32_t partition = lease.partition();
    const auto append = [&world = world_, partition, record = write.record,
                         tombstone = write.tombstone] {
      world.ledger.OnCopyRecord(partition, ParseStateKey(record.key).chunk.snapshot.offset);
      world.state.Append(partition, record.key,
                         tombstone ? std::nullopt : std::optional(record.value));
    };
    process_.Delay();
    if (process_.dead()) {
      // What a producer had sent when its process died may arrive or not.
      if (world_.random.Percent(50)) world_.network.Later(world_.now_us() + 10'000, append);
      continue;
    }
    if (world_.random.Percent(world_.faults.request_lost) && lease.lapsed()) return false;
    append();
    write.acknowledged = true;
  }
  return !process_.dead();
}

absl::StatusOr<std::vector<std::shared_ptr<const RestoredState>>> SimSnapshots::Load(
    std::span<const RestoreRequest> requests) {
  std::vector<std::shared_ptr<const RestoredState>> states;
  for (const RestoreRequest& request : requests) {
    states.push_back(Read(request));
    if (process_.dead()) return absl::UnavailableError("dead");
  }
  return states;
}

std::shared_ptr<const RestoredState> SimSnapshots::Read(const RestoreRequest& request) {
  const StateTopics& topics = world_.model.state_topics();
  const int32_t partition = request.lease->partition();
  AssemblerOptions options;
  options.topic = request.lease->topic();
  options.partition = partition;
  options.buckets = topics.buckets;
  options.seed_fingerprint = topics.seed_fingerprint;
  options.layout = topics.layouts.front();
  options.committed = world_.Mutated(Mutation::kCopiesAhead) ? INT64_MAX : request.committed;
  BucketAssembler assembler(std::move(options));
  auto state = std::make_shared<RestoredState>();
  std::map<uint32_t, int64_t> parts;
  const int64_t high = world_.state.HighWatermark(partition);
  int64_t next = 0;
  while (const StateTopic::Entry* entry = world_.state.Read(partition, next)) {
    if (entry->offset >= high) break;
    next = entry->offset + 1;
    assembler.Add(entry->key,
                  entry->value.has_value() ? std::string_view(*entry->value) : std::string_view());
    const ChunkKey key = ParseStateKey(entry->key).chunk;
    if (entry->value.has_value() && key.snapshot.offset <= request.committed) {
      parts[key.place.bucket] = std::max(parts[key.place.bucket], key.snapshot.offset);
    }
    // Others write and compact meanwhile.
    if (world_.random.Percent(10)) process_.Delay();
    if (process_.dead()) return state;
  }
  AssembledState assembled = assembler.Finish();
  for (const AssembledSnapshot& snapshot : assembled.snapshots) {
    auto bucket = world_.model.Read(snapshot.image);
    if (bucket == nullptr) {
      world_.Fail("a complete copy cannot be read back");
      continue;
    }
    const bool newest = parts[snapshot.bucket] == snapshot.id.offset;
    if (world_.Mutated(Mutation::kTakeParts) && !newest) continue;
    state->push_back({snapshot.bucket, snapshot.id.offset, std::move(bucket)});
    parts.erase(snapshot.bucket);
  }
  if (world_.Mutated(Mutation::kTakeParts)) {
    for (const auto& [bucket, offset] : parts) {
      state->push_back({bucket, offset,
                        std::make_shared<agents::BucketState>(world_.model.plan().rulesets,
                                                              world_.model.plan().limits)});
    }
  }
  catalogs_.Set(*request.lease, std::move(assembled.catalogs));
  return state;
}

}  // namespace caracal::pipeline::sim
