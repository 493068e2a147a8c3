#include "pipeline/tools/kafka_checks.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "agents/api/parameters.h"
#include "agents/api/status_macros.h"
#include "pipeline/engine/options_from_config.h"
#include "pipeline/snapshot/snapshot_schedule.h"
#include "pipeline/tools/state_topic_settings.h"

namespace caracal::pipeline {
namespace {

using agents::FormatDuration;

constexpr int64_t kMicrosPerMilli = 1000;
/// Chunks of snapshots are at most 512 KiB; a record is a little longer.
constexpr int64_t kStateMessageBytesMin = 600 * 1024;

/// Checks of one topic; every finding names it.
class TopicChecks {
 public:
  TopicChecks(std::string brokers, std::string topic, const TopicFacts& facts,
              std::vector<Check>& out)
      : brokers_(std::move(brokers)), topic_(std::move(topic)), facts_(facts), out_(out) {}

  const TopicFacts& facts() const { return facts_; }
  std::string_view Setting(const std::string& name) const {
    const auto it = facts_.config.find(name);
    return it == facts_.config.end() ? std::string_view() : std::string_view(it->second);
  }
  /// The number a setting holds; `absent` when it is not there.
  int64_t Number(const std::string& name, int64_t absent) const {
    const std::string_view text = Setting(name);
    int64_t number = absent;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }
  double Real(const std::string& name, double absent) const {
    const std::string_view text = Setting(name);
    double number = absent;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }
  bool Has(const std::string& name, std::string_view value) const {
    return Setting(name).find(value) != std::string_view::npos;
  }

  void Add(CheckOutcome outcome, std::string text, std::string fix) {
    found_ = true;
    out_.push_back({outcome, "topic " + topic_, std::move(text), std::move(fix)});
  }
  void AddSetting(CheckOutcome outcome, std::string text, std::string_view name,
                  std::string_view value) {
    Add(outcome, std::move(text),
        fmt::format("kafka-configs.sh --bootstrap-server {} --alter --entity-type topics "
                    "--entity-name {} --add-config {}={}",
                    brokers_, topic_, name, value));
  }
  /// Says so when nothing was found.
  void End(std::string_view purpose) {
    if (found_) return;
    out_.push_back({CheckOutcome::kGood,
                    "topic " + topic_,
                    fmt::format("{}: {} partitions, {} replicas", purpose, facts_.partitions,
                                facts_.replication),
                    {}});
  }

