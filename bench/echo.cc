// The reference of echo_bench: what a program costs that does not judge. Reads payments with
// librdkafka's batch call, passes on those that open_loop wants alerts on, commits. Runs until
// SIGTERM; ends with exit code 1 on any error.
//
//   echo_peer BROKERS TOPIC GROUP ALERTS at_least_once|exactly_once
//
// exactly_once: one transaction after the other, each with all that came during the one before and
// within a few milliseconds more. at_least_once: an idempotent producer; offsets are committed
// behind payments whose alerts are acknowledged, without waiting for anything.

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kBatchRecords = 65'536;
// The broker still writes the markers of the last transaction: one that begins earlier is refused
// and put off for 20 ms by librdkafka 2.0.2.
constexpr int kGroupMs = 6;
constexpr int kIdleMs = 10;
constexpr int kTimeoutMs = 30'000;
constexpr auto kCommitInterval = std::chrono::milliseconds(100);
// What open_loop plants, and where it says which payment it is.
constexpr std::string_view kMarker = R"("amount":"9000.)";
constexpr std::string_view kId = R"("id":)";

std::atomic<bool> stopping{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

struct Settings {
  std::string brokers;
  std::string topic;
  std::string group;
  std::string alerts;
};

using Properties = std::vector<std::pair<const char*, std::string>>;

[[noreturn]] void Fail(std::string_view what, std::string_view why) {
  fmt::print(stderr, "echo_peer: {}: {}\n", what, why);
  std::_Exit(1);
}

void Check(rd_kafka_resp_err_t error, std::string_view what) {
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) Fail(what, rd_kafka_err2str(error));
}

void Check(rd_kafka_error_t* error, std::string_view what) {
  if (error != nullptr) Fail(what, rd_kafka_error_string(error));
}

rd_kafka_conf_t* MakeConf(const Properties& properties) {
  std::array<char, 512> error;
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf, name, value.c_str(), error.data(), error.size()) !=
        RD_KAFKA_CONF_OK) {
      Fail("configuration", error.data());
    }
  }
  return conf;
}

rd_kafka_t* MakeClient(rd_kafka_type_t type, rd_kafka_conf_t* conf) {
  std::array<char, 512> error;
  rd_kafka_t* const client = rd_kafka_new(type, conf, error.data(), error.size());
  if (client == nullptr) Fail("client", error.data());
  return client;
}

void OnCommitted(rd_kafka_t* /*client*/, rd_kafka_resp_err_t error,
                 rd_kafka_topic_partition_list_t* /*offsets*/, void* /*opaque*/) {
  Check(error, "committing");
}

