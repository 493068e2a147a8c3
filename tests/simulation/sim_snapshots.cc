#include "tests/simulation/sim_snapshots.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "agents/ruleset/bucket_image.h"
#include "agents/ruleset/bucket_state.h"
#include "pipeline/snapshot/state_key.h"

namespace caracal::pipeline::sim {

SimSnapshots::SimSnapshots(Process& process)
    : process_(process),
      world_(process.world),
      writer_(process.rules.state_topics(), catalogs_, *this, kValueBytesMax),
      restorer_(
          process.rules.state_topics(),
          [this](const ImageRequest& request) { return ReadImage(request); }, catalogs_, *this,
          probe_) {
  process_.Start([this] { WriteLoop(); });
}

void SimSnapshots::Save(std::vector<BucketCopy> snapshots) {
  for (BucketCopy& copy : snapshots) {
    const int32_t partition = copy.lease->partition();
    if (copy.offset > world_.ledger.committed(partition)) {
      world_.Fail(fmt::format("{}: copy of {}/{} at {} is handed over before that is committed",
                              process_.name, partition, copy.bucket, copy.offset));
    }
    const auto state = process_.rules.Read(WholeImageOf(copy));
    if (state == nullptr) {
      world_.Fail("an image cannot be read back");
    } else {
      world_.ledger.OnState("copy", *process_.opened.at(copy.lease), partition, copy.bucket,
                            copy.offset, state->Digest());
    }
    waiting_.push_back(std::move(copy));
  }
}

std::string SimSnapshots::WholeImageOf(const BucketCopy& copy) {
  auto& [offset, image] = bases_[{copy.lease, copy.bucket}];
  ++world_.copies;
  if (copy.base < 0) {
    offset = copy.offset;
    image = copy.image;
    return image;
  }
  ++world_.changes_saved;
  if (offset != copy.base) world_.Fail("changes to another than the last whole copy");
  return agents::BucketImage::WithChanges(image, copy.image).value_or("");
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
      saved_.push_back({copy.lease, copy.bucket, offset, published->id.is_whole()});
      static_cast<void>(writer_.DeleteReplaced(*published));
    }
    writing_ = false;
  }
}

bool SimSnapshots::WriteAll(const PartitionLease& lease, std::vector<StateWrite>& writes) {
  for (StateWrite& write : writes) {
    const int32_t partition = lease.partition();
    const auto append = [&world = world_, partition, key = write.key, value = write.value] {
      const StateKey parsed = ParseStateKey(key);
      if (parsed.kind == StateKeyKind::kChunk && value.has_value()) {
        world.ledger.OnCopyRecord(partition, parsed.chunk.snapshot.offset);
      }
      world.state.Append(partition, key, value);
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

absl::StatusOr<std::vector<LoadedState>> SimSnapshots::Load(
    std::span<const RestoreRequest> requests, OffsetStore& offsets) {
  std::vector<LoadedState> states;
  for (const RestoreRequest& request : requests) {
    ASSIGN_OR_RETURN(LoadedState state, Read(request, offsets));
    states.push_back(std::move(state));
  }
  return states;
}

absl::Status SimSnapshots::RecordRules(std::span<const LeasePtr> leases) {
  if (world_.Mutated(Mutation::kNoTexts)) return absl::OkStatus();
  return restorer_.RecordRules(leases);
}

absl::StatusOr<std::shared_ptr<agents::BucketState>> SimSnapshots::ReadImage(
    const ImageRequest& request) {
  const bool carry_nothing = world_.Mutated(Mutation::kCarryNothing) && !request.exact;
  const std::span<const agents::StateDigest> carried =
      carry_nothing ? std::span<const agents::StateDigest>() : std::span(request.carried);
  const StreamPlan& plan = process_.rules.plan();
  auto restored = agents::BucketState::Parse(
      plan.rulesets, plan.limits, Model::kBuckets,
      request.changes.empty() || world_.Mutated(Mutation::kForgetChanges)
          ? std::string(request.image)
          : agents::BucketImage::WithChanges(request.image, request.changes).value_or(""),
      carried);
  const bool has_all = restored.ok() && restored->report.slices_carried == carried.size();
  if (!restored.ok() || (request.exact && !(has_all && restored->report.exact))) {
    world_.Fail("a complete copy cannot be read back");
    return absl::DataLossError("not read");
  }
  // Of rules that were activated and never judged anything.
  if (!has_all) return absl::FailedPreconditionError("of other rules");
  if (!request.exact) world_.slices_carried += carried.size();
  return std::make_shared<agents::BucketState>(std::move(restored->state));
}

absl::StatusOr<LoadedState> SimSnapshots::Read(const RestoreRequest& request,
                                               OffsetStore& offsets) {
  const int32_t partition = request.lease->partition();
  RestoreRequest asked = request;
  if (world_.Mutated(Mutation::kCopiesAhead)) asked.committed = INT64_MAX;
  StateReading reading = restorer_.Begin(asked);
  std::map<uint32_t, int64_t> parts;
  const int64_t high = world_.state.HighWatermark(partition);
  int64_t next = 0;
  while (const StateTopic::Entry* entry = world_.state.Read(partition, next)) {
    if (entry->offset >= high) break;
    next = entry->offset + 1;
    reading.Add(entry->key,
                entry->value.has_value() ? std::string_view(*entry->value) : std::string_view());
    const StateKey key = ParseStateKey(entry->key);
    const int64_t offset = key.chunk.snapshot.offset;
    if (key.kind == StateKeyKind::kChunk && entry->value.has_value() &&
        offset <= request.committed) {
      int64_t& newest = parts[key.chunk.place.bucket];
      newest = std::max(newest, offset);
    }
    // Others write and compact meanwhile.
    if (world_.random.Percent(10)) process_.Delay();
    if (process_.dead()) return absl::UnavailableError("dead");
  }
  const uint64_t restored = probe_.changes_restored.value();
  ASSIGN_OR_RETURN(LoadedState state, restorer_.Finish(std::move(reading), offsets));
  world_.changes_restored += probe_.changes_restored.value() - restored;
  if (world_.Mutated(Mutation::kTakeParts)) TakeParts(parts, process_.rules.plan(), state);
  return state;
}

void SimSnapshots::TakeParts(const std::map<uint32_t, int64_t>& parts, const StreamPlan& plan,
                             LoadedState& state) {
  auto buckets = std::make_shared<RestoredState>();
  for (const auto& [bucket, offset] : parts) {
    const auto whole = std::find_if(state.buckets->begin(), state.buckets->end(),
                                    [b = bucket, o = offset](const RestoredBucket& candidate) {
                                      return candidate.bucket == b && candidate.offset == o;
                                    });
    if (whole != state.buckets->end()) {
      buckets->push_back(*whole);
    } else {
      buckets->push_back(
          {bucket, offset, std::make_shared<agents::BucketState>(plan.rulesets, plan.limits)});
    }
  }
  state.buckets = std::move(buckets);
}

}  // namespace caracal::pipeline::sim
