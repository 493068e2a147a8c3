#include "tests/simulation/sim_source.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/api/check.h"
#include "agents/api/status_macros.h"
#include "pipeline/types/offset_metadata.h"

namespace caracal::pipeline::sim {
namespace {

constexpr int kFreshReads = 3;

}  // namespace

SimSource::SimSource(Process& process, OffsetStore& offsets, SnapshotLoader& snapshots)
    : process_(process), world_(process.world), offsets_(offsets), snapshots_(snapshots) {
  process_.Start([this] { RestoreLoop(); });
}

void SimSource::Tick() {
  // The application is asked before the client joins again.
  const bool busy = !callbacks_.empty() || revoking_.has_value();
  if (joining_) {
    if (const auto assignment = world_.group.TakeAssignment(membership_.member)) {
      joining_ = false;
      Rebalance(*assignment);
      return;
    }
  } else if (must_join_) {
    const bool expelled = !membership_.member.empty() &&
                          world_.group.Heartbeat(membership_.member, membership_.generation,
                                                 world_.now_us()) == Group::Answer::kUnknownMember;
    if (expelled) LoseAll();
    if (expelled || busy) return;
    membership_.member = world_.group.Join(membership_.member, assigned_, world_.now_us());
    must_join_ = false;
    joining_ = true;
    return;
  }
  switch (world_.group.Heartbeat(membership_.member, membership_.generation, world_.now_us())) {
    case Group::Answer::kOk:
      return;
    case Group::Answer::kJoinAgain:
      must_join_ = true;
      joining_ = false;
      return;
    case Group::Answer::kUnknownMember:
      LoseAll();
      return;
  }
}

void SimSource::Rebalance(const Group::Assignment& assignment) {
  membership_.generation = assignment.generation;
  Callback revoked;
  Callback added = {.assign = true};
  for (const int32_t partition : assigned_) {
    if (std::count(assignment.partitions.begin(), assignment.partitions.end(), partition) == 0) {
      revoked.partitions.push_back(partition);
    }
  }
  for (const int32_t partition : assignment.partitions) {
    if (std::count(assigned_.begin(), assigned_.end(), partition) == 0) {
      added.partitions.push_back(partition);
    }
  }
  process_.Trace(fmt::format("generation {}: {} taken away, {} given", assignment.generation,
                             revoked.partitions, added.partitions));
  assigned_ = assignment.partitions;
  if (!revoked.partitions.empty()) {
    // What was taken away can be given to others once we have joined without it.
    must_join_ = true;
    callbacks_.push_back(std::move(revoked));
  }
  if (!added.partitions.empty()) callbacks_.push_back(std::move(added));
}

void SimSource::LoseAll() {
  process_.Trace(fmt::format("expelled: {} lost", assigned_));
  membership_ = {};
  must_join_ = true;
  joining_ = false;
  callbacks_.push_back({.assign = false, .lost = true, .partitions = std::exchange(assigned_, {})});
}

void SimSource::ServeCallbacks() {
  while (!callbacks_.empty() && !revoking_.has_value()) {
    const Callback callback = std::move(callbacks_.front());
    callbacks_.pop_front();
    if (callback.assign) {
      OnAssign(callback);
    } else {
      OnRevoke(callback);
    }
  }
}

void SimSource::OnRevoke(const Callback& callback) {
  rebalancing_ = true;
  for (const int32_t partition : callback.partitions) {
    const auto found = owned_.find(partition);
    if (found == owned_.end()) continue;
    const LeasePtr& lease = found->second.open.lease;
    if (!world_.Mutated(Mutation::kKeepLeases)) lease->Lapse();
    if (found->second.opened) {
      changes_.emplace_back(PartitionRevoked{lease, callback.lost});
    } else {
      lease->Lapse();
      slots_[lease->slot()] = false;
    }
    owned_.erase(found);
  }
  if (callback.lost) {
    rebalancing_ = false;
    return;
  }
  revoking_ = callback;
  revoke_deadline_us_ = world_.now_us() + kGraceMicros;
}

void SimSource::OnAssign(const Callback& callback) {
  for (const int32_t partition : callback.partitions) {
    Owned owned;
    owned.open.lease = std::make_shared<PartitionLease>(
        next_lease_++, uint16_t{0}, world_.model.decode().topic, partition, TakeSlot());
    to_restore_.push_back(owned.open.lease);
    owned_.insert_or_assign(partition, std::move(owned));
  }
  rebalancing_ = false;
}

void SimSource::FinishRevoke() {
  revoking_.reset();
  rebalancing_ = false;
}

void SimSource::Leave() {
  if (!world_.random.Percent(world_.faults.request_lost)) {
    world_.group.Leave(membership_.member, world_.now_us());
  }
}

absl::Status SimSource::Poll(absl::Duration /*max_wait*/, bool want_records, PollResult& result) {
  if (while_polling_ != nullptr) while_polling_();
  result.changes.clear();
  result.records = nullptr;
  ServeCallbacks();
  if (revoking_.has_value() && world_.now_us() >= revoke_deadline_us_) FinishRevoke();
  RETURN_IF_ERROR(OpenRestored(result));
  result.changes.insert(result.changes.begin(), changes_.begin(), changes_.end());
  changes_.clear();
  if (want_records) Deliver(result);
  return absl::OkStatus();
}

absl::Status SimSource::OpenRestored(PollResult& result) {
  for (Request& request : std::exchange(restored_, {})) {
    const auto found = owned_.find(request.lease->partition());
    if (found == owned_.end() || found->second.open.lease != request.lease) continue;
    RETURN_IF_ERROR(request.position.status());
    Owned& owned = found->second;
    owned.opened = true;
    owned.open.next_offset = request.position->replay_from;
    process_.opened[request.lease] = &world_.judgements.Of(
        request.lease->partition(), ActivationsOf(MetadataOf(*request.position)));
    owned.open.copies.assign(Model::kBuckets, 0);
    for (const RestoredBucket& copy : *request.state.buckets) {
      owned.open.copies[copy.bucket] = copy.offset;
    }
    process_.Trace(fmt::format("partition {} opened: replay from {}, committed {}",
                               request.lease->partition(), request.position->replay_from,
                               request.position->committed));
    result.changes.push_back(
        PartitionOpened{request.lease, *request.position, std::move(request.state.buckets)});
  }
  return absl::OkStatus();
}

void SimSource::Deliver(PollResult& result) {
  auto batch = std::make_shared<FakeRecordBatch>();
  int64_t left = world_.random.Between(1, 24);
  for (auto& [partition, owned] : owned_) {
    if (!owned.opened) continue;
    const auto p = static_cast<size_t>(partition);
    int64_t& next = owned.open.next_offset;
    for (; left > 0 && next < world_.log_ends[p]; ++next, --left) {
      batch->Add(owned.open.lease, next, world_.workload.logs[p][static_cast<size_t>(next)]);
    }
  }
  batch->set_full(left == 0);
  if (!batch->records().empty()) result.records = std::move(batch);
}

void SimSource::Release(std::span<const LeasePtr> leases) {
  for (const LeasePtr& lease : leases) slots_[lease->slot()] = false;
  FinishRevoke();
}

std::string SimSource::GroupMetadata() {
  if (membership_.member.empty() || membership_.generation < 0) return "";
  return fmt::format("{}|{}", membership_.generation, membership_.member);
}

Transactions::Membership SimSource::ParseMetadata(const std::string& metadata) {
  Transactions::Membership membership;
  const size_t bar = metadata.find('|');
  CHECK(bar != std::string::npos);
  std::from_chars(metadata.data(), metadata.data() + bar, membership.generation);
  membership.member = metadata.substr(bar + 1);
  return membership;
}

std::vector<SimSource::Open> SimSource::OpenPartitions() const {
  std::vector<Open> open;
  for (const auto& [partition, owned] : owned_) {
    if (owned.opened) open.push_back(owned.open);
  }
  return open;
}

uint32_t SimSource::TakeSlot() {
  const auto free = std::find(slots_.begin(), slots_.end(), false);
  const auto slot = static_cast<uint32_t>(free - slots_.begin());
  if (free == slots_.end()) {
    slots_.push_back(true);
  } else {
    *free = true;
  }
  return slot;
}

void SimSource::RestoreLoop() {
  while (!process_.dead()) {
    process_.Await([this] { return !to_restore_.empty(); });
    if (process_.dead()) return;
    Restore(std::exchange(to_restore_, {}));
  }
}

void SimSource::Restore(std::vector<LeasePtr> leases) {
  while (!process_.dead()) {
    std::erase_if(leases, [](const LeasePtr& lease) { return lease->lapsed(); });
    if (leases.empty()) return;
    std::vector<Request> requests;
    for (const LeasePtr& lease : leases) requests.push_back({.lease = lease});
    if (Locate(requests)) {
      for (Request& request : requests) {
        if (absl::IsUnavailable(request.position.status())) continue;
        std::erase(leases, request.lease);
        if (!request.lease->lapsed()) restored_.push_back(std::move(request));
      }
    }
    process_.Wait(world_.random.Below(200'000));
  }
}

bool SimSource::ReadCommitted(std::vector<Request>& requests) {
  for (int read = 0; read < kFreshReads; ++read) {
    std::vector<Request*> missing;
    std::vector<LeasePtr> leases;
    for (Request& request : requests) {
      if (request.committed.offset >= 0) continue;
      missing.push_back(&request);
      leases.push_back(request.lease);
    }
    if (missing.empty()) return true;
    const auto committed = offsets_.Committed(leases, absl::Seconds(5));
    if (!committed.ok()) return false;
    for (size_t i = 0; i < missing.size(); ++i) {
      missing[i]->committed = {(*committed)[i].offset, (*committed)[i].metadata};
    }
  }
  return true;
}

PartitionFacts SimSource::FactsOf(const Request& request) const {
  return {*request.lease, request.committed.offset, request.committed.metadata, /*log_start=*/0,
          world_.log_ends[static_cast<size_t>(request.lease->partition())]};
}

bool SimSource::Plan(std::vector<Request>& requests) {
  for (Request& request : requests) {
    if (request.committed.offset < 0) continue;
    absl::StatusOr<StatePlan> plan = PlanState(FactsOf(request), process_.rules.hash());
    if (!plan.ok()) {
      request.position = plan.status();
      return false;
    }
    request.plan = *std::move(plan);
    const RecordMark& last = request.plan.recorded.last;
    if (last.offset < 0) continue;
    const auto partition = static_cast<size_t>(request.lease->partition());
    const FakeRecord& record = world_.workload.logs[partition][static_cast<size_t>(last.offset)];
    const RecordMark mark = MarkOf(last.offset, record.timestamp_ms, record.key,
                                   record.null_value ? std::string_view() : record.value);
    if (last != mark || last.offset >= request.committed.offset) {
      world_.Fail(fmt::format("partition {}: the mark of the last record is not that of {}",
                              partition, last.offset));
    }
  }
  return true;
}

bool SimSource::Locate(std::vector<Request>& requests) {
  if (!ReadCommitted(requests) || !Plan(requests)) return false;
  std::vector<RestoreRequest> wanted;
  for (const Request& request : requests) {
    wanted.push_back(
        {request.lease, request.committed.offset, request.plan.activations, request.plan.assumed});
  }
  auto states = snapshots_.Load(wanted, offsets_);
  if (!states.ok()) return false;
  for (size_t i = 0; i < requests.size(); ++i) requests[i].state = std::move((*states)[i]);
  for (Request& request : requests) {
    if (request.committed.offset >= 0) {
      request.position = ContinuedPosition(FactsOf(request), request.plan, request.state,
                                           {.buckets = Model::kBuckets});
    } else if (const absl::Status fresh = RequireNoState(*request.lease, request.state);
               !fresh.ok()) {
      request.position = fresh;
    } else {
      request.position = FreshPosition(0, 0, process_.rules.hash());
    }
  }
  return Record(requests);
}

bool SimSource::Record(std::vector<Request>& requests) {
  std::vector<LeasePtr> known, fresh;
  std::vector<OffsetCommit> commits;
  std::vector<Request*> changed;
  for (Request& request : requests) {
    if (!request.position.ok() || request.lease->lapsed()) continue;
    (request.committed.offset < 0 ? fresh : known).push_back(request.lease);
    const OffsetMetadata metadata = MetadataOf(*request.position);
    if (request.committed.offset >= 0 && request.plan.IsRecorded(metadata)) continue;
    const bool activates =
        request.committed.offset >= 0 && metadata.rules != request.plan.recorded.rules;
    if (activates && world_.Mutated(Mutation::kActivateLate)) continue;
    changed.push_back(&request);
    commits.push_back({request.lease->topic(), request.lease->partition(),
                       request.position->committed, FormatOffsetMetadata(metadata)});
  }
  if (!snapshots_.RecordRules(known).ok()) return false;
  if (commits.empty()) return true;
  // Once an owner of these partitions has lapsed, the next one may have committed further already.
  const bool lapsed = std::any_of(changed.begin(), changed.end(),
                                  [](const Request* request) { return request->lease->lapsed(); });
  OffsetCommitResult result = {OffsetCommitOutcome::kRebalancing, "a partition was taken away"};
  if (!lapsed) result = offsets_.Commit(commits);
  if (result.outcome == OffsetCommitOutcome::kCommitted) return snapshots_.RecordRules(fresh).ok();
  for (Request* request : changed) request->position = absl::UnavailableError(result.message);
  return true;
}

}  // namespace caracal::pipeline::sim
