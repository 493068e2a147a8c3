#include "pipeline/source/partition_restorer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/base/log.h"
#include "pipeline/types/offset_metadata.h"

namespace caracal::pipeline {
namespace {

constexpr int kRpcTimeoutMs = 5000;
constexpr absl::Duration kRetryPause = absl::Milliseconds(200);
// A resigning coordinator may answer "none" once; a fresh partition must say so three times.
constexpr int kFreshReads = 3;

KafkaPartitionList OnePartition(const PartitionLease& lease) {
  KafkaPartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), lease.topic().c_str(), lease.partition());
  return list;
}

// A broker that has just become the leader does not know the partition yet.
bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsNotFound(status);
}

std::string Name(const PartitionLease& lease) {
  return fmt::format("{} [{}]", lease.topic(), lease.partition());
}

}  // namespace

PartitionRestorer::PartitionRestorer(rd_kafka_t* client, OffsetStore& offsets,
                                     const SourceOptions& options, std::function<void()> on_ready)
    : client_(client), offsets_(offsets), options_(options), on_ready_(std::move(on_ready)) {}

PartitionRestorer::~PartitionRestorer() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void PartitionRestorer::Start() {
  thread_ = std::thread([this] { Run(); });
}

void PartitionRestorer::Submit(std::vector<LeasePtr> leases) {
  absl::MutexLock lock(&mutex_);
  for (LeasePtr& lease : leases) requests_.push_back(std::move(lease));
}

std::vector<RestoredPartition> PartitionRestorer::Take() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(finished_, {});
}

bool PartitionRestorer::stopping() const {
  absl::MutexLock lock(&mutex_);
  return stopping_;
}

bool PartitionRestorer::Backoff() {
  absl::MutexLock lock(&mutex_);
  return !mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kRetryPause);
}

void PartitionRestorer::Run() {
  const auto has_work = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return stopping_ || !requests_.empty();
  };
  while (true) {
    std::vector<Request> requests;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(&has_work));
      if (stopping_) return;
      for (LeasePtr& lease : requests_) requests.push_back({.lease = std::move(lease)});
      requests_.clear();
    }
    Serve(std::move(requests));
  }
}

void PartitionRestorer::Serve(std::vector<Request> requests) {
  while (!requests.empty() && !stopping()) {
    std::erase_if(requests, [](const Request& request) { return request.lease->lapsed(); });
    absl::Status round = ReadCommitted(requests);
    std::vector<Request> again;
    for (Request& request : requests) {
      if (stopping()) return;
      if (request.lease->lapsed()) continue;
      absl::StatusOr<StartPosition> position =
          round.ok() ? Locate(request) : absl::StatusOr<StartPosition>(round);
      if (position.ok() || !MayPass(position.status())) {
        Finish(request.lease, std::move(position));
        continue;
      }
      round = position.status();
      again.push_back({.lease = std::move(request.lease)});
    }
    requests = std::move(again);
    if (requests.empty()) return;
    LOG(kWarning, "source", "cannot find the start of some partitions yet, trying again",
        {{"partitions", requests.size()}, {"error", agents::MessageOf(round)}});
    if (!Backoff()) return;
  }
}

void PartitionRestorer::Finish(const LeasePtr& lease, absl::StatusOr<StartPosition> position) {
  if (lease->lapsed()) return;
  {
    absl::MutexLock lock(&mutex_);
    finished_.push_back({lease, std::move(position)});
  }
  on_ready_();
}