/// Reads the payments, and knows how far. One thread.
class Reader {
 public:
  explicit Reader(const Settings& settings) : settings_(settings), messages_(kBatchRecords) {
    // Those of a member of Caracal.
    rd_kafka_conf_t* const conf = MakeConf({{"bootstrap.servers", settings.brokers},
                                            {"group.id", settings.group},
                                            {"enable.auto.commit", "false"},
                                            {"enable.auto.offset.store", "false"},
                                            {"auto.offset.reset", "earliest"},
                                            {"isolation.level", "read_committed"},
                                            {"queued.min.messages", "1000000"},
                                            {"queued.max.messages.kbytes", "1048576"},
                                            {"fetch.min.bytes", "32768"},
                                            {"fetch.wait.max.ms", "5"},
                                            {"socket.nagle.disable", "true"}});
    rd_kafka_conf_set_offset_commit_cb(conf, &OnCommitted);
    client_ = MakeClient(RD_KAFKA_CONSUMER, conf);
    rd_kafka_poll_set_consumer(client_);
    rd_kafka_topic_partition_list_t* const topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, settings.topic.c_str(), RD_KAFKA_PARTITION_UA);
    Check(rd_kafka_subscribe(client_, topics), "joining the group");
    rd_kafka_topic_partition_list_destroy(topics);
    queue_ = rd_kafka_queue_get_consumer(client_);
  }

  ~Reader() {
    rd_kafka_queue_destroy(queue_);
    rd_kafka_consumer_close(client_);
    rd_kafka_destroy(client_);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /// Hands `take` every record that has come, or comes within `wait_ms`. False = none.
  template <typename Take>
  bool Read(int wait_ms, Take take) {
    const ssize_t count =
        rd_kafka_consume_batch_queue(queue_, wait_ms, messages_.data(), messages_.size());
    if (count < 0) Check(rd_kafka_last_error(), "reading");
    for (size_t i = 0; i < static_cast<size_t>(count); ++i) TakeOne(messages_[i], take);
    return count > 0;
  }

  /// Waits for a record, and hands over those that have come by then. False = none.
  template <typename Take>
  bool ReadFirst(int wait_ms, Take take) {
    if (Read(0, take)) return true;
    rd_kafka_message_t* const message = rd_kafka_consume_queue(queue_, wait_ms);
    if (message == nullptr) return false;
    TakeOne(message, take);
    return true;
  }

  /// Where to go on, for a commit; the caller destroys it.
  rd_kafka_topic_partition_list_t* Positions() const {
    rd_kafka_topic_partition_list_t* const list =
        rd_kafka_topic_partition_list_new(static_cast<int>(next_.size()));
    for (size_t i = 0; i < next_.size(); ++i) {
      if (next_[i] < 0) continue;
      rd_kafka_topic_partition_list_add(list, settings_.topic.c_str(), static_cast<int32_t>(i))
          ->offset = next_[i];
    }
    return list;
  }

  rd_kafka_t* client() const { return client_; }

 private:
  template <typename Take>
  void TakeOne(rd_kafka_message_t* message, Take& take) {
    Check(message->err, "reading");
    const auto partition = static_cast<size_t>(message->partition);
    if (next_.size() <= partition) next_.resize(partition + 1, -1);
    next_[partition] = message->offset + 1;
    take(*message);
    rd_kafka_message_destroy(message);
  }

  const Settings& settings_;
  rd_kafka_t* client_ = nullptr;
  rd_kafka_queue_t* queue_ = nullptr;
  std::vector<rd_kafka_message_t*> messages_;
  std::vector<int64_t> next_;  // by partition; -1 = nothing has been read
};

Properties ProducerProperties(const Settings& settings) {
  return {{"bootstrap.servers", settings.brokers},
          {"enable.idempotence", "true"},
          {"linger.ms", "0"},
          {"retry.backoff.ms", "5"},
          {"socket.nagle.disable", "true"},
          {"queue.buffering.max.messages", "1000000"}};
}

/// Sends what open_loop takes for an alert on a payment that it has marked. False = it is not.
bool Echo(rd_kafka_t* producer, const Settings& settings, const rd_kafka_message_t& message,
          void* opaque) {
  const std::string_view payment(static_cast<const char*>(message.payload), message.len);
  if (memmem(payment.data(), payment.size(), kMarker.data(), kMarker.size()) == nullptr) {
    return false;
  }
  int64_t id = -1;
  const size_t at = payment.find(kId);
  if (at == std::string_view::npos) Fail("reading", "a payment without id");
  std::from_chars(payment.data() + at + kId.size(), payment.data() + payment.size(), id);
  std::string alert = fmt::format(R"({{"transaction_id":"{}","payment":{}}})", id, payment);
  Check(rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(settings.alerts.c_str()),
                          RD_KAFKA_V_PARTITION(message.partition),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_KEY(message.key, message.key_len),
                          RD_KAFKA_V_VALUE(alert.data(), alert.size()), RD_KAFKA_V_OPAQUE(opaque),
                          RD_KAFKA_V_END),
        "sending");
  return true;
}

