// What a good engineer writes instead of an engine: the two reference rulesets in one file, with
// librdkafka's batch call, simdjson On-Demand and an Abseil map. Each consumer is a thread with
// partitions of its own and the state of their accounts; at least once, state in memory alone.
// Commits what it has judged, after its alerts are acknowledged, whenever there is nothing to read
// and at least once a second. Runs until SIGTERM.
//
//   honest BROKERS TOPIC GROUP ALERTS CONSUMERS [--discard]
//
// --discard reads with the same settings and judges nothing.

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace {

namespace ondemand = simdjson::ondemand;
using Clock = std::chrono::steady_clock;

constexpr size_t kBatchRecords = 1024;
constexpr int kIdleMs = 10;
constexpr int kTimeoutMs = 30'000;
constexpr auto kCommitInterval = std::chrono::seconds(1);

// The rulesets of deploy/examples/reference/rules.
constexpr int64_t kWindowUs = 60'000'000;
constexpr int64_t kMaxAheadUs = 300'000'000;
constexpr size_t kBurst = 6;  // more than five
constexpr size_t kHistory = 50;
constexpr int64_t kMinHistory = 3;
constexpr int64_t kRatio = 3;
constexpr int64_t kFloorCents = 500'00;
constexpr int64_t kBigCents = 4'000'00;
// Rows are delivered again soon or never: the last few of an account tell.
constexpr size_t kRowsKnown = 8;

[[noreturn]] void Fail(std::string_view what, std::string_view why) {
  fmt::print(stderr, "honest: {}: {}\n", what, why);
  std::_Exit(1);
}

struct Payment {
  int64_t id = 0;
  int64_t account = 0;
  int64_t cents = 0;
  int64_t time_us = 0;
  char operation = 0;
};

/// What the rules remember of an account.
struct Account {
  std::array<int64_t, kBurst> times_us;  // ascending, the newest ones
  std::array<int64_t, kHistory> cents;   // a ring
  std::array<int64_t, kRowsKnown> rows;  // a ring
  int64_t sum_cents = 0;
  uint8_t time_count = 0;
  uint8_t history_count = 0;
  uint8_t history_next = 0;
  uint8_t row_count = 0;
  uint8_t row_next = 0;

  bool KnowsRow(int64_t id) {
    const auto end = rows.begin() + row_count;
    if (std::find(rows.begin(), end, id) != end) return true;
    rows[row_next] = id;
    row_next = static_cast<uint8_t>((row_next + 1) % kRowsKnown);
    row_count = static_cast<uint8_t>(std::min<size_t>(row_count + 1U, kRowsKnown));
    return false;
  }

  /// Whether more than five payments lie in the minute that ends at the account's newest.
  bool IsBurst(int64_t time_us) {
    const int64_t newest = time_count == 0 ? time_us : std::max(time_us, times_us[time_count - 1U]);
    if (time_us < newest - kWindowUs) return false;
    size_t place = time_count;
    if (time_count == kBurst) {
      if (time_us <= times_us[0]) return times_us[0] >= newest - kWindowUs;
      // The oldest leaves: those behind it move down as far as the new one's place.
      size_t i = 0;
      for (; i + 1 < kBurst && times_us[i + 1] <= time_us; ++i) times_us[i] = times_us[i + 1];
      times_us[i] = time_us;
      return times_us[0] >= newest - kWindowUs;
    }
    for (; place > 0 && times_us[place - 1] > time_us; --place)
      times_us[place] = times_us[place - 1];
    times_us[place] = time_us;
    ++time_count;
    return time_count == kBurst && times_us[0] >= newest - kWindowUs;
  }

  bool IsAboveProfile(int64_t amount) {
    const bool above = history_count >= kMinHistory && amount > kFloorCents &&
                       amount * history_count > kRatio * sum_cents;
    if (history_count == kHistory) {
      sum_cents -= cents[history_next];
    } else {
      ++history_count;
    }
    cents[history_next] = amount;
    sum_cents += amount;
    history_next = static_cast<uint8_t>((history_next + 1) % kHistory);
    return above;
  }
};

/// The cents of a NUMERIC(10,2) in text, such as "-12.50"; false = it is something else.
bool ParseCents(std::string_view text, int64_t& cents) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  if (text.size() < 4 || text[text.size() - 3] != '.') return false;
  int64_t value = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i + 3 == text.size()) continue;
    const auto digit = static_cast<unsigned>(text[i] - '0');
    if (digit > 9) return false;
    value = value * 10 + digit;
  }
  cents = negative ? -value : value;
  return true;
}

