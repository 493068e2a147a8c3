#include "pipeline/source/kafka_record_reader.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "agents/api/status_macros.h"

namespace caracal::pipeline {
namespace {

constexpr int kPollMs = 20;
constexpr absl::Duration kTimeout = absl::Seconds(10);
constexpr std::string_view kContext = "reading the last record before the committed offset";

std::string_view View(const void* data, size_t size) {
  return {static_cast<const char*>(data), size};
}

}  // namespace

absl::StatusOr<std::vector<std::optional<RecordMark>>> KafkaRecordReader::Read(
    std::span<const RecordPlace> places) {
  if (places.empty()) return std::vector<std::optional<RecordMark>>();
  RETURN_IF_ERROR(Connect());
  Answers answers;
  for (const RecordPlace& place : places) {
    answers[{place.topic, place.partition}].offset = place.offset;
  }
  RETURN_IF_ERROR(Assign(answers));
  const absl::Status collected = Collect(answers);
  rd_kafka_assign(client_.get(), nullptr);
  RETURN_IF_ERROR(collected);
  std::vector<std::optional<RecordMark>> marks;
  for (const RecordPlace& place : places) {
    marks.push_back(answers[{place.topic, place.partition}].mark);
  }
  return marks;
}

absl::Status KafkaRecordReader::Connect() {
  if (client_ != nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(client_, MakeReader(connection_, group_,
                                       {{"auto.offset.reset", "error"},
                                        {"queued.min.messages", "1"},
                                        {"fetch.wait.max.ms", "10"}}));
  waker_.emplace(client_.get());
  return absl::OkStatus();
}

absl::Status KafkaRecordReader::Assign(const Answers& answers) {
  const KafkaPartitionList list(
      rd_kafka_topic_partition_list_new(static_cast<int>(answers.size())));
  for (const auto& [place, answer] : answers) {
    rd_kafka_topic_partition_list_add(list.get(), place.first.c_str(), place.second)->offset =
        answer.offset;
  }
  return KafkaStatus(rd_kafka_assign(client_.get(), list.get()), kContext);
}

absl::Status KafkaRecordReader::Collect(Answers& answers) {
  const absl::Time deadline = absl::Now() + kTimeout;
  const auto all_done = [&answers] {
    return std::all_of(answers.begin(), answers.end(),
                       [](const auto& answer) { return answer.second.done; });
  };
  while (!all_done()) {
    if (stopped_.load(std::memory_order_acquire)) return absl::UnavailableError("stopping");
    if (absl::Now() >= deadline) {
      return absl::UnavailableError("the last records before the committed offsets do not come");
    }
    const KafkaMessage message(rd_kafka_consumer_poll(client_.get(), kPollMs));
    if (message == nullptr) {
      waker_->Nudge();
    } else {
      RETURN_IF_ERROR(Take(*message, answers));
    }
  }
  return absl::OkStatus();
}

absl::Status KafkaRecordReader::Take(const rd_kafka_message_t& message, Answers& answers) {
  const auto found = message.rkt == nullptr
                         ? answers.end()
                         : answers.find({rd_kafka_topic_name(message.rkt), message.partition});
  const bool no_record = message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF ||
                         message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
                         message.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR && !no_record) {
    const absl::Status status = KafkaStatus(message.err, kContext);
    return absl::IsUnavailable(status) ? absl::OkStatus() : status;  // the client tries again
  }
  if (found == answers.end() || found->second.done) return absl::OkStatus();
  Answer& answer = found->second;
  answer.done = true;
  // A record at a later offset: the one asked for is not there.
  if (!no_record && message.offset == answer.offset) {
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    const int64_t timestamp = rd_kafka_message_timestamp(&message, &type);
    answer.mark = MarkOf(message.offset, type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp,
                         View(message.key, message.key_len), View(message.payload, message.len));
  }
  return absl::OkStatus();
}

}  // namespace caracal::pipeline
