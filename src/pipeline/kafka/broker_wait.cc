#include "pipeline/kafka/broker_wait.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "pipeline/kafka/client_config.h"

namespace caracal::pipeline {
namespace {

constexpr absl::Duration kSlice = absl::Seconds(2);

}  // namespace

std::string PlainKafkaText(std::string_view line) {
  if (line.substr(0, 5) == "[thrd") {
    const size_t end = line.find("]: ");
    if (end != std::string_view::npos) line.remove_prefix(end + 3);
  }
  line = line.substr(0, line.rfind(" (after "));
  std::string text(line);
  constexpr std::string_view kBootstrap = "/bootstrap: ";
  if (const size_t at = text.find(kBootstrap); at != std::string::npos) {
    text.replace(at, kBootstrap.size(), ": ");
  }
  return text;
}

void LastLogLine::Note(std::string_view line) {
  std::string plain = PlainKafkaText(line);
  MutexLock lock(&mutex_);
  line_ = std::move(plain);
}

std::string LastLogLine::Get() const {
  MutexLock lock(&mutex_);
  return line_;
}

absl::Status AwaitBroker(rd_kafka_t* client, absl::Duration limit,
                         const std::function<void()>& still_trying) {
  const absl::Time deadline = absl::Now() + limit;
  for (bool told = still_trying == nullptr;; told = true) {
    const absl::Duration slice = std::min(kSlice, deadline - absl::Now());
    const int timeout_ms = std::max(1, static_cast<int>(absl::ToInt64Milliseconds(slice)));
    const rd_kafka_metadata_t* metadata = nullptr;
    const rd_kafka_resp_err_t error =
        rd_kafka_metadata(client, /*all_topics=*/0, /*only_rkt=*/nullptr, &metadata, timeout_ms);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      rd_kafka_metadata_destroy(metadata);
      return absl::OkStatus();
    }
    if (!IsTransient(error) || absl::Now() >= deadline) {
      return KafkaStatus(error, "no Kafka broker answers");
    }
    if (!told) still_trying();
  }
}

}  // namespace caracal::pipeline
