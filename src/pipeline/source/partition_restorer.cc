#include "pipeline/source/partition_restorer.h"

#include <pthread.h>

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/base/failpoint.h"
#include "pipeline/base/log.h"

namespace caracal::pipeline {
namespace {

constexpr int kRpcTimeoutMs = 5000;
constexpr absl::Duration kRetryPause = absl::Milliseconds(200);
// A resigning coordinator may answer "none" once; a fresh partition must say so three times.
constexpr int kFreshReads = 3;
// An open transaction on the offset of one partition holds up the answer for all asked with it.
constexpr absl::Duration kTogetherWait = absl::Seconds(2);
constexpr absl::Duration kAloneWaitMin = absl::Milliseconds(500);
constexpr absl::Duration kAloneWaitMax = absl::Seconds(5);
// A leader that moves fails all that are located together; the second time, each goes alone.
constexpr int kFailuresTogether = 1;

KafkaPartitionList OnePartition(const PartitionLease& lease) {
  KafkaPartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), lease.topic().c_str(), lease.partition());
  return list;
}

// A broker that has just become the leader does not know the partition yet: that passes.
absl::Status LeaderStatus(rd_kafka_resp_err_t error, std::string_view context) {
  absl::Status status = KafkaStatus(error, context);
  return absl::IsNotFound(status) ? absl::UnavailableError(agents::MessageOf(status)) : status;
}

std::string Name(const PartitionLease& lease) {
  return fmt::format("{} [{}]", lease.topic(), lease.partition());
}

/// How long a partition may make others wait that has had no stable offset so often.
absl::Duration AloneWait(int unstable) {
  return std::min(kAloneWaitMin * (1 << std::clamp(unstable - 1, 0, 10)), kAloneWaitMax);
}

}  // namespace

PartitionRestorer::PartitionRestorer(rd_kafka_t* client, OffsetStore& offsets,
                                     RecordReader& records, SnapshotLoader* snapshots,
                                     const SourceOptions& options, RestorerProbe& probe,
                                     std::function<void()> on_ready)
    : client_(client),
      offsets_(offsets),
      records_(records),
      snapshots_(snapshots),
      options_(options),
      probe_(probe),
      on_ready_(std::move(on_ready)) {}

PartitionRestorer::~PartitionRestorer() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  records_.Stop();
  if (snapshots_ != nullptr) snapshots_->Stop();
  if (thread_.joinable()) thread_.join();
}

void PartitionRestorer::Start() {
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "caracal-restore");
}

void PartitionRestorer::Submit(std::vector<LeasePtr> leases) {
  MutexLock lock(&mutex_);
  std::erase_if(unfinished_, [](const LeasePtr& lease) { return lease->lapsed(); });
  unfinished_.insert(unfinished_.end(), leases.begin(), leases.end());
  for (LeasePtr& lease : leases) requests_.push_back(std::move(lease));
}

std::vector<LeasePtr> PartitionRestorer::Restoring() const {
  MutexLock lock(&mutex_);
  std::vector<LeasePtr> restoring = unfinished_;
  std::erase_if(restoring, [](const LeasePtr& lease) { return lease->lapsed(); });
  return restoring;
}

std::vector<RestoredPartition> PartitionRestorer::Take() {
  MutexLock lock(&mutex_);
  return std::exchange(finished_, {});
}

bool PartitionRestorer::stopping() const {
  MutexLock lock(&mutex_);
  return stopping_;
}

bool PartitionRestorer::HasNew() const {
  MutexLock lock(&mutex_);
  return stopping_ || !requests_.empty();
}

bool PartitionRestorer::Backoff() {
  MutexLock lock(&mutex_);
  return !mutex_.AwaitFor(kRetryPause,
                          [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_; });
}

void PartitionRestorer::Run() {
  Requests requests;
  bool again = false;
  while (TakeNew(requests, again)) {
    std::erase_if(requests, [](const Request& request) { return request.lease->lapsed(); });
    again = !requests.empty() && Serve(requests);
  }
}

bool PartitionRestorer::TakeNew(Requests& requests, bool again) {
  const auto has_new = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || !requests_.empty();
  };
  MutexLock lock(&mutex_);
  if (requests.empty()) {
    mutex_.Await(has_new);
  } else if (again) {
    mutex_.AwaitFor(kRetryPause, has_new);
  }
  for (LeasePtr& lease : requests_) requests.push_back({.lease = std::move(lease)});
  requests_.clear();
  return !stopping_;
}

bool PartitionRestorer::Serve(Requests& requests) {
  Requests batch = TakeBatch(requests);
  if (batch.empty()) return true;
  absl::Status all = ReadCommitted(batch);
  if (absl::IsUnavailable(all)) {
    for (Request& request : batch) request.unstable += 1;
  } else if (all.ok()) {
    all = Locate(batch);
    if (absl::IsUnavailable(all)) {
      for (Request& request : batch) request.failed += 1;
    }
  }
  if (!all.ok()) {
    for (Request& request : batch) request.position = all;
  }
  return Settle(std::move(batch), requests);
}

