// The two ends of latency_bench in one process and on one clock: sends payments at a fixed rate,
// each at its intended time whatever became of those before (an open loop), and reads the alerts as
// a consumer of committed records. An alert's latency counts from the intended time of its payment,
// so that a sender or an engine that stands still is not forgiven. Prints one JSON line.
//
// With a history it sends that first, prints a line, and begins when it is sent one; it prints
// another one when the warm-up is over. Without a topic of alerts it only sends.
//
// Every hundredth payment is above the limit of config/latency-rules.yaml and must come back as
// exactly one alert. A line of the trace: the alert's partition, the intended time and the time it
// was read, both in microseconds of CLOCK_MONOTONIC.

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "agents/api/check.h"
#include "agents/api/status_macros.h"
#include "pipeline/base/rfc3339.h"
#include "pipeline/generate/random.h"
#include "pipeline/generate/zipf_sampler.h"
#include "pipeline/kafka/client_config.h"
#include "pipeline/kafka/handles.h"

namespace caracal::pipeline {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t kSeed = 1;
constexpr int64_t kAlertEvery = 100;
constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr auto kTick = std::chrono::milliseconds(1);
constexpr auto kLastAlertWait = std::chrono::seconds(30);

struct Load {
  std::string brokers;
  std::string topic;
  std::string alerts;  ///< empty = nobody raises any
  std::string trace;   ///< empty = none
  int64_t rate = 20'000;
  int64_t seconds = 60;
  int64_t warm_up_seconds = 0;
  uint32_t accounts = 1'000'000;
  int32_t partitions = 12;
  double zipf = 0;
  /// Payments of each account before the load.
  int32_t history = 0;
  /// created_at in microseconds, as Debezium writes a TIMESTAMP; otherwise text with a zone.
  bool micros = false;

