#include "pipeline/kafka/fetch_waker.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "agents/api/check.h"

namespace caracal::pipeline {
namespace {

/// A queue that has run empty is woken for without a count, but not more often.
constexpr absl::Duration kEmptyPause = absl::Milliseconds(100);

/// Empty = not set.
std::string Property(const rd_kafka_conf_t* conf, const char* name) {
  size_t size = 0;
  if (rd_kafka_conf_get(conf, name, nullptr, &size) != RD_KAFKA_CONF_OK) return "";
  std::string text(size, '\0');
  CHECK(rd_kafka_conf_get(conf, name, text.data(), &size) == RD_KAFKA_CONF_OK);
  text.resize(text.find('\0'));  // `size` counts the terminator
  return text;
}

size_t Number(const rd_kafka_conf_t* conf, const char* name) {
  uint64_t number = 0;
  CHECK(absl::SimpleAtoi(Property(conf, name), &number));
  return number;
}

}  // namespace

bool FetchWaker::WorksWith(const rd_kafka_conf_t* conf) {
  if (!absl::StartsWithIgnoreCase(Property(conf, "security.protocol"), "sasl")) return true;
  const std::string mechanism = absl::AsciiStrToUpper(Property(conf, "sasl.mechanism"));
  return mechanism == "PLAIN" || mechanism.starts_with("SCRAM-");
}

FetchWaker::FetchWaker(rd_kafka_t* client)
    : client_(WorksWith(rd_kafka_conf(client)) ? client : nullptr) {
  const rd_kafka_conf_t* conf = rd_kafka_conf(client);
  user_ = Property(conf, "sasl.username");
  password_ = Property(conf, "sasl.password");
  // A fetch that found the queue full found `full` records or `full_bytes`. The queue is short
  // again, at five sixths and at half of these, only after a sixth or half of them was taken.
  const size_t full = Number(conf, "queued.min.messages");
  const size_t full_bytes = Number(conf, "queued.max.messages.kbytes") * 1024;
  step_records_ = full / 6;
  low_records_ = full - step_records_;
  step_bytes_ = full_bytes / 2;
}

void FetchWaker::Taken(size_t records, size_t bytes, rd_kafka_queue_t* queue) {
  if (client_ == nullptr) return;
  records_ += records;
  bytes_ += bytes;
  if (records == 0) {
    if (records_ > 0) Nudge();
    return;
  }
  if (records_ < step_records_ && bytes_ < step_bytes_) return;
  if (rd_kafka_queue_length(queue) < low_records_) Wake();
}

void FetchWaker::Nudge() {
  if (client_ != nullptr && absl::Now() - woken_ >= kEmptyPause) Wake();
}

void FetchWaker::Wake() {
  records_ = 0;
  bytes_ = 0;
  woken_ = absl::Now();
  const KafkaError error(rd_kafka_sasl_set_credentials(client_, user_.c_str(), password_.c_str()));
  CHECK(error == nullptr);
}

}  // namespace caracal::pipeline
