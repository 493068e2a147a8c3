#include "pipeline/snapshot/state_restorer.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/base/log.h"
#include "pipeline/types/offset_metadata.h"

namespace caracal::pipeline {
namespace {

constexpr absl::Duration kAskMax = absl::Seconds(5);
// Of copies that are not complete: a few buckets, while their older ones are held.
constexpr size_t kIncompleteBytesMax = size_t{64} << 20;

std::string Name(const PartitionLease& lease) {
  return fmt::format("{} [{}]", lease.topic(), lease.partition());
}

/// A copy is saved after its offset was committed: one beyond C says that the group was set back,
/// or that C is history, because this process stood still while the next owner went on. Asked when
/// the copies have been seen, so that the answer is newer than they are.
absl::Status ConfirmCommitted(const RestoreRequest& request, OffsetStore& offsets) {
  ASSIGN_OR_RETURN(const std::vector<CommittedOffset> committed,
                   offsets.Committed({&request.lease, 1}, kAskMax));
  // Where another program's metadata stood, an owner since has put its own.
  const bool taken = request.assumed && ParseOffsetMetadata(committed[0].metadata).ok();
  if (committed[0].offset == request.committed && !taken) return absl::OkStatus();
  return absl::UnavailableError(fmt::format(
      "{}: the committed offset was {} and is {} now: another member has gone on meanwhile",
      Name(*request.lease), request.committed, committed[0].offset));
}

}  // namespace

void StateReading::Add(std::string_view key, std::string_view value) {
  const StateKey parsed = ParseStateKey(key);
  if (parsed.kind == StateKeyKind::kRules || parsed.kind == StateKeyKind::kRuleset) {
    shelf_.Add(parsed, value);
  } else {
    assembler_->Add(key, value);
  }
}

void RestoreProbe::NoteSpeed(uint64_t bytes, absl::Duration took) {
  if (bytes < kTellingBytes || took <= absl::ZeroDuration()) return;
  bytes_per_second.Set(
      static_cast<int64_t>(static_cast<double>(bytes) / absl::ToDoubleSeconds(took)));
}

StateReading StateRestorer::Begin(const RestoreRequest& request) const {
  const PartitionLease& lease = *request.lease;
  AssemblerOptions options;
  options.topic = lease.topic();
  options.partition = lease.partition();
  options.buckets = topics_.buckets;
  options.seed_fingerprint = topics_.seed_fingerprint;
  options.layout = topics_.layouts[lease.stream()];
  options.committed = request.committed;
  // Of earlier rules, as long as nothing was judged by the new ones.
  const bool has_earlier = request.activations.size() > 1;
  if (has_earlier) options.carry_over_until = request.activations.back().offset;
  options.held_bytes_max =
      (2 * topics_.max_bytes_per_partition + kIncompleteBytesMax) * (has_earlier ? 2 : 1);
  return {request, std::move(options)};
}

absl::StatusOr<LoadedState> StateRestorer::Finish(StateReading reading, OffsetStore& offsets) {
  const RestoreRequest& request = reading.request_;
  const PartitionLease& lease = *request.lease;
  LoadedState state;
  // Perhaps it was not read to its end; and what lies beyond our offset may be its next owner's.
  if (lease.lapsed()) return state;
  AssembledState assembled = reading.assembler_->Finish();
  TellPassedOver(lease, assembled);
  for (const auto& [bucket, catalog] : assembled.catalogs) {
    if (!catalog.snapshots().empty()) {
      state.newest = std::max(state.newest, catalog.snapshots().rbegin()->first.offset);
    }
  }
  state.has_rules = !reading.shelf_.manifests().empty();
  if (request.committed < 0 && (state.newest >= 0 || state.has_rules)) {
    RETURN_IF_ERROR(ConfirmCommitted(request, offsets));
  }
  if (!request.activations.empty()) {
    const StateHistory history = FollowStates(request.activations, reading.shelf_.manifests(),
                                              topics_.rules[lease.stream()]);
    for (const std::string& rules : history.unknown) {
      LOG(kWarning, "snapshot",
          "the state topic does not say what earlier rules were: nothing of their state can be "
          "carried over",
          {{"partition", Name(lease)}, {"rules", rules}});
    }
    if (!history.scheme_change.empty()) {
      LOG(kError, "snapshot",
          "state starts anew here: keys are spread over buckets in another way than before, so "
          "nothing of before can be carried over. This setting is not to be changed in a group "
          "that is to keep its state",
          {{"partition", Name(lease)},
           {"setting", history.scheme_change},
           {"offset", history.base}});
    }
    state.base = history.base;
    state.starts = history.starts;
    // Where rules have changed, the states in a copy begin where the lost metadata said.
    const bool is_known = !request.assumed || reading.shelf_.manifests().size() <= 1;
    if (is_known) state.buckets = ReadBuckets(request, history, assembled);
    RETURN_IF_ERROR(
        Discard(request, is_known ? request.committed : -1, offsets, assembled.catalogs));
  }
  catalogs_.Set(lease, std::move(assembled.catalogs));
  shelves_.insert_or_assign({lease.stream(), lease.partition()}, std::move(reading.shelf_));
  return state;
}

void StateRestorer::TellPassedOver(const PartitionLease& lease, const AssembledState& assembled) {
  const AssemblerCounts& counts = assembled.counts;
  const uint64_t damaged = counts.damaged + counts.damaged_images;
  const uint64_t no_room = counts.beyond_limit + counts.dropped_chunks;
  const uint64_t missed = assembled.missed.size();
  PassedOverProbe& probe = probe_.passed_over;
  probe.damaged.Add(damaged);
  probe.older_format.Add(counts.older_format);
  probe.newer_format.Add(counts.newer_format);
  probe.other_scheme.Add(counts.other_scheme);
  probe.no_room.Add(no_room);
  probe.missed.Add(missed);
  const uint64_t all =
      damaged + counts.older_format + counts.newer_format + counts.other_scheme + no_room + missed;
  if (all == 0) return;
  LOG(kWarning, "snapshot",
      "the state topic holds what cannot be used: where nothing else stands in, records are "
      "replayed",
      {{"partition", Name(lease)},
       {"damaged", damaged},
       {"older_format", counts.older_format},
       {"newer_format", counts.newer_format},
       {"other_scheme", counts.other_scheme},
       {"no_room", no_room},
       {"missed", missed}});
}

std::shared_ptr<const RestoredState> StateRestorer::ReadBuckets(const RestoreRequest& request,
                                                                const StateHistory& history,
                                                                const AssembledState& assembled) {
  std::map<uint32_t, std::vector<Candidate>> copies;
  for (const auto* list : {&assembled.snapshots, &assembled.carry_over}) {
    for (const AssembledSnapshot& copy : *list) {
      const auto add = [&](std::string_view changes, int64_t offset) {
        // One that is as old as the state itself holds nothing of it.
        if (offset > history.base) copies[copy.bucket].push_back({&copy, changes, offset});
      };
      if (!copy.changes.empty()) add(copy.changes, copy.id.offset);
      add({}, copy.WholeId().offset);
    }
  }
  auto buckets = std::make_shared<RestoredState>();
  for (auto& [bucket, candidates] : copies) {
    int64_t offset = 0;
    auto state = ReadNewest(request, history, std::move(candidates), offset);
    if (state != nullptr) buckets->push_back({bucket, offset, std::move(state)});
  }
  if (!buckets->empty()) {
    LOG(kInfo, "snapshot", "state read back",
        {{"topic", request.lease->topic()},
         {"partition", request.lease->partition()},
         {"buckets", buckets->size()},
         {"of", topics_.buckets}});
  }
  return buckets;
}

std::shared_ptr<agents::BucketState> StateRestorer::ReadNewest(const RestoreRequest& request,
                                                               const StateHistory& history,
                                                               std::vector<Candidate> candidates,
                                                               int64_t& offset) {
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.offset > b.offset; });
  for (const Candidate& candidate : candidates) {
    ImageRequest wanted;
    wanted.stream = request.lease->stream();
    wanted.image = candidate.copy->image;
    wanted.changes = candidate.changes;
    wanted.exact = candidate.offset > request.activations.back().offset;
    for (const StateStart& start : history.starts) {
      if (start.offset < candidate.offset) wanted.carried.push_back(start.state);
    }
    absl::StatusOr<std::shared_ptr<agents::BucketState>> state = read_(wanted);
    if (state.ok()) {
      probe_.buckets_restored.Add(1);
      if (!candidate.changes.empty()) probe_.changes_restored.Add(1);
      offset = candidate.offset;
      return *std::move(state);
    }
    probe_.buckets_refused.Add(1);
    LOG(kWarning, "snapshot", "a copy of a bucket cannot be used: its records are replayed",
        {{"partition", Name(*request.lease)},
         {"bucket", candidate.copy->bucket},
         {"offset", candidate.offset},
         {"reason", agents::MessageOf(state.status())}});
  }
  return nullptr;
}

