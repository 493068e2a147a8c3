#include "tests/integration/scenario.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "pipeline/base/sha256.h"
#include "tests/support/engine_harness.h"

namespace caracal::pipeline {
namespace {

constexpr int64_t kStartMicros = 1'700'000'000'000'000;
constexpr int64_t kDayMicros = int64_t{86'400} * 1'000'000;
constexpr int64_t kMaxCount = 2;

agents::RulesetSpec Ruleset() { return VelocityRuleset(kMaxCount, kDayMicros); }

std::string AlertIdOf(const std::string& topic, int32_t partition, int64_t offset) {
  const agents::RulesetSpec ruleset = Ruleset();
  return Sha256Hex(
      fmt::format("{}\n{}\n{}\n{}\n{}", ruleset.name, ruleset.version, topic, partition, offset),
      32);
}

TopicReader MakeOutputTopic(MockKafka& kafka, const std::string& topic, int32_t partitions) {
  kafka.CreateTopic(topic, partitions, MockKafka::kOutputBroker);
  return TopicReader(kafka, topic, partitions);
}

std::string AlertIdIn(const std::string& json) {
  constexpr std::string_view kName = R"("alert_id":")";
  const size_t start = json.find(kName);
  return start == std::string::npos ? std::string() : json.substr(start + kName.size(), 32);
}

}  // namespace

Scenario::Scenario(MockKafka& kafka, ScenarioOptions options)
    : kafka_(kafka),
      options_(std::move(options)),
      random_(options_.seed),
      alerts_(MakeOutputTopic(kafka, kAlerts, options_.output_partitions)),
      dead_letters_(MakeOutputTopic(kafka, kDeadLetters, options_.output_partitions)) {
  for (size_t stream = 0; stream < options_.streams.size(); ++stream) {
    topics_.push_back(fmt::format("payments-{}", stream));
    kafka_.CreateTopic(topics_.back(), options_.streams[stream]);
    for (int32_t partition = 0; partition < options_.streams[stream]; ++partition) {
      ends_[{stream, partition}] = 0;
    }
  }
}

EngineOptions Scenario::MemberOptions() const {
  EngineOptions options;
  options.delivery = Delivery::kAtLeastOnce;  // the mock cluster has no transactions
  options.source.connection.bootstrap_servers = kafka_.bootstrap_servers();
  options.source.connection.client_id = "member";
  // Long enough for a busy machine; a join that the mock forgets is repeated after the poll
  // interval.
  options.source.connection.properties = {
      {"session.timeout.ms", "10000"},  {"max.poll.interval.ms", "10000"},
      {"heartbeat.interval.ms", "100"}, {"fetch.wait.max.ms", "10"},
      {"reconnect.backoff.ms", "10"},   {"reconnect.backoff.max.ms", "100"}};
  options.source.group_id = MockKafka::kGroup;
  options.source.batch_records = 64;
  options.sink.connection = options.source.connection;
  options.sink.connection.properties = {{"retry.backoff.ms", "10"},
                                        {"reconnect.backoff.ms", "10"},
                                        {"reconnect.backoff.max.ms", "100"}};
  options.sink.alert_topic = kAlerts;
  options.sink.dead_letter_topic = kDeadLetters;
  for (const std::string& topic : topics_) {
    options.source.topics.push_back({.name = topic, .from = {}, .alert_from = {}});
    StreamOptions stream;
    stream.decode = EngineHarness::DefaultDecode();
    stream.decode.topic = topic;
    stream.context = EngineHarness::ContextOf(stream.decode);
    stream.rulesets = {Ruleset()};
    options.streams.push_back(std::move(stream));
  }
  options.ingest.buckets = 8;
  options.ingest.max_wait = absl::Milliseconds(20);
  options.epochs.commit_interval_us = 20'000;
  options.max_bytes_per_partition = int64_t{16} << 20;
  options.rows_per_bucket = 4096;
  options.shutdown_timeout = absl::Seconds(10);
  options.worker_threads = 2;
  options.ring_capacity = 8;
  return options;
}

TopicRecord Scenario::Payment(size_t stream, int64_t account) {
  TopicRecord record;
  record.partition = static_cast<int32_t>(account % options_.streams[stream]);
  record.key = fmt::format(R"({{"user_id":{}}})", account);
  record.value = fmt::format(R"({{"id":{},"user_id":{},"amount":"10.00","created_at":{}}})", sent_,
                             account, kStartMicros + sent_ * 1000);
  sent_ += 1;
  return record;
}

void Scenario::Send(int count) {
  std::vector<std::vector<TopicRecord>> records(topics_.size());
  std::vector<std::vector<int64_t>> accounts(topics_.size());
  for (int i = 0; i < count; ++i) {
    const size_t stream = random_() % topics_.size();
    const auto account = static_cast<int64_t>(random_() % options_.accounts);
    records[stream].push_back(Payment(stream, account));
    accounts[stream].push_back(account);
  }
  for (size_t stream = 0; stream < topics_.size(); ++stream) {
    Append(stream, records[stream], accounts[stream]);
  }
}

void Scenario::SendTo(size_t stream, int32_t partition, int count) {
  std::vector<TopicRecord> records;
  std::vector<int64_t> accounts;
  for (int i = 0; i < count; ++i) {
    const auto nth = static_cast<int64_t>(random_() % options_.accounts);
    accounts.push_back(nth * options_.streams[stream] + partition);
    records.push_back(Payment(stream, accounts.back()));
  }
  Append(stream, records, accounts);
}

void Scenario::Append(size_t stream, std::vector<TopicRecord>& records,
                      const std::vector<int64_t>& accounts) {
  kafka_.Append(topics_[stream], records);
  for (size_t i = 0; i < records.size(); ++i) {
    const TopicRecord& record = records[i];
    int64_t& end = ends_[{stream, record.partition}];
    end = std::max(end, record.offset + 1);
    if (++payments_[{stream, record.partition, accounts[i]}] <= kMaxCount) continue;
    expected_[AlertIdOf(topics_[stream], record.partition, record.offset)] = {
        stream, record.partition, record.offset};
  }
}

void Scenario::SendGarbage(size_t stream, int32_t partition, int count, size_t bytes) {
  std::vector<TopicRecord> records;
  for (int i = 0; i < count; ++i) {
    TopicRecord record;
    record.partition = partition;
    record.key = fmt::format("key \xff {}", sent_);  // no JSON, no UTF-8
    record.value = fmt::format("{{no json {} ", sent_);
    record.value.resize(std::max(bytes, record.value.size()), '*');
    sent_ += 1;
    records.push_back(std::move(record));
  }
  kafka_.Append(topics_[stream], records);
  for (const TopicRecord& record : records) {
    int64_t& end = ends_[{stream, partition}];
    end = std::max(end, record.offset + 1);
    garbage_[{stream, partition, record.offset}] = record;
  }
}

void Scenario::Check() {
  complete_ = false;
  const bool known = ReadCommitted();
  CheckAlerts();
  CheckDeadLetters();
  complete_ = known && missing_alerts_ == 0 && missing_dead_letters_ == 0 && committed_ == ends_;
}

bool Scenario::ReadCommitted() {
  for (size_t stream = 0; stream < topics_.size(); ++stream) {
    const std::vector<CommittedOffset> committed =
        kafka_.Committed(MockKafka::kGroup, topics_[stream], options_.streams[stream]);
    if (committed.empty()) return false;
    for (int32_t partition = 0; partition < options_.streams[stream]; ++partition) {
      const int64_t offset = committed[partition].offset;
      const auto [it, fresh] = committed_.try_emplace({stream, partition}, offset);
      if (!fresh && offset < it->second) {
        problems_.insert(fmt::format("{} [{}]: the committed offset goes back from {} to {}",
                                     topics_[stream], partition, it->second, offset));
      }
      it->second = offset;
    }
  }
  return true;
}

void Scenario::CheckAlerts() {
  std::set<Place> arrived;
  repeated_ = 0;
  std::set<std::string> once;
  for (const TopicRecord& record : alerts_.Read()) {
    const std::string id = AlertIdIn(record.value);
    const auto expected = expected_.find(id);
    if (expected == expected_.end()) {
      problems_.insert(fmt::format("nobody expects this alert: {}", record.value));
      continue;
    }
    repeated_ += once.insert(id).second ? 0 : 1;
    const auto [it, fresh] = seen_.try_emplace(id, record.value);
    if (it->second != record.value) {
      problems_.insert(fmt::format("alert {} has changed:\n{}\n{}", id, it->second, record.value));
    }
    arrived.insert(expected->second);
  }
  std::set<Place> wanted;
  for (const auto& [id, place] : expected_) wanted.insert(place);
  missing_alerts_ = wanted.size() - arrived.size();
  if (alerts_.reached_end()) CheckBelowCommitted(arrived, wanted, "alert");
}

void Scenario::CheckDeadLetters() {
  std::set<Place> arrived;
  for (const TopicRecord& record : dead_letters_.Read()) {
    const auto stream =
        std::find(topics_.begin(), topics_.end(), record.Header("__connect.errors.topic"));
    const Place place = {
        static_cast<size_t>(stream - topics_.begin()),
        std::atoi(std::string(record.Header("__connect.errors.partition")).c_str()),
        std::atoll(std::string(record.Header("__connect.errors.offset")).c_str())};
    if (!garbage_.contains(place)) {
      problems_.insert("nobody expects a dead letter with the key " + record.key);
      continue;
    }
    arrived.insert(place);
    if (record.key != garbage_[place].key) problems_.insert("a dead letter has another key");
    const bool omitted = !record.Header("caracal-value-omitted").empty();
    if (omitted ? !record.null_value : record.value != garbage_[place].value) {
      problems_.insert("a dead letter has another value");
    }
  }
  std::set<Place> wanted;
  for (const auto& [place, record] : garbage_) wanted.insert(place);
  missing_dead_letters_ = wanted.size() - arrived.size();
  if (dead_letters_.reached_end()) CheckBelowCommitted(arrived, wanted, "dead letter");
}

void Scenario::CheckBelowCommitted(const std::set<Place>& arrived, const std::set<Place>& wanted,
                                   const char* what) {
  for (const Place& place : wanted) {
    const auto& [stream, partition, offset] = place;
    if (offset >= Committed(stream, partition) || arrived.contains(place)) continue;
    problems_.insert(fmt::format("{} [{}]: offset {} is committed, its {} for offset {} is lost",
                                 topics_[stream], partition, Committed(stream, partition), what,
                                 offset));
  }
}

int64_t Scenario::Committed(size_t stream, int32_t partition) const {
  const auto it = committed_.find({stream, partition});
  return it == committed_.end() ? -1 : it->second;
}

std::string Scenario::Describe() const {
  std::string text =
      fmt::format("seed {}: {} of {} alerts and {} of {} dead letters are missing", options_.seed,
                  missing_alerts_, expected_.size(), missing_dead_letters_, garbage_.size());
  for (const auto& [partition, end] : ends_) {
    text += fmt::format("\n{} [{}]: committed {} of {}", topics_[partition.first], partition.second,
                        Committed(partition.first, partition.second), end);
  }
  return text;
}

}  // namespace caracal::pipeline
