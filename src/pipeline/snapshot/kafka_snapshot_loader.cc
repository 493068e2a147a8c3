#include "pipeline/snapshot/kafka_snapshot_loader.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "agents/api/status_macros.h"
#include "pipeline/base/log.h"

namespace caracal::pipeline {
namespace {

constexpr int kRpcTimeoutMs = 5000;
constexpr int kPollMs = 100;
// How often the ends of the log are looked at before a silence is too long.
constexpr int kLooksInSilence = 6;
constexpr absl::Duration kTellPause = absl::Seconds(5);
constexpr absl::Duration kSecond = absl::Seconds(1);

const KafkaProperties& ReaderSettings() {
  static const auto* const kSettings = new KafkaProperties{
      {"fetch.wait.max.ms", "50"},
      {"fetch.message.max.bytes", "4194304"},
      {"queued.max.messages.kbytes", "131072"},
      {"socket.keepalive.enable", "true"},
      {"reconnect.backoff.max.ms", "2000"},
  };
  return *kSettings;
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
    : topics_(std::move(topics)), restorer_(topics_, std::move(read), catalogs, *this, probe_) {}

absl::Status KafkaSnapshotLoader::RecordRules(std::span<const LeasePtr> leases) {
  return restorer_.RecordRules(leases);
}

bool KafkaSnapshotLoader::WriteAll(const PartitionLease& lease, std::vector<StateWrite>& writes) {
  return writer_->WriteAll(lease, writes);
}

absl::Status KafkaSnapshotLoader::Connect() {
  ASSIGN_OR_RETURN(client_, MakeReader(topics_.connection, topics_.group_id, ReaderSettings()));
  queue_.reset(rd_kafka_queue_get_consumer(client_.get()));
  waker_.emplace(client_.get());
  ASSIGN_OR_RETURN(writer_, StateTopicWriter::Create(topics_.connection, topics_.topics, [this] {
                     return stopped_.load(std::memory_order_acquire);
                   }));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<LoadedState>> KafkaSnapshotLoader::Load(
    std::span<const RestoreRequest> requests, OffsetStore& offsets) {
  began_ = absl::Now();
  const uint64_t read_before = probe_.bytes_read.value();
  ASSIGN_OR_RETURN(std::vector<Reading> readings, Prepare(requests));
  told_ = absl::Now();
  while (Activate(readings)) {
    RETURN_IF_ERROR(Assign(readings));
    const absl::Status read = ReadActive(readings, offsets);
    rd_kafka_assign(client_.get(), nullptr);
    RETURN_IF_ERROR(read);
  }
  probe_.NoteSpeed(probe_.bytes_read.value() - read_before, absl::Now() - began_);
  std::vector<LoadedState> states;
  states.reserve(readings.size());
  for (Reading& reading : readings) states.push_back(std::move(reading.loaded));
  return states;
}

absl::StatusOr<std::vector<KafkaSnapshotLoader::Reading>> KafkaSnapshotLoader::Prepare(
    std::span<const RestoreRequest> requests) {
  ASSIGN_OR_RETURN(const std::vector<LogLimits> limits, ReadLimits(requests));
  std::vector<Reading> readings;
  for (size_t i = 0; i < requests.size(); ++i) {
    Reading& reading = readings.emplace_back();
    reading.lease = requests[i].lease;
    reading.state = restorer_.Begin(requests[i]);
    reading.topic = topics_.topics[requests[i].lease->stream()];
    reading.low = reading.next = limits[i].low;
    reading.high = limits[i].high;
  }
  return readings;
}

absl::StatusOr<std::vector<LogLimits>> KafkaSnapshotLoader::ReadLimits(
    std::span<const RestoreRequest> requests) {
  const KafkaPartitionList list(
      rd_kafka_topic_partition_list_new(static_cast<int>(requests.size())));
  for (const RestoreRequest& request : requests) {
    rd_kafka_topic_partition_list_add(list.get(), topics_.topics[request.lease->stream()].c_str(),
                                      request.lease->partition());
  }
  auto limits = ReadLogLimits(client_.get(), list.get(), kRpcTimeoutMs,
                              "reading the ends of the partitions with state");
  if (!absl::IsNotFound(limits.status())) return limits;
  return absl::FailedPreconditionError(fmt::format(
      "{}: the state topic must have as many partitions as its source. Create it with `caracal "
      "init`. If the partition was added to the source, accounts have moved to other partitions, "
      "where their state begins anew: add it to the state topic too (kafka-topics --alter) to "
      "accept that",
      agents::MessageOf(limits.status())));
}

absl::Status KafkaSnapshotLoader::Assign(const std::vector<Reading>& readings) {
  const KafkaPartitionList list(
      rd_kafka_topic_partition_list_new(static_cast<int>(readings.size())));
  for (const Reading& reading : readings) {
    if (!reading.active() || reading.next >= reading.high) continue;
    rd_kafka_topic_partition_list_add(list.get(), reading.topic.c_str(), reading.lease->partition())
        ->offset = reading.next;
  }
  return KafkaStatus(rd_kafka_assign(client_.get(), list.get()), "reading the state topic");
}

bool KafkaSnapshotLoader::Activate(std::vector<Reading>& readings) {
  Reading* waiting = nullptr;
  for (Reading& reading : readings) {
    if (reading.active()) return true;
    if (reading.put_off && waiting == nullptr) waiting = &reading;
  }
  if (waiting == nullptr) return false;
  waiting->put_off = false;
  return true;
}

absl::Status KafkaSnapshotLoader::ReadActive(std::vector<Reading>& readings, OffsetStore& offsets) {
  absl::Time heard = absl::Now();
  absl::Time looked = heard;
  while (true) {
    RETURN_IF_ERROR(FinishDone(readings, offsets));
    const bool any = std::any_of(readings.begin(), readings.end(),
                                 [](const Reading& reading) { return reading.active(); });
    if (!any) return absl::OkStatus();
    if (stopped_.load(std::memory_order_acquire)) return absl::UnavailableError("stopping");
    const KafkaMessage message(rd_kafka_consumer_poll(client_.get(), kPollMs));
    if (message == nullptr) {
      waker_->Nudge();
    } else {
      waker_->Taken(1, message->len, queue_.get());
      RETURN_IF_ERROR(Take(*message, readings));
    }
    const absl::Time now = absl::Now();
    Tell(readings, now);
    if (message != nullptr && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      heard = looked = now;
      if (PutOff(readings)) return absl::OkStatus();
    } else if (now - looked > topics_.silence_max / kLooksInSilence) {
      RETURN_IF_ERROR(LookAtEnds(readings, now - heard));
      looked = absl::Now();
    }
  }
}

absl::Status KafkaSnapshotLoader::FinishDone(std::vector<Reading>& readings, OffsetStore& offsets) {
  for (Reading& reading : readings) {
    const bool done = reading.next >= reading.high || reading.lease->lapsed();
    if (!done || !reading.state.has_value()) continue;
    StateReading state = *std::move(reading.state);
    reading.state.reset();
    reading.lease->set_restore_progress(100, 0);
    reading.put_off = false;
    ASSIGN_OR_RETURN(reading.loaded, restorer_.Finish(std::move(state), offsets));
  }
  return absl::OkStatus();
}

void KafkaSnapshotLoader::Tell(const std::vector<Reading>& readings, absl::Time now) {
  int64_t left = 0;
  int64_t all = 0;
  int64_t partitions = 0;
  for (const Reading& reading : readings) {
    if (!reading.state.has_value()) continue;
    left += reading.missing();
    all += reading.size();
    ++partitions;
  }
  if (all == 0) return;
  const int64_t done = all - left;
  const int64_t seconds_left =
      done == 0 ? -1 : absl::ToInt64Seconds(absl::Ceil((now - began_) * left / done, kSecond));
  for (const Reading& reading : readings) {
    if (!reading.state.has_value()) continue;
    const int64_t percent = 100 - reading.missing() * 100 / reading.size();
    reading.lease->set_restore_progress(static_cast<int>(percent), seconds_left);
  }
  if (now - told_ < kTellPause) return;
  told_ = now;
  LOG(kInfo, "snapshot", "reading state back",
      {{"partitions", partitions},
       {"percent", done * 100 / all},
       {"seconds_left", seconds_left},
       {"bytes_read", probe_.bytes_read.value()}});
}

bool KafkaSnapshotLoader::PutOff(std::vector<Reading>& readings) {
  size_t held = 0;
  Reading* kept = nullptr;
  for (Reading& reading : readings) {
    if (!reading.active()) continue;
    held += reading.state->held_bytes();
    const bool most = kept == nullptr || reading.state->held_bytes() > kept->state->held_bytes();
    if (most) kept = &reading;
  }
  if (held <= topics_.restore_bytes_max) return false;
  uint64_t put_off = 0;
  for (Reading& reading : readings) {
    if (!reading.active() || &reading == kept) continue;
    const RestoreRequest request = reading.state->request();
    reading.state = restorer_.Begin(request);
    reading.next = reading.low;
    reading.put_off = true;
    ++put_off;
  }
  if (put_off == 0) return false;
  probe_.put_off.Add(put_off);
  LOG(kInfo, "snapshot", "no memory to read the state of all partitions at once: one at a time",
      {{"partitions", put_off}, {"held_bytes", held}, {"max_bytes", topics_.restore_bytes_max}});
  return true;
}

absl::Status KafkaSnapshotLoader::LookAtEnds(const std::vector<Reading>& readings,
                                             absl::Duration silence) {
  std::vector<RestoreRequest> requests;
  std::vector<const Reading*> active;
  for (const Reading& reading : readings) {
    if (!reading.active()) continue;
    requests.push_back(reading.state->request());
    active.push_back(&reading);
  }
  const std::string context = fmt::format("{} [{}]: the state topic cannot be read to its end",
                                          active[0]->lease->topic(), active[0]->lease->partition());
  if (silence > topics_.silence_max) {
    return absl::UnavailableError(
        fmt::format("{}: no record for {}", context, absl::FormatDuration(silence)));
  }
  const absl::StatusOr<std::vector<LogLimits>> limits = ReadLimits(requests);
  // A leader that is away comes back.
  if (absl::IsUnavailable(limits.status())) return absl::OkStatus();
  RETURN_IF_ERROR(limits.status());
  for (size_t i = 0; i < active.size(); ++i) {
    if ((*limits)[i].high >= active[i]->high) continue;
    return absl::UnavailableError(fmt::format("{}: it was at {} and is at {} now", context,
                                              active[i]->high, (*limits)[i].high));
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
    return entry.topic == topic && entry.lease->partition() == message.partition;
  });
  if (reading == readings.end() || !reading->active()) return absl::OkStatus();
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    reading->next = std::max(reading->next, message.offset);
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(KafkaStatus(message.err, fmt::format("reading the state topic '{}'", topic)));
  // What was written since belongs to somebody else's time.
  if (message.offset >= reading->high) {
    reading->next = reading->high;
    return absl::OkStatus();
  }
  const std::string_view key(static_cast<const char*>(message.key), message.key_len);
  const std::string_view value(static_cast<const char*>(message.payload), message.len);
  probe_.bytes_read.Add(key.size() + value.size());
  reading->state->Add(key, value);
  reading->next = message.offset + 1;
  return absl::OkStatus();
}

}  // namespace caracal::pipeline