/// Reads Debezium envelopes without copying them where the bytes behind them may be read.
class Reader {
 public:
  /// False = not a payment that the rules judge.
  bool Read(const void* data, size_t size, Payment& payment) {
    if (data == nullptr) return false;
    ondemand::document document;
    ondemand::object envelope;
    ondemand::object row;
    ondemand::object source;
    std::string_view operation;
    int64_t commit_ms = 0;
    if (parser_.iterate(Padded(data, size)).get(document) != simdjson::SUCCESS ||
        document.get_object().get(envelope) != simdjson::SUCCESS ||
        envelope.find_field("after").get_object().get(row) != simdjson::SUCCESS ||
        !ReadRow(row, payment) ||
        envelope.find_field("source").get_object().get(source) != simdjson::SUCCESS ||
        source.find_field("ts_ms").get_int64().get(commit_ms) != simdjson::SUCCESS ||
        envelope.find_field("op").get_string().get(operation) != simdjson::SUCCESS ||
        operation.size() != 1) {
      return false;
    }
    payment.operation = operation[0];
    const int64_t commit_us = commit_ms * 1000;
    if (payment.time_us == 0 || payment.time_us > commit_us + kMaxAheadUs) {
      payment.time_us = commit_us;
    }
    return payment.operation == 'c' || payment.operation == 'r' || payment.operation == 'u';
  }

 private:
  static bool ReadRow(ondemand::object& row, Payment& payment) {
    std::string_view amount;
    ondemand::value time;
    if (row.find_field("id").get_int64().get(payment.id) != simdjson::SUCCESS ||
        row.find_field("user_id").get_int64().get(payment.account) != simdjson::SUCCESS ||
        row.find_field("amount").get_string().get(amount) != simdjson::SUCCESS ||
        !ParseCents(amount, payment.cents) ||
        row.find_field("created_at").get(time) != simdjson::SUCCESS) {
      return false;
    }
    if (time.get_int64().get(payment.time_us) == simdjson::SUCCESS) return true;
    payment.time_us = 0;
    return time.is_null();
  }

  // simdjson reads some bytes beyond the end: harmless within a page that is ours.
  simdjson::padded_string_view Padded(const void* data, size_t size) {
    constexpr size_t kPage = 4096;
    const size_t capacity = size + simdjson::SIMDJSON_PADDING;
    const char* text = static_cast<const char*>(data);
    const size_t last = (reinterpret_cast<uintptr_t>(text) + size - 1) % kPage;
    if (last + simdjson::SIMDJSON_PADDING >= kPage) {
      if (copy_.size() < capacity) copy_.resize(2 * capacity);
      std::memcpy(copy_.data(), data, size);
      text = copy_.data();
    }
    return simdjson::padded_string_view(text, size, capacity);
  }

  ondemand::parser parser_;
  std::vector<char> copy_;
};

struct Settings {
  std::string brokers;
  std::string topic;
  std::string group;
  std::string alerts;
  int consumers = 2;
  bool discard = false;
};

using Properties = std::vector<std::pair<const char*, std::string>>;

rd_kafka_t* MakeClient(rd_kafka_type_t type, const Properties& properties,
                       void (*delivered)(rd_kafka_t*, const rd_kafka_message_t*, void*) = nullptr) {
  std::array<char, 512> error;
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf, name, value.c_str(), error.data(), error.size()) !=
        RD_KAFKA_CONF_OK) {
      Fail("configuration", error.data());
    }
  }
  if (delivered != nullptr) rd_kafka_conf_set_dr_msg_cb(conf, delivered);
  rd_kafka_t* const client = rd_kafka_new(type, conf, error.data(), error.size());
  if (client == nullptr) Fail("client", error.data());
  return client;
}