absl::Status StateRestorer::Discard(const RestoreRequest& request, int64_t offset,
                                    OffsetStore& offsets,
                                    std::map<uint32_t, SnapshotCatalog>& catalogs) {
  const PartitionLease& lease = *request.lease;
  std::vector<StateWrite> tombstones;
  uint64_t buckets = 0;
  for (auto& [bucket, catalog] : catalogs) {
    const std::vector<std::string> keys = catalog.KeysBeyond(offset);
    buckets += keys.empty() ? 0 : 1;
    for (const std::string& key : keys) tombstones.push_back({key, std::nullopt});
  }
  if (tombstones.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(ConfirmCommitted(request, offsets));
  LOG(kWarning, "snapshot",
      "the group was set back: copies of buckets beyond this offset are deleted (-1: all of them, "
      "because nothing says what they rest on), their records are judged again",
      {{"partition", Name(lease)}, {"beyond", offset}, {"buckets", buckets}});
  if (!log_.WriteAll(lease, tombstones)) {
    return absl::UnavailableError("copies beyond the committed offset are not deleted yet");
  }
  for (auto& [bucket, catalog] : catalogs) catalog.ForgetBeyond(offset);
  probe_.buckets_discarded.Add(buckets);
  return absl::OkStatus();
}

absl::Status StateRestorer::RecordRules(std::span<const LeasePtr> leases) {
  for (const LeasePtr& lease : leases) {
    const RulesRecord& rules = topics_.rules[lease->stream()];
    RulesShelf& shelf = shelves_[{lease->stream(), lease->partition()}];
    std::vector<StateWrite> writes = shelf.Missing(rules);
    if (writes.empty()) continue;
    if (!log_.WriteAll(*lease, writes)) {
      return absl::UnavailableError("the text of the rules is not in the state topic yet");
    }
    shelf.Note(rules);
  }
  return absl::OkStatus();
}

}  // namespace caracal::pipeline