PartitionRestorer::Requests PartitionRestorer::TakeBatch(Requests& requests) {
  Requests batch;
  Requests others;
  for (Request& request : requests) {
    const bool is_new = request.unstable == 0 && request.failed == 0;
    const bool taken = is_new && batch.size() < kTogetherMax;
    (taken ? batch : others).push_back(std::move(request));
  }
  requests = std::move(others);
  return batch.empty() ? TakeStable(requests) : std::move(batch);
}

PartitionRestorer::Requests PartitionRestorer::TakeStable(Requests& requests) {
  Requests stable;
  Requests unstable;
  Requests later;
  absl::Duration waited = absl::ZeroDuration();
  for (Request& request : requests) {
    const bool alone = request.failed > kFailuresTogether;
    const bool fits = stable.empty() || (!alone && stable.size() < kTogetherMax &&
                                         stable.front().failed <= kFailuresTogether);
    if (!fits || waited >= kAloneWaitMax || HasNew()) {
      later.push_back(std::move(request));
      continue;
    }
    Requests one;
    one.push_back(std::move(request));
    const absl::Duration wait = AloneWait(one.front().unstable);
    const absl::Status asked = AskCommitted(one, wait);
    if (absl::IsUnavailable(asked)) {
      one.front().position = asked;
      one.front().unstable += 1;
      waited += wait;
      unstable.push_back(std::move(one.front()));
    } else {
      stable.push_back(std::move(one.front()));
    }
  }
  requests = std::move(later);
  Settle(std::move(unstable), requests);
  return stable;
}

bool PartitionRestorer::Settle(Requests batch, Requests& requests) {
  std::string reason;
  std::string which;
  size_t again = 0;
  for (Request& request : batch) {
    if (!absl::IsUnavailable(request.position.status())) {
      Finish(std::move(request));
      continue;
    }
    if (again++ == 0) {
      which = Name(*request.lease);
      reason = agents::MessageOf(request.position.status());
    }
    // No longer new: those that wait for a stable offset get their turn.
    requests.push_back({std::move(request.lease), request.unstable, std::max(request.failed, 1)});
  }
  if (again == 0) return false;
  LOG(kWarning, "source", "cannot find the start of some partitions yet, trying again",
      {{"partitions", again}, {"first", which}, {"error", reason}});
  return true;
}

absl::Status PartitionRestorer::Locate(Requests& requests) {
  if (HitFailpoint(Failpoint::kRestoreCommitted)) {
    return absl::UnavailableError("failpoint after the committed offsets");
  }
  std::vector<Request*> all;
  for (Request& request : requests) all.push_back(&request);
  RETURN_IF_ERROR(ReadLimits(all));
  PlanStates(requests);
  RETURN_IF_ERROR(CheckSources(requests));
  RETURN_IF_ERROR(LoadState(requests));
  if (HitFailpoint(Failpoint::kRestoreState)) {
    return absl::UnavailableError("failpoint after the state");
  }
  for (Request& request : requests) {
    request.position = request.committed < 0 ? StartFresh(request) : Continue(request);
  }
  return Record(requests);
}

void PartitionRestorer::Finish(Request request) {
  if (request.lease->lapsed()) return;
  {
    MutexLock lock(&mutex_);
    std::erase(unfinished_, request.lease);
    finished_.push_back(
        {std::move(request.lease), std::move(request.position), std::move(request.state.buckets)});
  }
  on_ready_();
}

absl::Status PartitionRestorer::ReadCommitted(Requests& requests) {
  const auto open = [](const Request& request) {
    return request.committed < 0 && request.reads < kFreshReads;
  };
  while (std::any_of(requests.begin(), requests.end(), open)) {
    const bool again = std::any_of(requests.begin(), requests.end(),
                                   [](const Request& request) { return request.reads > 0; });
    if (again && !Backoff()) return absl::UnavailableError("stopping");
    RETURN_IF_ERROR(AskCommitted(requests, kTogetherWait));
  }
  return absl::OkStatus();
}

absl::Status PartitionRestorer::AskCommitted(Requests& requests, absl::Duration max_wait) {
  std::vector<Request*> missing;
  std::vector<LeasePtr> leases;
  for (Request& request : requests) {
    if (request.committed >= 0) continue;
    missing.push_back(&request);
    leases.push_back(request.lease);
  }
  ASSIGN_OR_RETURN(std::vector<CommittedOffset> committed, offsets_.Committed(leases, max_wait));
  for (size_t i = 0; i < missing.size(); ++i) {
    missing[i]->reads += 1;
    missing[i]->committed = committed[i].offset;
    missing[i]->metadata = std::move(committed[i].metadata);
  }
  return absl::OkStatus();
}

