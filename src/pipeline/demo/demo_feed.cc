#include "pipeline/demo/demo_feed.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "agents/api/status_macros.h"
#include "pipeline/base/log.h"
#include "pipeline/demo/mock_broker.h"
#include "pipeline/kafka/client_config.h"

namespace caracal::pipeline {
namespace {

// Even if all of them went to one partition the broker would keep them.
constexpr uint64_t kMaxRecordBytes = 1024;
constexpr uint64_t kMaxAhead = MockBroker::kRetainedBytes / 2 / kMaxRecordBytes;
constexpr int kIdlePollMs = 1;

int64_t NowMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

DemoFeed::DemoFeed(FeedOptions options, EventGenerator& generator, Scoreboard& scoreboard,
                   std::function<uint64_t()> consumed)
    : options_(std::move(options)),
      generator_(generator),
      scoreboard_(scoreboard),
      consumed_(std::move(consumed)) {}

DemoFeed::~DemoFeed() { Stop(); }

absl::Status DemoFeed::Start() {
  ASSIGN_OR_RETURN(KafkaConf conf,
                   MakeKafkaConf({.bootstrap_servers = options_.bootstrap_servers},
                                 {{"linger.ms", "2"}, {"queue.buffering.max.messages", "100000"}},
                                 {{"enable.idempotence", "true"}}));
  ASSIGN_OR_RETURN(client_, MakeKafkaClient(RD_KAFKA_PRODUCER, std::move(conf)));
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void DemoFeed::Stop() {
  stop_.store(true, std::memory_order_release);
  if (thread_.joinable()) thread_.join();
}

void DemoFeed::Run() {
  const int64_t start_us = NowMicros();
  while (!stop_.load(std::memory_order_acquire) &&
         (options_.count == 0 || produced() < options_.count)) {
    ProduceDue(NowMicros(), start_us);
    rd_kafka_poll(client_.get(), kIdlePollMs);
  }
  while (rd_kafka_flush(client_.get(), 1000) == RD_KAFKA_RESP_ERR__TIMED_OUT) {
    LOG(kWarning, "demo", "waiting for the embedded broker");
  }
  finished_.store(true, std::memory_order_release);
}

void DemoFeed::ProduceDue(int64_t now_us, int64_t start_us) {
  const double elapsed_s = static_cast<double>(now_us - start_us) * 1e-6;
  const uint64_t due =
      options_.rate <= 0 ? UINT64_MAX : static_cast<uint64_t>(elapsed_s * options_.rate);
  const uint64_t limit = std::min(due, consumed_() + kMaxAhead);
  while (produced() < limit && (options_.count == 0 || produced() < options_.count)) {
    if (!ProduceOne(now_us)) return;
  }
}

bool DemoFeed::ProduceOne(int64_t now_us) {
  GeneratedRecord record;
  if (!generator_.Next(record)) {
    stop_.store(true, std::memory_order_release);
    return false;
  }
  const bool is_payment = record.kind == RecordKind::kPayment;
  scoreboard_.NoteProduced(record.row == nullptr ? EpisodeMark() : record.row->mark,
                           record.row == nullptr ? 0 : record.row->id, is_payment, now_us);
  produced_.fetch_add(1, std::memory_order_relaxed);
  while (true) {
    const rd_kafka_resp_err_t error = rd_kafka_producev(
        client_.get(), RD_KAFKA_V_TOPIC(options_.topic.c_str()),
        RD_KAFKA_V_PARTITION(record.partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(record.key.data(), record.key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(record.value.data()), record.value.size()),
        RD_KAFKA_V_TIMESTAMP(record.timestamp_ms), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      LOG(kError, "demo", "a record could not be produced",
          {{"error", agents::MessageOf(KafkaStatus(error, "producing"))}});
      return false;
    }
    rd_kafka_poll(client_.get(), kIdlePollMs);
  }
  if (options_.recorder != nullptr) options_.recorder->NoteRecord(record);
  return true;
}

}  // namespace caracal::pipeline