void OnDelivered(rd_kafka_t* /*client*/, const rd_kafka_message_t* message, void* /*opaque*/) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    Fail("an alert was not delivered", rd_kafka_err2str(message->err));
  }
}

/// Sends alerts; for all consumers.
class Alerts {
 public:
  explicit Alerts(const Settings& settings)
      : settings_(settings),
        client_(MakeClient(RD_KAFKA_PRODUCER,
                           {{"bootstrap.servers", settings.brokers},
                            {"acks", "all"},
                            {"linger.ms", "1"},
                            {"queue.buffering.max.messages", "1000000"}},
                           &OnDelivered)) {}

  ~Alerts() { rd_kafka_destroy(client_); }
  Alerts(const Alerts&) = delete;
  Alerts& operator=(const Alerts&) = delete;

  void Send(std::string_view ruleset, int score, std::string_view reasons, const Payment& payment,
            const rd_kafka_message_t& source) {
    const std::string key = fmt::to_string(payment.account);
    std::string text = fmt::format(
        R"({{"ruleset":"{}","score":{},"account":"{}","transaction_id":"{}","amount":"{}{}.{:02}",)"
        R"("event_time_us":{},"reasons":[{}],)"
        R"("source":{{"topic":"{}","partition":{},"offset":{}}}}})",
        ruleset, score, key, payment.id, payment.cents < 0 ? "-" : "",
        std::abs(payment.cents) / 100, std::abs(payment.cents) % 100, payment.time_us, reasons,
        settings_.topic, source.partition, source.offset);
    rd_kafka_resp_err_t error = Produce(source.partition, key, text);
    while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      rd_kafka_poll(client_, kIdleMs);
      error = Produce(source.partition, key, text);
    }
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) Fail("sending an alert", rd_kafka_err2str(error));
  }

  /// Serves acknowledgements.
  void Poll() { rd_kafka_poll(client_, 0); }

  /// Returns when every alert is acknowledged.
  void Flush() {
    const rd_kafka_resp_err_t error = rd_kafka_flush(client_, kTimeoutMs);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) Fail("waiting for alerts", rd_kafka_err2str(error));
  }

 private:
  rd_kafka_resp_err_t Produce(int32_t partition, const std::string& key, std::string& text) {
    return rd_kafka_producev(
        client_, RD_KAFKA_V_TOPIC(settings_.alerts.c_str()), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key.data(), key.size()),
        RD_KAFKA_V_VALUE(text.data(), text.size()), RD_KAFKA_V_END);
  }

  const Settings& settings_;
  rd_kafka_t* client_;
};