PartitionFacts PartitionRestorer::FactsOf(const Request& request) {
  return {*request.lease, request.committed, request.metadata, request.limits.low,
          request.limits.high};
}

absl::Status PartitionRestorer::ReadLimits(const std::vector<Request*>& requests) {
  if (requests.empty()) return absl::OkStatus();
  const KafkaPartitionList list(
      rd_kafka_topic_partition_list_new(static_cast<int>(requests.size())));
  for (const Request* request : requests) {
    rd_kafka_topic_partition_list_add(list.get(), request->lease->topic().c_str(),
                                      request->lease->partition());
  }
  const auto limits = ReadLogLimits(client_, list.get(), kRpcTimeoutMs,
                                    "reading the log start and end of the partitions");
  // The group has given them to this member: they are there, or will be again.
  if (absl::IsNotFound(limits.status())) {
    return absl::UnavailableError(agents::MessageOf(limits.status()));
  }
  RETURN_IF_ERROR(limits.status());
  for (size_t i = 0; i < requests.size(); ++i) requests[i]->limits = (*limits)[i];
  return absl::OkStatus();
}

absl::StatusOr<int64_t> PartitionRestorer::ResolveStart(const Request& request,
                                                        const StartPoint& point) {
  switch (point.kind) {
    case StartPoint::Kind::kEarliest:
      return request.limits.low;
    case StartPoint::Kind::kLatest:
      return request.limits.high;
    case StartPoint::Kind::kTime:
      break;
  }
  const KafkaPartitionList list = OnePartition(*request.lease);
  list->elems[0].offset = point.time_ms;
  const std::string context = fmt::format("looking up a time in {}", Name(*request.lease));
  RETURN_IF_ERROR(
      LeaderStatus(rd_kafka_offsets_for_times(client_, list.get(), kRpcTimeoutMs), context));
  RETURN_IF_ERROR(LeaderStatus(list->elems[0].err, context));
  // -1: every record is older than the time.
  return list->elems[0].offset < 0 ? request.limits.high : list->elems[0].offset;
}

void PartitionRestorer::PlanStates(Requests& requests) {
  for (Request& request : requests) {
    if (request.committed < 0) continue;
    request.plan = PlanState(FactsOf(request), options_.topics[request.lease->stream()].rules);
    if (!request.plan.ok()) continue;
    // Without a state topic nothing says what earlier rules were.
    std::vector<Activation>& activations = request.plan->activations;
    if (snapshots_ == nullptr) activations.erase(activations.begin(), activations.end() - 1);
  }
}

absl::Status PartitionRestorer::CheckSources(Requests& requests) {
  std::vector<RecordPlace> places;
  std::vector<Request*> checked;
  for (Request& request : requests) {
    if (!request.plan.ok()) continue;
    const RecordMark& last = request.plan->recorded.last;
    // What retention has removed cannot be looked at.
    if (last.offset < request.limits.low) continue;
    places.push_back({request.lease->topic(), request.lease->partition(), last.offset});
    checked.push_back(&request);
  }
  ASSIGN_OR_RETURN(const auto found, records_.Read(places));
  std::vector<Request*> changed;
  std::vector<std::optional<RecordMark>> instead;
  for (size_t i = 0; i < checked.size(); ++i) {
    if (found[i] == checked[i]->plan->recorded.last) continue;
    changed.push_back(checked[i]);
    instead.push_back(found[i]);
  }
  RETURN_IF_ERROR(ReadLimits(changed));
  for (size_t i = 0; i < changed.size(); ++i) {
    const int64_t last = changed[i]->plan->recorded.last.offset;
    if (last < changed[i]->limits.low) {
      changed[i]->plan = absl::UnavailableError(
          fmt::format("{}: retention has just removed the last record that was judged",
                      Name(*changed[i]->lease)));
      continue;
    }
    changed[i]->plan = absl::FailedPreconditionError(fmt::format(
        "{}: source_changed: the record at offset {}, the last one that was judged, is {}: the "
        "topic was re-created or truncated, or compaction has removed the record. Nothing was "
        "consumed. If the new log is right, stop the group, run `caracal offsets set --to "
        "beginning --reset-state` for this topic and start again",
        Name(*changed[i]->lease), last,
        instead[i].has_value() ? "another one now" : "no longer there"));
  }
  return absl::OkStatus();
}