  int64_t payments() const { return rate * seconds; }
  int64_t first_counted() const { return rate * warm_up_seconds; }
  /// Microseconds after the start.
  int64_t IntendedMicros(int64_t payment) const { return payment * kMicrosPerSecond / rate; }
};

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

int64_t MicrosOf(Clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

int64_t MicrosSince(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count();
}

void AppendTime(const Load& load, int64_t wall_us, std::string& json) {
  if (load.micros) {
    json += fmt::to_string(wall_us);
    return;
  }
  json += '"';
  AppendRfc3339(wall_us, FractionDigits::kMicros, json);
  json += '"';
}

void Append(const Load& load, int64_t payment, uint32_t account, int64_t wall_us,
            std::string& json) {
  const bool above = payment % kAlertEvery == 0 && payment < load.payments();
  json = fmt::format(
      R"({{"before":null,"after":{{"id":{},"user_id":{},"amount":"{}.{:02}","created_at":)",
      payment, account, above ? 9000 : 20 + payment % 80, payment % 100);
  AppendTime(load, wall_us, json);
  json += fmt::format(
      R"(,"latitude":52.52,"longitude":13.405,"card_type":"debit","currency":"EUR"}},)"
      R"("source":{{"version":"3.7.0","connector":"postgresql","name":"bank","ts_ms":{},)"
      R"("snapshot":"false","db":"bank","schema":"public","table":"transactions","txId":{},)"
      R"("lsn":{}}},"op":"c","ts_ms":{}}})",
      wall_us / 1000, 1'000'000 + payment, 24'000'000 + payment * 8, wall_us / 1000);
}

/// Tells whoever has started this process.
void Say(std::string_view event) {
  fmt::print("{{\"{}\":true}}\n", event);
  std::fflush(stdout);
}

/// Sends every payment at its intended time; how late each send was, in microseconds.
class Sender {
 public:
  explicit Sender(const Load& load)
      : load_(load), accounts_(load.accounts, load.zipf), random_(kSeed) {}

  /// Connects, and sends the history.
  absl::Status Prepare() {
    ASSIGN_OR_RETURN(
        KafkaConf conf,
        MakeKafkaConf({load_.brokers, "open-loop", {}},
                      {{"linger.ms", "5"},  // as the Java producer of Kafka 4, which Connect uses
                       {"acks", "all"},
                       {"socket.nagle.disable", "true"},
                       {"queue.buffering.max.messages", "2000000"}},
                      {}));
    ASSIGN_OR_RETURN(client_, MakeKafkaClient(RD_KAFKA_PRODUCER, std::move(conf)));
    const int64_t payments = int64_t{load_.history} * load_.accounts;
    for (int64_t i = 0; i < payments; ++i) {
      RETURN_IF_ERROR(Produce(load_.payments() + i, static_cast<uint32_t>(i % load_.accounts)));
    }
    return KafkaStatus(rd_kafka_flush(client_.get(), 60'000), "sending the history");
  }

  absl::Status Run(Clock::time_point start) {
    start_ = start;
    lateness_us_.reserve(static_cast<size_t>(load_.payments() - load_.first_counted()));
    int64_t next = 0;
    while (next < load_.payments()) {
      const int64_t now = MicrosSince(start_);
      for (; next < load_.payments() && load_.IntendedMicros(next) <= now; ++next) {
        if (load_.history > 0 && next == load_.first_counted()) Say("counting");
        RETURN_IF_ERROR(Send(next));
      }
      rd_kafka_poll(client_.get(), 0);
      std::this_thread::sleep_until(std::max(
          start_ + std::chrono::microseconds(load_.IntendedMicros(next)), Clock::now() + kTick));
    }
    return KafkaStatus(rd_kafka_flush(client_.get(), 30'000), "sending the last payments");
  }

  std::vector<int64_t>& lateness_us() { return lateness_us_; }

 private:
  absl::Status Send(int64_t payment) {
    absl::Status status = Produce(payment, accounts_.Sample(random_));
    if (payment >= load_.first_counted()) {
      lateness_us_.push_back(MicrosSince(start_) - load_.IntendedMicros(payment));
    }
    return status;
  }

  absl::Status Produce(int64_t payment, uint32_t account) {
    Append(load_, payment, account, absl::ToUnixMicros(absl::Now()), value_);
    const std::string key = fmt::format(R"({{"user_id":{}}})", account);
    const auto partition = static_cast<int32_t>(account % static_cast<uint32_t>(load_.partitions));
    const rd_kafka_resp_err_t error = rd_kafka_producev(
        client_.get(), RD_KAFKA_V_TOPIC(load_.topic.c_str()), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key.data(), key.size()),
        RD_KAFKA_V_VALUE(value_.data(), value_.size()), RD_KAFKA_V_END);
    return KafkaStatus(error, "sending a payment");
  }

  const Load& load_;
  KafkaClient client_;
  Clock::time_point start_;
  const ZipfSampler accounts_;
  Random random_;
  std::string value_;
  std::vector<int64_t> lateness_us_;
};

/// Reads alerts until `stop`, and until all have come or none comes any more.
class AlertReader {
 public:
  AlertReader(const Load& load, Clock::time_point start)
      : load_(load),
        start_(start),
        trace_(load.trace.empty() ? nullptr : std::fopen(load.trace.c_str(), "we")),
        seen_(static_cast<size_t>(load.payments() / kAlertEvery + 1)) {
    CHECK(load.trace.empty() || trace_ != nullptr);
  }

  absl::Status Run(const std::atomic<bool>& sent) {
    ASSIGN_OR_RETURN(KafkaConf conf,
                     MakeKafkaConf({load_.brokers, "open-loop", {}}, {{"fetch.wait.max.ms", "100"}},
                                   {{"group.id", "open-loop"},
                                    {"enable.auto.commit", "false"},
                                    {"isolation.level", "read_committed"}}));
    ASSIGN_OR_RETURN(const KafkaClient client, MakeKafkaClient(RD_KAFKA_CONSUMER, std::move(conf)));
    const KafkaPartitionList list(rd_kafka_topic_partition_list_new(load_.partitions));
    for (int32_t partition = 0; partition < load_.partitions; ++partition) {
      rd_kafka_topic_partition_list_add(list.get(), load_.alerts.c_str(), partition)->offset = 0;
    }
    RETURN_IF_ERROR(KafkaStatus(rd_kafka_assign(client.get(), list.get()), "reading the alerts"));
    Clock::time_point last = Clock::now();
    while (!sent || (received_ < expected() && Clock::now() - last < kLastAlertWait)) {
      const KafkaMessage message(rd_kafka_consumer_poll(client.get(), 100));
      if (message == nullptr) continue;
      if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return KafkaStatus(message->err, rd_kafka_message_errstr(message.get()));
      }
      last = Clock::now();
      Note({static_cast<const char*>(message->payload), message->len}, message->partition);
    }
    return absl::OkStatus();
  }

  int64_t expected() const {
    return load_.alerts.empty() ? 0 : (load_.payments() + kAlertEvery - 1) / kAlertEvery;
  }
  int64_t received() const { return received_; }
  int64_t repeated() const { return repeated_; }
  std::vector<int64_t>& latency_us() { return latency_us_; }

 private:
  void Note(std::string_view alert, int32_t partition) {
    static constexpr std::string_view kField = R"("transaction_id":")";
    const int64_t now = MicrosSince(start_);
    const size_t at = alert.find(kField);
    CHECK(at != std::string_view::npos);
    int64_t payment = -1;
    std::from_chars(alert.data() + at + kField.size(), alert.data() + alert.size(), payment);
    CHECK(payment >= 0 && payment < load_.payments() && payment % kAlertEvery == 0);
    const auto index = static_cast<size_t>(payment / kAlertEvery);
    if (seen_[index]) {
      ++repeated_;
      return;
    }
    seen_[index] = true;
    ++received_;
    const int64_t intended = load_.IntendedMicros(payment);
    if (trace_ != nullptr) {
      const int64_t start = MicrosOf(start_);
      fmt::print(trace_.get(), "{} {} {}\n", partition, start + intended, start + now);
    }
    if (payment >= load_.first_counted()) latency_us_.push_back(now - intended);
  }

  const Load& load_;
  const Clock::time_point start_;
  const std::unique_ptr<std::FILE, CloseFile> trace_;
  std::vector<bool> seen_;
  int64_t received_ = 0;
  int64_t repeated_ = 0;
  std::vector<int64_t> latency_us_;
};

/// The value that `share` of the sorted values do not exceed, in milliseconds.
double Quantile(const std::vector<int64_t>& sorted, double share) {
  if (sorted.empty()) return -1;
  const auto rank = static_cast<size_t>(share * static_cast<double>(sorted.size()));
  return static_cast<double>(sorted[std::min(rank, sorted.size() - 1)]) / 1000;
}

std::string Quantiles(std::vector<int64_t>& values) {
  std::sort(values.begin(), values.end());
  return fmt::format(R"({{"p50":{:.2f},"p90":{:.2f},"p99":{:.2f},"p99.9":{:.2f},"max":{:.2f}}})",
                     Quantile(values, 0.5), Quantile(values, 0.9), Quantile(values, 0.99),
                     Quantile(values, 0.999), Quantile(values, 1));
}

void WaitForWord() {
  Say("history");
  for (int c = std::getchar(); c != '\n' && c != EOF;) c = std::getchar();
}

absl::Status Run(const Load& load) {
  Sender sender(load);
  RETURN_IF_ERROR(sender.Prepare());
  if (load.history > 0) WaitForWord();
  const Clock::time_point start = Clock::now() + std::chrono::seconds(1);
  AlertReader reader(load, start);
  std::atomic<bool> sent = false;
  absl::Status read;
  std::thread reading([&] {
    if (!load.alerts.empty()) read = reader.Run(sent);
  });
  std::this_thread::sleep_until(start);
  const absl::Status sending = sender.Run(start);
  sent = true;
  reading.join();
  RETURN_IF_ERROR(sending);
  RETURN_IF_ERROR(read);
  fmt::print(
      R"({{"payments":{},"expected":{},"received":{},"repeated":{},"latency_ms":{},"late_ms":{}}})"
      "\n",
      load.payments(), reader.expected(), reader.received(), reader.repeated(),
      Quantiles(reader.latency_us()), Quantiles(sender.lateness_us()));
  return absl::OkStatus();
}

}  // namespace
}  // namespace caracal::pipeline

int main(int argc, char** argv) {
  caracal::pipeline::Load load;
  CLI::App app("Sends payments at their intended times and reads their alerts");
  app.add_option("--brokers", load.brokers)->required();
  app.add_option("--topic", load.topic)->required();
  app.add_option("--alerts", load.alerts, "topic to read them from; none: only send");
  app.add_option("--rate", load.rate, "payments per second")->check(CLI::PositiveNumber);
  app.add_option("--seconds", load.seconds)->check(CLI::PositiveNumber);
  app.add_option("--warm-up", load.warm_up_seconds, "seconds that are not counted");
  app.add_option("--accounts", load.accounts)->check(CLI::PositiveNumber);
  app.add_option("--partitions", load.partitions, "of both topics")->check(CLI::PositiveNumber);
  app.add_option("--zipf", load.zipf, "exponent of the accounts' popularity; 0 = all alike");
  app.add_option("--history", load.history, "payments of each account before the load");
  app.add_flag("--micros", load.micros, "created_at is a number, as of a TIMESTAMP");
  app.add_option("--trace", load.trace, "file for a line per alert");
  CLI11_PARSE(app, argc, argv);
  if (const absl::Status status = caracal::pipeline::Run(load); !status.ok()) {
    fmt::print(stderr, "open_loop: {}\n", caracal::agents::MessageOf(status));
    return 1;
  }
  return 0;
}