absl::Status PartitionRestorer::ReadCommitted(std::vector<Request>& requests) {
  for (int read = 0; read < kFreshReads; ++read) {
    std::vector<Request*> missing;
    for (Request& request : requests) {
      if (request.committed < 0) missing.push_back(&request);
    }
    if (missing.empty()) return absl::OkStatus();
    if (read > 0 && !Backoff()) return absl::UnavailableError("stopping");
    const KafkaPartitionList list(
        rd_kafka_topic_partition_list_new(static_cast<int>(missing.size())));
    for (const Request* request : missing) {
      rd_kafka_topic_partition_list_add(list.get(), request->lease->topic().c_str(),
                                        request->lease->partition());
    }
    constexpr std::string_view kContext = "reading the group's committed offsets";
    RETURN_IF_ERROR(KafkaStatus(rd_kafka_committed(client_, list.get(), kRpcTimeoutMs), kContext));
    for (size_t i = 0; i < missing.size(); ++i) {
      const rd_kafka_topic_partition_t& entry = list->elems[i];
      RETURN_IF_ERROR(KafkaStatus(entry.err, kContext));
      missing[i]->committed = entry.offset < 0 ? -1 : entry.offset;
      if (entry.metadata != nullptr) {
        missing[i]->metadata.assign(static_cast<const char*>(entry.metadata), entry.metadata_size);
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<StartPosition> PartitionRestorer::Locate(const Request& request) {
  ASSIGN_OR_RETURN(const Watermarks marks, QueryWatermarks(request.lease));
  return request.committed < 0 ? StartFresh(request.lease, marks) : Continue(request, marks);
}

absl::StatusOr<PartitionRestorer::Watermarks> PartitionRestorer::QueryWatermarks(
    const LeasePtr& lease) {
  Watermarks marks;
  RETURN_IF_ERROR(KafkaStatus(
      rd_kafka_query_watermark_offsets(client_, lease->topic().c_str(), lease->partition(),
                                       &marks.low, &marks.high, kRpcTimeoutMs),
      fmt::format("reading the log start and end of {}", Name(*lease))));
  return marks;
}

absl::StatusOr<int64_t> PartitionRestorer::ResolveStart(const LeasePtr& lease,
                                                        const StartPoint& point,
                                                        const Watermarks& marks) {
  switch (point.kind) {
    case StartPoint::Kind::kEarliest:
      return marks.low;
    case StartPoint::Kind::kLatest:
      return marks.high;
    case StartPoint::Kind::kTime:
      break;
  }
  const KafkaPartitionList list = OnePartition(*lease);
  list->elems[0].offset = point.time_ms;
  const std::string context = fmt::format("looking up a time in {}", Name(*lease));
  RETURN_IF_ERROR(
      KafkaStatus(rd_kafka_offsets_for_times(client_, list.get(), kRpcTimeoutMs), context));
  RETURN_IF_ERROR(KafkaStatus(list->elems[0].err, context));
  // -1: every record is older than the time.
  return list->elems[0].offset < 0 ? marks.high : list->elems[0].offset;
}

absl::StatusOr<StartPosition> PartitionRestorer::StartFresh(const LeasePtr& lease,
                                                            const Watermarks& marks) {
  const SourceTopic& topic = options_.topics[lease->stream()];
  StartPosition position;
  ASSIGN_OR_RETURN(position.activation, ResolveStart(lease, topic.from, marks));
  ASSIGN_OR_RETURN(position.alert_from, ResolveStart(lease, topic.alert_from, marks));
  position.alert_from = std::max(position.alert_from, position.activation);
  position.replay_from = position.activation;
  position.committed = position.activation;
  const OffsetCommit commit = {
      lease->topic(), lease->partition(), position.activation,
      FormatOffsetMetadata({position.activation, position.alert_from, options_.rules})};
  const OffsetCommitResult result = offsets_.Commit({&commit, 1});
  switch (result.outcome) {
    case OffsetCommitOutcome::kCommitted:
      break;
    case OffsetCommitOutcome::kRebalancing:
    case OffsetCommitOutcome::kTransient:
      return absl::UnavailableError(result.message);
    case OffsetCommitOutcome::kFatal:
      return absl::InternalError(result.message);
  }
  LOG(kInfo, "source", "fresh partition",
      {{"topic", lease->topic()},
       {"partition", lease->partition()},
       {"from", position.activation},
       {"alert_from", position.alert_from}});
  return position;
}

absl::StatusOr<StartPosition> PartitionRestorer::Continue(const Request& request,
                                                          const Watermarks& marks) {
  const LeasePtr& lease = request.lease;
  const int64_t committed = request.committed;
  if (committed > marks.high) {
    return absl::OutOfRangeError(
        fmt::format("{}: the committed offset {} lies beyond the end of the log ({}): the topic "
                    "was re-created or "
                    "truncated. Nothing was consumed. If the new log is right, reset the group's "
                    "offset with the "
                    "Kafka tools (kafka-consumer-groups --reset-offsets) and start again",
                    Name(*lease), committed, marks.high));
  }
  if (committed < marks.low) {
    return absl::OutOfRangeError(
        fmt::format("{}: the committed offset {} has expired: the log now starts at {}, {} records "
                    "were deleted "
                    "before they were judged. Nothing was consumed. To accept the loss, reset the "
                    "group's offset "
                    "with the Kafka tools (kafka-consumer-groups --reset-offsets --to-earliest) "
                    "and start again",
                    Name(*lease), committed, marks.low, marks.low - committed));
  }
  StartPosition position;
  position.committed = committed;
  absl::StatusOr<OffsetMetadata> parsed = ParseOffsetMetadata(request.metadata);
  if (parsed.ok()) {
    position.activation = std::min(parsed->activation, committed);
    position.alert_from = parsed->alert_from;
  } else {
    // An operator set the offset with other tools: state is rebuilt from all that is left.
    LOG(kWarning, "source", "committed offset without our metadata: replaying from the log start",
        {{"topic", lease->topic()}, {"partition", lease->partition()}, {"committed", committed}});
    position.activation = marks.low;
    position.alert_from = committed;
  }
  position.replay_from = std::max(position.activation, marks.low);
  position.state_gap = position.replay_from > position.activation;
  if (position.state_gap) {
    LOG(kWarning, "source",
        "state gap: retention has passed the first record the state was built from",
        {{"topic", lease->topic()},
         {"partition", lease->partition()},
         {"activation", position.activation},
         {"log_start", marks.low}});
  }
  return position;
}

}  // namespace caracal::pipeline