absl::Status PartitionRestorer::LoadState(Requests& requests) {
  if (snapshots_ == nullptr) {
    for (Request& request : requests) {
      if (request.committed < 0 || !request.plan.ok()) continue;
      request.state.base = request.plan->activations.front().offset;
    }
    return absl::OkStatus();
  }
  std::vector<RestoreRequest> wanted;
  for (const Request& request : requests) {
    wanted.push_back({request.lease, request.committed});
    if (!request.plan.ok()) continue;
    wanted.back().activations = request.plan->activations;
    wanted.back().assumed = request.plan->assumed;
  }
  ASSIGN_OR_RETURN(std::vector<LoadedState> states, snapshots_->Load(wanted, offsets_));
  for (size_t i = 0; i < requests.size(); ++i) requests[i].state = std::move(states[i]);
  return absl::OkStatus();
}

absl::StatusOr<StartPosition> PartitionRestorer::StartFresh(const Request& request) {
  RETURN_IF_ERROR(RequireNoState(*request.lease, request.state));
  const SourceTopic& topic = options_.topics[request.lease->stream()];
  ASSIGN_OR_RETURN(const int64_t from, ResolveStart(request, topic.from));
  ASSIGN_OR_RETURN(const int64_t alert_from, ResolveStart(request, topic.alert_from));
  return FreshPosition(from, alert_from, topic.rules);
}

absl::StatusOr<StartPosition> PartitionRestorer::Continue(const Request& request) const {
  RETURN_IF_ERROR(request.plan.status());
  return ContinuedPosition(FactsOf(request), *request.plan, request.state,
                           {options_.buckets, options_.degrade_on_state_gap});
}

absl::Status PartitionRestorer::Record(Requests& requests) {
  // What is recorded with an offset must be found.
  RETURN_IF_ERROR(RecordRules(Located(requests, /*fresh=*/false)));
  std::vector<OffsetCommit> commits;
  std::vector<Request*> changed;
  for (Request& request : requests) {
    // A partition that was taken away meanwhile, perhaps while the rules were written, may have
    // been committed further by its next owner.
    if (!request.position.ok() || request.lease->lapsed()) continue;
    const OffsetMetadata metadata = MetadataOf(*request.position);
    if (request.committed >= 0 && request.plan->IsRecorded(metadata)) continue;
    changed.push_back(&request);
    commits.push_back({request.lease->topic(), request.lease->partition(),
                       request.position->committed, FormatOffsetMetadata(metadata)});
  }
  const OffsetCommitResult result = offsets_.Commit(commits);
  for (Request* request : changed) {
    switch (result.outcome) {
      case OffsetCommitOutcome::kCommitted:
        NoteRecorded(*request);
        break;
      case OffsetCommitOutcome::kRebalancing:
      case OffsetCommitOutcome::kTransient:
        request->position = absl::UnavailableError(result.message);
        break;
      case OffsetCommitOutcome::kFatal:
        request->position = absl::Status(result.code, result.message);
        break;
    }
  }
  // Afterwards: rules without an offset say that the offset was deleted.
  RETURN_IF_ERROR(RecordRules(Located(requests, /*fresh=*/true)));
  for (const Request& request : requests) {
    if (request.position.ok()) {
      owned_before_.emplace(request.lease->topic(), request.lease->partition());
    }
  }
  return absl::OkStatus();
}

std::vector<LeasePtr> PartitionRestorer::Located(const Requests& requests, bool fresh) {
  std::vector<LeasePtr> leases;
  for (const Request& request : requests) {
    if (!request.position.ok() || request.lease->lapsed()) continue;
    if ((request.committed < 0) == fresh) leases.push_back(request.lease);
  }
  return leases;
}

absl::Status PartitionRestorer::RecordRules(const std::vector<LeasePtr>& leases) {
  return snapshots_ == nullptr ? absl::OkStatus() : snapshots_->RecordRules(leases);
}

void PartitionRestorer::NoteRecorded(const Request& request) {
  const LeasePtr& lease = request.lease;
  const StartPosition& position = *request.position;
  if (request.committed < 0) {
    LOG(kInfo, "source", "fresh partition",
        {{"topic", lease->topic()},
         {"partition", lease->partition()},
         {"from", position.activation},
         {"alert_from", position.alert_from}});
    return;
  }
  const std::string& before = request.plan->recorded.rules;
  if (before == position.rules) return;
  probe_.activations.Add(1);
  LOG(kInfo, "source", "the group has recorded other rules: these take effect here",
      {{"topic", lease->topic()},
       {"partition", lease->partition()},
       {"offset", position.committed},
       {"rules", position.rules},
       {"before", before}});
  if (!owned_before_.contains({lease->topic(), lease->partition()})) return;
  probe_.rule_conflicts.Add(1);
  LOG(kError, "source",
      "another member has judged this partition by other rules since we did: members of the group "
      "have different rule files. Give all of them the same",
      {{"topic", lease->topic()},
       {"partition", lease->partition()},
       {"ours", position.rules},
       {"theirs", before}});
}

}  // namespace caracal::pipeline