 private:
  const std::string brokers_;
  const std::string topic_;
  const TopicFacts& facts_;
  std::vector<Check>& out_;
  bool found_ = false;
};

int64_t LongestWindow(const agents::Parameters& parameters) {
  int64_t longest = 0;
  for (const auto& [name, value] : parameters.values()) {
    if (const auto* object = std::get_if<std::shared_ptr<const agents::Parameters>>(&value)) {
      longest = std::max(longest, LongestWindow(**object));
    } else if (name == "window" && std::holds_alternative<int64_t>(value)) {
      longest = std::max(longest, std::get<int64_t>(value));
    }
  }
  return longest;
}

/// The topic's facts, or nullptr and a finding.
const TopicFacts* Find(const KafkaFacts& kafka, const std::string& topic,
                       std::string_view when_missing, std::string fix, std::vector<Check>& out) {
  const auto it = kafka.topics.find(topic);
  if (it == kafka.topics.end()) return nullptr;
  if (!it->second.ok()) {
    out.push_back({CheckOutcome::kWarning, "topic " + topic,
                   "cannot be looked at: " + agents::MessageOf(it->second.status()),
                   "grant Describe and DescribeConfigs on it to this user"});
    return nullptr;
  }
  if (!it->second->has_value()) {
    out.push_back({CheckOutcome::kMissing, "topic " + topic,
                   fmt::format("does not exist: {}", when_missing), std::move(fix)});
    return nullptr;
  }
  return &**it->second;
}

/// What every topic needs that something is written to, or that state is rebuilt from.
void CheckDurability(TopicChecks& topic, int32_t brokers) {
  const int64_t replication = topic.facts().replication;
  const int64_t in_sync = topic.Number("min.insync.replicas", 1);
  if (in_sync > replication) {
    topic.AddSetting(CheckOutcome::kProblem,
                     fmt::format("min.insync.replicas is {} and there are {} replicas: nothing "
                                 "that waits for all of them can be written",
                                 in_sync, replication),
                     "min.insync.replicas", fmt::to_string(replication));
  }
  if (replication == 1 && brokers > 1) {
    topic.Add(CheckOutcome::kWarning, "has one replica: it is lost with its broker",
              "create it with --replication-factor 3");
  }
  if (replication >= 3 && in_sync < 2) {
    topic.AddSetting(CheckOutcome::kWarning,
                     "min.insync.replicas is 1: what one broker has acknowledged can be lost",
                     "min.insync.replicas", "2");
  }
  if (topic.Setting("unclean.leader.election.enable") == "true") {
    topic.AddSetting(CheckOutcome::kWarning,
                     "unclean leader election may take acknowledged records back",
                     "unclean.leader.election.enable", "false");
  }
}

void CheckSource(const LoadedConfig& loaded, size_t stream, TopicChecks& topic) {
  if (topic.Has("cleanup.policy", "compact")) {
    topic.AddSetting(CheckOutcome::kProblem,
                     "is compacted: rows of one key overwrite each other before they are judged",
                     "cleanup.policy", "delete");
  }
  const int64_t window = WidestWindow(loaded, stream);
  const int64_t recovery = loaded.config.state().max_recovery();
  const int64_t retention_ms = topic.Number("retention.ms", -1);
  const int64_t needed = window + recovery + kMaxCopyAgeMicros;
  if (retention_ms >= 0 && retention_ms < needed / kMicrosPerMilli) {
    topic.AddSetting(
        CheckOutcome::kProblem,
        fmt::format("keeps records for {}, less than the widest window ({}), state.max_recovery "
                    "({}) and the age of a copy of state ({}): state could not be rebuilt",
                    FormatDuration(retention_ms * kMicrosPerMilli), FormatDuration(window),
                    FormatDuration(recovery), FormatDuration(kMaxCopyAgeMicros)),
        "retention.ms", fmt::to_string(2 * needed / kMicrosPerMilli));
  }
  if (topic.Number("retention.bytes", -1) >= 0) {
    topic.AddSetting(CheckOutcome::kWarning,
                     "deletes by size as well: a peak may delete what state is rebuilt from",
                     "retention.bytes", "-1");
  }
}

/// What above the value of `init` makes the log longer than it must be, and restoring take longer.
void CheckCompaction(TopicChecks& topic) {
  constexpr std::pair<const char*, std::string_view> kLate[] = {
      {"min.cleanable.dirty.ratio", "compaction begins late"},
      {"segment.bytes", "compaction passes over the newest segment, which becomes long"},
      {"segment.ms", "compaction passes over the newest segment, which becomes old"},
      {"delete.retention.ms", "deleted copies stay in the log for long"},
  };
  for (const auto& [name, why] : kLate) {
    const std::string& planned = StateTopicSettings().at(name);
    const double is = topic.Real(name, 0);
    double wanted = 0;
    std::from_chars(planned.data(), planned.data() + planned.size(), wanted);
    if (is <= wanted) continue;
    topic.AddSetting(
        CheckOutcome::kWarning,
        fmt::format("{} is {}, more than the {} of `caracal init`: {}, so the log grows "
                    "and restoring takes longer",
                    name, topic.Setting(name), planned, why),
        name, planned);
  }
}

void CheckState(int32_t source_partitions, TopicChecks& topic) {
  if (topic.Setting("cleanup.policy") != "compact") {
    topic.AddSetting(CheckOutcome::kProblem,
                     fmt::format("cleanup.policy is {}: old state would pile up or new state be "
                                 "deleted",
                                 topic.Setting("cleanup.policy")),
                     "cleanup.policy", "compact");
  }
  if (source_partitions > 0 && topic.facts().partitions != source_partitions) {
    topic.Add(CheckOutcome::kProblem,
              fmt::format("has {} partitions and its source {}: partition n holds the state of "
                          "partition n",
                          topic.facts().partitions, source_partitions),
              "delete it and run `caracal init`; state is rebuilt by replay");
  }
  if (topic.Number("max.message.bytes", kStateMessageBytesMin) < kStateMessageBytesMin) {
    topic.AddSetting(CheckOutcome::kProblem, "max.message.bytes is too small for a chunk of state",
                     "max.message.bytes", StateTopicSettings().at("max.message.bytes"));
  }
  CheckCompaction(topic);
}

void CheckStream(const LoadedConfig& loaded, size_t index, const KafkaFacts& kafka,
                 std::vector<Check>& out) {
  const auto& stream = loaded.config.streams(static_cast<int>(index));
  const std::string& brokers = loaded.config.kafka().bootstrap_servers();
  int32_t partitions = 0;
  if (const TopicFacts* facts =
          Find(kafka, stream.topic(), "the engine waits for it", "start the connector", out)) {
    partitions = facts->partitions;
    TopicChecks topic(brokers, stream.topic(), *facts, out);
    CheckSource(loaded, index, topic);
    CheckDurability(topic, kafka.brokers);
    topic.End("source");
  }
  if (const TopicFacts* facts =
          Find(kafka, stream.state_topic(), "state has no place", "run `caracal init`", out)) {
    TopicChecks topic(brokers, stream.state_topic(), *facts, out);
    CheckState(partitions, topic);
    CheckDurability(topic, kafka.brokers);
    topic.End("state");
  }
}

void CheckOutput(const LoadedConfig& loaded, const std::string& name, std::string_view purpose,
                 const KafkaFacts& kafka, std::vector<Check>& out) {
  const TopicFacts* const facts =
      Find(kafka, name, fmt::format("{} have no place", purpose), "run `caracal init`", out);
  if (facts == nullptr) return;
  TopicChecks topic(loaded.config.kafka().bootstrap_servers(), name, *facts, out);
  if (topic.Has("cleanup.policy", "compact")) {
    topic.AddSetting(CheckOutcome::kWarning,
                     "is compacted: of all records of one account only the newest is kept",
                     "cleanup.policy", "delete");
  }
  CheckDurability(topic, kafka.brokers);
  topic.End(purpose);
}

void CheckRights(const LoadedConfig& loaded, const KafkaFacts& kafka, std::vector<Check>& out) {
  const auto add = [&out](const absl::Status& status, std::string subject, std::string good,
                          std::string fix) {
    if (status.ok()) {
      out.push_back({CheckOutcome::kGood, std::move(subject), std::move(good), {}});
    } else {
      out.push_back(
          {CheckOutcome::kProblem, std::move(subject), agents::MessageOf(status), std::move(fix)});
    }
  };
  const std::string& group = loaded.config.kafka().group_id();
  add(kafka.group, "group " + group, "its offsets can be read",
      fmt::format("grant Read on group {} to this user", group));
  if (loaded.config.delivery() != caracal::config::v1::DELIVERY_EXACTLY_ONCE) return;
  add(kafka.transactions, "transactions", "the brokers take them",
      fmt::format("grant Write and Describe on transactional ids with the prefix {} to this user, "
                  "or set delivery: at_least_once",
                  group));
}

}  // namespace

int64_t WidestWindow(const LoadedConfig& loaded, size_t stream) {
  int64_t widest = 0;
  for (const LoadedRuleset& ruleset : loaded.rulesets) {
    if (ruleset.stream != stream) continue;
    for (const agents::RuleSpec& rule : ruleset.spec.rules) {
      widest = std::max(widest, LongestWindow(rule.parameters));
    }
  }
  return widest;
}

Check CheckMemory(const LoadedConfig& loaded) {
  const MemoryBudget memory = MemoryBudgetFromConfig(loaded);
  if (memory.fits()) {
    return {CheckOutcome::kGood,
            "memory",
            fmt::format("one partition's state may take {} bytes, the process {}: {} partitions "
                        "have room",
                        memory.per_partition, memory.limit,
                        memory.limit / std::max<int64_t>(1, memory.per_partition)),
            {}};
  }
  return {CheckOutcome::kProblem, "memory",
          fmt::format("one partition's state may take {} bytes, the process {} on this machine: it "
                      "could not be held",
                      memory.per_partition, memory.limit),
          "lower state.max_bytes_per_partition, or raise engine.memory_limit"};
}

std::vector<Check> CheckKafka(const LoadedConfig& loaded, const KafkaFacts& kafka) {
  std::vector<Check> out;
  for (size_t i = 0; i < loaded.streams.size(); ++i) CheckStream(loaded, i, kafka, out);
  CheckOutput(loaded, loaded.config.alerts().topic(), "alerts", kafka, out);
  CheckOutput(loaded, loaded.config.dead_letters().topic(), "dead letters", kafka, out);
  CheckRights(loaded, kafka, out);
  return out;
}

}  // namespace caracal::pipeline