void EchoExactlyOnce(const Settings& settings) {
  Reader reader(settings);
  Properties properties = ProducerProperties(settings);
  properties.emplace_back("transactional.id", settings.group);
  rd_kafka_t* const producer = MakeClient(RD_KAFKA_PRODUCER, MakeConf(properties));
  Check(rd_kafka_init_transactions(producer, kTimeoutMs), "starting a producer");
  bool open = false;
  const auto take = [&](const rd_kafka_message_t& message) {
    if (!open) Check(rd_kafka_begin_transaction(producer), "beginning");
    open = true;
    Echo(producer, settings, message, nullptr);
  };
  while (!stopping.load(std::memory_order_relaxed)) {
    if (!reader.Read(kGroupMs, take)) continue;
    rd_kafka_topic_partition_list_t* const positions = reader.Positions();
    rd_kafka_consumer_group_metadata_t* const group =
        rd_kafka_consumer_group_metadata(reader.client());
    Check(rd_kafka_send_offsets_to_transaction(producer, positions, group, kTimeoutMs),
          "sending the offsets");
    Check(rd_kafka_commit_transaction(producer, kTimeoutMs), "committing");
    open = false;
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(positions);
  }
  rd_kafka_destroy(producer);
}

/// Alerts that are committed behind together.
struct Group {
  int64_t unacknowledged = 0;
  rd_kafka_topic_partition_list_t* positions = nullptr;  ///< behind them; null = it is still open
};

void OnDelivered(rd_kafka_t* /*client*/, const rd_kafka_message_t* message, void* /*opaque*/) {
  Check(message->err, "an alert was not delivered");
  static_cast<Group*>(message->_private)->unacknowledged -= 1;
}

/// Commits behind a group when all of it is acknowledged.
void CommitIfDone(const Reader& reader, Group& group) {
  if (group.positions == nullptr || group.unacknowledged > 0) return;
  Check(rd_kafka_commit(reader.client(), group.positions, /*async=*/1), "committing");
  rd_kafka_topic_partition_list_destroy(group.positions);
  group.positions = nullptr;
}

void EchoAtLeastOnce(const Settings& settings) {
  Reader reader(settings);
  rd_kafka_conf_t* const conf = MakeConf(ProducerProperties(settings));
  rd_kafka_conf_set_dr_msg_cb(conf, &OnDelivered);
  rd_kafka_t* const producer = MakeClient(RD_KAFKA_PRODUCER, conf);
  std::array<Group, 2> groups;  // one is filled while the other one is acknowledged
  size_t filled = 0;
  bool dirty = false;
  auto closed = Clock::now();
  const auto take = [&](const rd_kafka_message_t& message) {
    if (Echo(producer, settings, message, &groups[filled])) ++groups[filled].unacknowledged;
  };
  while (!stopping.load(std::memory_order_relaxed)) {
    dirty |= reader.ReadFirst(kIdleMs, take);
    rd_kafka_poll(producer, 0);
    CommitIfDone(reader, groups[1 - filled]);
    const auto now = Clock::now();
    if (dirty && now - closed >= kCommitInterval && groups[1 - filled].positions == nullptr) {
      groups[filled].positions = reader.Positions();
      filled = 1 - filled;
      dirty = false;
      closed = now;
    }
  }
  Check(rd_kafka_flush(producer, kTimeoutMs), "waiting for the alerts");
  rd_kafka_destroy(producer);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view delivery = argc == 6 ? argv[5] : "";
  if (delivery != "at_least_once" && delivery != "exactly_once") {
    fmt::print(stderr, "usage: echo_peer BROKERS TOPIC GROUP ALERTS at_least_once|exactly_once\n");
    return 64;
  }
  const Settings settings{argv[1], argv[2], argv[3], argv[4]};
  std::signal(SIGTERM, [](int) { stopping = true; });
  if (delivery == "exactly_once") {
    EchoExactlyOnce(settings);
  } else {
    EchoAtLeastOnce(settings);
  }
  return 0;
}