std::atomic<bool> stopping{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

/// One thread: reads the partitions that are congruent to its number, judges, commits.
class Consumer {
 public:
  Consumer(const Settings& settings, int number, Alerts& alerts)
      : settings_(settings),
        alerts_(alerts),
        client_(
            MakeClient(RD_KAFKA_CONSUMER, {{"bootstrap.servers", settings.brokers},
                                           {"group.id", settings.group},
                                           {"enable.auto.commit", "false"},
                                           {"auto.offset.reset", "earliest"},
                                           // More than a second of the highest rate: with a full
                                           // queue librdkafka 2.0.2 fetches nothing for a second.
                                           {"queued.min.messages", "2000000"},
                                           {"queued.max.messages.kbytes", "1048576"},
                                           {"fetch.message.max.bytes", "4194304"},
                                           {"fetch.wait.max.ms", "100"},
                                           {"socket.receive.buffer.bytes", "4194304"}})) {
    rd_kafka_poll_set_consumer(client_);
    Assign(number);
    queue_ = rd_kafka_queue_get_consumer(client_);
  }

  ~Consumer() {
    rd_kafka_queue_destroy(queue_);
    rd_kafka_consumer_close(client_);
    rd_kafka_destroy(client_);
  }
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  void Run() {
    std::vector<rd_kafka_message_t*> messages(kBatchRecords);
    auto committed = Clock::now();
    bool dirty = false;
    while (!stopping.load(std::memory_order_relaxed)) {
      const size_t count = Read(messages);
      for (size_t i = 0; i < count; ++i) {
        Take(*messages[i]);
        rd_kafka_message_destroy(messages[i]);
      }
      alerts_.Poll();
      dirty |= count > 0;
      const auto now = Clock::now();
      if (dirty && (count == 0 || now - committed >= kCommitInterval)) {
        Commit();
        dirty = false;
        committed = now;
      }
    }
  }

 private:
  void Assign(int number) {
    rd_kafka_topic_t* const topic = rd_kafka_topic_new(client_, settings_.topic.c_str(), nullptr);
    const rd_kafka_metadata_t* metadata = nullptr;
    const rd_kafka_resp_err_t error = rd_kafka_metadata(client_, 0, topic, &metadata, kTimeoutMs);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) Fail("the topic", rd_kafka_err2str(error));
    rd_kafka_topic_partition_list_t* const own = rd_kafka_topic_partition_list_new(1);
    for (int32_t i = number; i < metadata->topics[0].partition_cnt; i += settings_.consumers) {
      rd_kafka_topic_partition_list_add(own, settings_.topic.c_str(), i)->offset =
          RD_KAFKA_OFFSET_STORED;
    }
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    const rd_kafka_resp_err_t assigned = rd_kafka_assign(client_, own);
    rd_kafka_topic_partition_list_destroy(own);
    if (assigned != RD_KAFKA_RESP_ERR_NO_ERROR) Fail("assigning", rd_kafka_err2str(assigned));
  }

  /// What has come, at once; waits for the first message only where there is none.
  size_t Read(std::vector<rd_kafka_message_t*>& messages) {
    const ssize_t count = rd_kafka_consume_batch_queue(queue_, 0, messages.data(), messages.size());
    if (count < 0) Fail("reading", rd_kafka_err2str(rd_kafka_last_error()));
    if (count > 0) return static_cast<size_t>(count);
    messages[0] = rd_kafka_consume_queue(queue_, kIdleMs);
    return messages[0] == nullptr ? 0 : 1;
  }

  void Take(const rd_kafka_message_t& message) {
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      Fail("reading", rd_kafka_message_errstr(&message));
    }
    Payment payment;
    if (settings_.discard || !reader_.Read(message.payload, message.len, payment)) return;
    Account& account = accounts_[payment.account];
    if (payment.operation != 'u' && account.KnowsRow(payment.id)) return;
    if (account.IsAboveProfile(payment.cents)) {
      alerts_.Send("reference-profile", 100, R"({"rule":"above-profile","score":100})", payment,
                   message);
    }
    if (account.IsBurst(payment.time_us) && payment.cents > kBigCents) {
      alerts_.Send("reference-score", 90,
                   R"({"rule":"velocity","score":40},{"rule":"amount","score":50})", payment,
                   message);
    }
  }

  // librdkafka has noted the last record of every batch as the offset to commit.
  void Commit() {
    alerts_.Flush();
    const rd_kafka_resp_err_t error = rd_kafka_commit(client_, nullptr, 0);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) Fail("committing", rd_kafka_err2str(error));
  }

  const Settings& settings_;
  Alerts& alerts_;
  rd_kafka_t* client_;
  rd_kafka_queue_t* queue_ = nullptr;
  Reader reader_;
  absl::flat_hash_map<int64_t, Account> accounts_;
};

void Run(const Settings& settings) {
  Alerts alerts(settings);
  std::vector<std::thread> threads;
  for (int number = 0; number < settings.consumers; ++number) {
    threads.emplace_back(
        [&settings, &alerts, number] { Consumer(settings, number, alerts).Run(); });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6 || argc > 7) {
    fmt::print(stderr, "usage: honest BROKERS TOPIC GROUP ALERTS CONSUMERS [--discard]\n");
    return 64;
  }
  const Settings settings{argv[1],
                          argv[2],
                          argv[3],
                          argv[4],
                          std::max(1, std::atoi(argv[5])),
                          argc == 7 && std::string_view(argv[6]) == "--discard"};
  std::signal(SIGTERM, [](int) { stopping = true; });
  Run(settings);
  return 0;
}
