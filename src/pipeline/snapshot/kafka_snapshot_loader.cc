#include "pipeline/snapshot/kafka_snapshot_loader.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/base/log.h"

namespace caracal::pipeline {
namespace {

constexpr int kRpcTimeoutMs = 5000;
constexpr int kPollMs = 100;

const KafkaProperties& DefaultProperties() {
  static const auto* const kDefaults = new KafkaProperties{
      {"fetch.wait.max.ms", "50"},
      {"fetch.message.max.bytes", "4194304"},
      {"queued.max.messages.kbytes", "131072"},
      {"socket.keepalive.enable", "true"},
      {"reconnect.backoff.max.ms", "2000"},
  };
  return *kDefaults;
}

const KafkaProperties& OwnedProperties() {
  static const auto* const kOwned = new KafkaProperties{
      // Never joined: the client wants a name to assign partitions by hand.
      {"group.id", "caracal-restore"},       {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"}, {"enable.partition.eof", "true"},
      {"auto.offset.reset", "earliest"},     {"isolation.level", "read_uncommitted"},
      {"allow.auto.create.topics", "false"},
  };
  return *kOwned;
}

std::string Name(const PartitionLease& lease) {
  return fmt::format("{} [{}]", lease.topic(), lease.partition());
}

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaSnapshotLoader>> KafkaSnapshotLoader::Create(
    StateTopics topics, ImageReader read, SnapshotCatalogs& catalogs) {
  std::unique_ptr<KafkaSnapshotLoader> loader(
      new KafkaSnapshotLoader(std::move(topics), std::move(read), catalogs));
  RETURN_IF_ERROR(loader->Connect());
  return loader;
}

KafkaSnapshotLoader::KafkaSnapshotLoader(StateTopics topics, ImageReader read,
                                         SnapshotCatalogs& catalogs)
    : topics_(std::move(topics)), read_(std::move(read)), catalogs_(catalogs) {}

absl::Status KafkaSnapshotLoader::Connect() {
  ASSIGN_OR_RETURN(KafkaConf conf,
                   MakeKafkaConf(topics_.connection, DefaultProperties(), OwnedProperties()));
  ASSIGN_OR_RETURN(client_, MakeKafkaClient(RD_KAFKA_CONSUMER, std::move(conf)));
  RETURN_IF_ERROR(
      KafkaStatus(rd_kafka_poll_set_consumer(client_.get()), "preparing the state reader"));
  ASSIGN_OR_RETURN(writer_, StateTopicWriter::Create(topics_.connection, [this] {
                     return stopped_.load(std::memory_order_acquire);
                   }));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<LoadedState>> KafkaSnapshotLoader::Load(
    std::span<const RestoreRequest> requests) {
  ASSIGN_OR_RETURN(std::vector<Reading> readings, Prepare(requests));
  RETURN_IF_ERROR(Assign(readings));
  const absl::Status read = ReadAll(readings);
  rd_kafka_assign(client_.get(), nullptr);
  RETURN_IF_ERROR(read);
  std::vector<LoadedState> states;
  for (Reading& reading : readings) {
    ASSIGN_OR_RETURN(LoadedState state, Finish(reading));
    states.push_back(std::move(state));
  }
  return states;
}

absl::StatusOr<std::vector<KafkaSnapshotLoader::Reading>> KafkaSnapshotLoader::Prepare(
    std::span<const RestoreRequest> requests) {
  std::vector<Reading> readings;
  for (const RestoreRequest& request : requests) {
    const PartitionLease& lease = *request.lease;
    Reading reading;
    reading.request = &request;
    reading.topic = topics_.topics[lease.stream()];
    const absl::Status status = KafkaStatus(
        rd_kafka_query_watermark_offsets(client_.get(), reading.topic.c_str(), lease.partition(),
                                         &reading.low, &reading.high, kRpcTimeoutMs),
        fmt::format("reading the end of the state topic '{}' [{}]", reading.topic,
                    lease.partition()));
    if (absl::IsNotFound(status)) {
      return absl::FailedPreconditionError(
          fmt::format("the state topic '{}' has no partition {}: it must have as many partitions "
                      "as '{}'. Create it with `caracal init`. If the partition was added to the "
                      "source, accounts have moved to other partitions, where their state begins "
                      "anew: add it to the state topic too (kafka-topics --alter) to accept that",
                      reading.topic, lease.partition(), lease.topic()));
    }
    RETURN_IF_ERROR(status);
    reading.done = reading.low >= reading.high;
    reading.assembler = std::make_unique<BucketAssembler>(OptionsFor(request));
    readings.push_back(std::move(reading));
  }
  return readings;
}

AssemblerOptions KafkaSnapshotLoader::OptionsFor(const RestoreRequest& request) const {
  const PartitionLease& lease = *request.lease;
  AssemblerOptions options;
  options.topic = lease.topic();
  options.partition = lease.partition();
  options.buckets = topics_.buckets;
  options.seed_fingerprint = topics_.seed_fingerprint;
  options.layout = topics_.layouts[lease.stream()];
  options.committed = request.committed;
  // Of earlier rules, as long as nothing was judged by the new ones.
  if (request.activations.size() > 1) options.carry_over_until = request.activations.back().offset;
  return options;
}

absl::Status KafkaSnapshotLoader::Assign(const std::vector<Reading>& readings) {
  const KafkaPartitionList list(
      rd_kafka_topic_partition_list_new(static_cast<int>(readings.size())));
  for (const Reading& reading : readings) {
    if (reading.done) continue;
    rd_kafka_topic_partition_list_add(list.get(), reading.topic.c_str(),
                                      reading.request->lease->partition())
        ->offset = reading.low;
  }
  return KafkaStatus(rd_kafka_assign(client_.get(), list.get()), "reading the state topic");
}

absl::Status KafkaSnapshotLoader::ReadAll(std::vector<Reading>& readings) {
  const auto all_done = [&readings] {
    return std::all_of(readings.begin(), readings.end(), [](const Reading& reading) {
      return reading.done || reading.request->lease->lapsed();
    });
  };
  while (!all_done()) {
    if (stopped_.load(std::memory_order_acquire)) return absl::UnavailableError("stopping");
    const KafkaMessage message(rd_kafka_consumer_poll(client_.get(), kPollMs));
    if (message != nullptr) RETURN_IF_ERROR(Take(*message, readings));
  }
  return absl::OkStatus();
}

absl::Status KafkaSnapshotLoader::Take(const rd_kafka_message_t& message,
                                       std::vector<Reading>& readings) {
  if (message.rkt == nullptr) {
    const absl::Status status = KafkaStatus(message.err, rd_kafka_message_errstr(&message));
    return absl::IsUnavailable(status) ? absl::OkStatus() : status;  // the client tries again
  }
  const std::string_view topic = rd_kafka_topic_name(message.rkt);
  const auto reading = std::find_if(readings.begin(), readings.end(), [&](const Reading& entry) {
    return entry.topic == topic && entry.request->lease->partition() == message.partition;
  });
  if (reading == readings.end()) return absl::OkStatus();
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    reading->done = reading->done || message.offset >= reading->high;
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(KafkaStatus(message.err, fmt::format("reading the state topic '{}'", topic)));
  // What was written since belongs to somebody else's time.
  if (message.offset >= reading->high) {
    reading->done = true;
    return absl::OkStatus();
  }
  const std::string_view key(static_cast<const char*>(message.key), message.key_len);
  const std::string_view value(static_cast<const char*>(message.payload), message.len);
  probe_.bytes_read.Add(key.size() + value.size());
  const StateKey parsed = ParseStateKey(key);
  if (parsed.kind == StateKeyKind::kRules || parsed.kind == StateKeyKind::kRuleset) {
    reading->shelf.Add(parsed, value);
  } else {
    reading->assembler->Add(key, value);
  }
  reading->done = message.offset + 1 >= reading->high;
  return absl::OkStatus();
}

absl::StatusOr<LoadedState> KafkaSnapshotLoader::Finish(Reading& reading) {
  const RestoreRequest& request = *reading.request;
  const PartitionLease& lease = *request.lease;
  AssembledState assembled = reading.assembler->Finish();
  LoadedState state;
  for (const auto& [bucket, catalog] : assembled.catalogs) {
    if (!catalog.snapshots().empty()) {
      state.newest = std::max(state.newest, catalog.snapshots().rbegin()->first.offset);
    }
  }
  if (!request.activations.empty()) {
    const StateHistory history =
        FollowStates(request.activations, reading.shelf.manifests(), topics_.rules[lease.stream()]);
    for (const std::string& rules : history.unknown) {
      LOG(kWarning, "snapshot",
          "the state topic does not say what earlier rules were: nothing of their state can be "
          "carried over",
          {{"partition", Name(lease)}, {"rules", rules}});
    }
    state.base = history.base;
    state.starts = history.starts;
    state.buckets = ReadBuckets(request, history, assembled);
    RETURN_IF_ERROR(Discard(reading, assembled.catalogs));
  }
  catalogs_.Set(lease, std::move(assembled.catalogs));
  shelves_.insert_or_assign({lease.stream(), lease.partition()}, std::move(reading.shelf));
  return state;
}

std::shared_ptr<const RestoredState> KafkaSnapshotLoader::ReadBuckets(
    const RestoreRequest& request, const StateHistory& history, const AssembledState& assembled) {
  std::map<uint32_t, std::vector<const AssembledSnapshot*>> copies;
  for (const auto* list : {&assembled.snapshots, &assembled.carry_over}) {
    for (const AssembledSnapshot& copy : *list) {
      // One that is as old as the state itself holds nothing of it.
      if (copy.id.offset > history.base) copies[copy.bucket].push_back(&copy);
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

std::shared_ptr<agents::BucketState> KafkaSnapshotLoader::ReadNewest(
    const RestoreRequest& request, const StateHistory& history,
    std::vector<const AssembledSnapshot*> copies, int64_t& offset) {
  std::sort(copies.begin(), copies.end(),
            [](const auto* a, const auto* b) { return a->id.offset > b->id.offset; });
  for (const AssembledSnapshot* copy : copies) {
    ImageRequest wanted;
    wanted.stream = request.lease->stream();
    wanted.image = copy->image;
    wanted.exact = copy->id.offset > request.activations.back().offset;
    for (const StateStart& start : history.starts) {
      if (start.offset < copy->id.offset) wanted.carried.push_back(start.state);
    }
    absl::StatusOr<std::shared_ptr<agents::BucketState>> state = read_(wanted);
    if (state.ok()) {
      probe_.buckets_restored.Add(1);
      offset = copy->id.offset;
      return *std::move(state);
    }
    probe_.buckets_refused.Add(1);
    LOG(kWarning, "snapshot", "a copy of a bucket cannot be used: its records are replayed",
        {{"partition", Name(*request.lease)},
         {"bucket", copy->bucket},
         {"reason", agents::MessageOf(state.status())}});
  }
  return nullptr;
}

absl::Status KafkaSnapshotLoader::Discard(const Reading& reading,
                                          std::map<uint32_t, SnapshotCatalog>& catalogs) {
  const RestoreRequest& request = *reading.request;
  std::vector<StateWrite> tombstones;
  uint64_t buckets = 0;
  for (auto& [bucket, catalog] : catalogs) {
    const std::vector<std::string> keys = catalog.KeysBeyond(request.committed);
    buckets += keys.empty() ? 0 : 1;
    for (const std::string& key : keys) tombstones.push_back({key, std::nullopt});
  }
  if (tombstones.empty()) return absl::OkStatus();
  LOG(kWarning, "snapshot",
      "the group was set back: copies of buckets beyond its offset are deleted, their records are "
      "judged again",
      {{"partition", Name(*request.lease)},
       {"committed", request.committed},
       {"buckets", buckets}});
  if (!writer_->Write(reading.topic, *request.lease, tombstones)) {
    return absl::UnavailableError("copies beyond the committed offset are not deleted yet");
  }
  for (auto& [bucket, catalog] : catalogs) catalog.ForgetBeyond(request.committed);
  probe_.buckets_discarded.Add(buckets);
  return absl::OkStatus();
}

absl::Status KafkaSnapshotLoader::RecordRules(std::span<const LeasePtr> leases) {
  for (const LeasePtr& lease : leases) {
    const RulesRecord& rules = topics_.rules[lease->stream()];
    RulesShelf& shelf = shelves_[{lease->stream(), lease->partition()}];
    std::vector<StateWrite> writes = shelf.Missing(rules);
    if (writes.empty()) continue;
    if (!writer_->Write(topics_.topics[lease->stream()], *lease, writes)) {
      return absl::UnavailableError("the text of the rules is not in the state topic yet");
    }
    shelf.Note(rules);
  }
  return absl::OkStatus();
}

}  // namespace caracal::pipeline
