#include "pipeline/tools/kafka_checks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/tools/state_topic_settings.h"

namespace caracal::pipeline {
namespace {

constexpr int64_t kSecond = 1'000'000;

agents::RuleSpec RuleWithWindow(int64_t micros) {
  agents::RuleSpec rule;
  rule.parameters.Set("window", micros);
  return rule;
}

/// One stream with one rule that looks back for an hour.
LoadedConfig MakeConfig() {
  LoadedConfig loaded;
  loaded.config.mutable_kafka()->set_group_id("fraud");
  loaded.config.set_delivery(caracal::config::v1::DELIVERY_EXACTLY_ONCE);
  loaded.config.mutable_state()->set_max_recovery(10 * kSecond);
  loaded.config.mutable_alerts()->set_topic("alerts");
  loaded.config.mutable_dead_letters()->set_topic("dead");
  auto* stream = loaded.config.add_streams();
  stream->set_topic("payments");
  stream->set_state_topic("state");
  loaded.streams.resize(1);
  loaded.rulesets.resize(1);
  loaded.rulesets[0].spec.rules = {RuleWithWindow(60 * kSecond), RuleWithWindow(3600 * kSecond)};
  return loaded;
}

/// Everything as `caracal init` makes it on three brokers.
KafkaFacts MakeFacts() {
  KafkaFacts kafka;
  kafka.brokers = 3;
  for (const char* topic : {"payments", "state", "alerts", "dead"}) {
    TopicFacts facts;
    facts.partitions = 6;
    facts.replication = 3;
    facts.config = {{"cleanup.policy", "delete"},     {"retention.ms", "604800000"},
                    {"retention.bytes", "-1"},        {"min.insync.replicas", "2"},
                    {"max.message.bytes", "1048588"}, {"unclean.leader.election.enable", "false"}};
    kafka.topics.emplace(topic, facts);
  }
  TopicFacts& state = **kafka.topics.at("state");
  for (const auto& [name, value] : StateTopicSettings()) state.config[name] = value;
  return kafka;
}

TopicFacts& Topic(KafkaFacts& kafka, const std::string& name) { return **kafka.topics.at(name); }

/// Findings that are not good, as "outcome subject".
std::vector<std::string> Findings(const LoadedConfig& loaded, const KafkaFacts& kafka) {
  std::vector<std::string> findings;
  for (const Check& check : CheckKafka(loaded, kafka)) {
    if (check.outcome == CheckOutcome::kGood) {
      EXPECT_TRUE(check.fix.empty()) << check.text;
      continue;
    }
    EXPECT_FALSE(check.fix.empty()) << check.text;
    const char* outcome = check.outcome == CheckOutcome::kProblem   ? "problem "
                          : check.outcome == CheckOutcome::kMissing ? "missing "
                                                                    : "warning ";
    findings.push_back(outcome + check.subject);
  }
  return findings;
}

using Lines = std::vector<std::string>;

TEST(KafkaChecksTest, FindsNothingWhereAllIsWell) {
  EXPECT_EQ(Findings(MakeConfig(), MakeFacts()), Lines());
}

TEST(KafkaChecksTest, SaysOneGoodLinePerTopicAndRight) {
  EXPECT_EQ(CheckKafka(MakeConfig(), MakeFacts()).size(), 6U);
}

TEST(KafkaChecksTest, WidestWindowIsThatOfTheStreamAlsoInsideSections) {
  LoadedConfig loaded = MakeConfig();
  EXPECT_EQ(WidestWindow(loaded, 0), 3600 * kSecond);
  EXPECT_EQ(WidestWindow(loaded, 1), 0);
  auto section = std::make_shared<agents::Parameters>();
  section->Set("window", int64_t{7200} * kSecond);
  agents::RuleSpec rule;
  rule.parameters.Set("country_change", std::shared_ptr<const agents::Parameters>(section));
  loaded.rulesets[0].spec.rules.push_back(std::move(rule));
  EXPECT_EQ(WidestWindow(loaded, 0), 7200 * kSecond);
}

TEST(KafkaChecksTest, RetentionMustCoverTheWidestWindowRecoveryAndTheAgeOfACopy) {
  KafkaFacts kafka = MakeFacts();
  Topic(kafka, "payments").config["retention.ms"] = "4210000";
  EXPECT_EQ(Findings(MakeConfig(), kafka), Lines());
  Topic(kafka, "payments").config["retention.ms"] = "4209999";
  EXPECT_EQ(Findings(MakeConfig(), kafka), Lines{"problem topic payments"});
  Topic(kafka, "payments").config["retention.ms"] = "-1";
  EXPECT_EQ(Findings(MakeConfig(), kafka), Lines());
}

TEST(KafkaChecksTest, SourceMustNotBeCompactedNorDeletedBySize) {
  KafkaFacts kafka = MakeFacts();
  Topic(kafka, "payments").config["cleanup.policy"] = "compact,delete";
  Topic(kafka, "payments").config["retention.bytes"] = "1000000";
  EXPECT_EQ(Findings(MakeConfig(), kafka),
            (Lines{"problem topic payments", "warning topic payments"}));
}

TEST(KafkaChecksTest, StateMustBeCompactedAndHaveThePartitionsOfItsSource) {
  KafkaFacts kafka = MakeFacts();
  Topic(kafka, "state").config["cleanup.policy"] = "compact,delete";
  EXPECT_EQ(Findings(MakeConfig(), kafka), Lines{"problem topic state"});
  kafka = MakeFacts();
  Topic(kafka, "state").partitions = 5;
  EXPECT_EQ(Findings(MakeConfig(), kafka), Lines{"problem topic state"});
  kafka = MakeFacts();
  Topic(kafka, "state").config["max.message.bytes"] = "500000";
  EXPECT_EQ(Findings(MakeConfig(), kafka), Lines{"problem topic state"});
}

TEST(KafkaChecksTest, StateThatIsCompactedLaterThanInitWouldHaveItIsWarnedOfWithTheCommand) {
  const std::pair<const char*, const char*> kLater[] = {{"min.cleanable.dirty.ratio", "0.3"},
                                                        {"segment.bytes", "1073741824"},
                                                        {"segment.ms", "604800000"},
                                                        {"delete.retention.ms", "86400000"}};
  for (const auto& [name, value] : kLater) {
    KafkaFacts kafka = MakeFacts();
    Topic(kafka, "state").config[name] = value;
    EXPECT_EQ(Findings(MakeConfig(), kafka), Lines{"warning topic state"}) << name;
    for (const Check& check : CheckKafka(MakeConfig(), kafka)) {
      if (check.outcome != CheckOutcome::kWarning) continue;
      EXPECT_NE(check.text.find(value), std::string::npos) << check.text;
      const std::string setting = std::string(name) + "=" + StateTopicSettings().at(name);
      EXPECT_TRUE(check.fix.starts_with("kafka-configs.sh ")) << check.fix;
      EXPECT_TRUE(check.fix.ends_with(" --entity-name state --add-config " + setting)) << check.fix;
    }
  }
}

TEST(KafkaChecksTest, StateThatIsCompactedEarlierThanInitWouldHaveItIsFine) {
  KafkaFacts kafka = MakeFacts();
  for (const char* name :
       {"min.cleanable.dirty.ratio", "segment.bytes", "segment.ms", "delete.retention.ms"}) {
    Topic(kafka, "state").config[name] = "0.1";
  }
  EXPECT_EQ(Findings(MakeConfig(), kafka), Lines());
}

TEST(KafkaChecksTest, OnePartitionMustHaveRoomInMemory) {
  LoadedConfig loaded = MakeConfig();
  loaded.config.mutable_state()->set_max_bytes_per_partition(1000);
  loaded.config.mutable_engine()->set_memory_limit(3500);
  EXPECT_EQ(CheckMemory(loaded).outcome, CheckOutcome::kGood);
  EXPECT_NE(CheckMemory(loaded).text.find("3 partitions have room"), std::string::npos);
  loaded.config.mutable_engine()->set_memory_limit(999);
  EXPECT_EQ(CheckMemory(loaded).outcome, CheckOutcome::kProblem);
  EXPECT_NE(CheckMemory(loaded).fix.find("engine.memory_limit"), std::string::npos);
}

TEST(KafkaChecksTest, WhatIsWrittenMustBeSafe) {
  KafkaFacts kafka = MakeFacts();
  Topic(kafka, "alerts").config["min.insync.replicas"] = "4";
  EXPECT_EQ(Findings(MakeConfig(), kafka), Lines{"problem topic alerts"});
  kafka = MakeFacts();
  Topic(kafka, "alerts").config["min.insync.replicas"] = "1";
  EXPECT_EQ(Findings(MakeConfig(), kafka), Lines{"warning topic alerts"});
  kafka = MakeFacts();
  Topic(kafka, "dead").config["unclean.leader.election.enable"] = "true";
  EXPECT_EQ(Findings(MakeConfig(), kafka), Lines{"warning topic dead"});
  kafka = MakeFacts();
  Topic(kafka, "dead").replication = 1;
  Topic(kafka, "dead").config["min.insync.replicas"] = "1";
  EXPECT_EQ(Findings(MakeConfig(), kafka), Lines{"warning topic dead"});
  kafka.brokers = 1;
  EXPECT_EQ(Findings(MakeConfig(), kafka), Lines());
}

TEST(KafkaChecksTest, MissingAndForbiddenTopicsAreToldApart) {
  KafkaFacts kafka = MakeFacts();
  kafka.topics.at("payments") = std::nullopt;
  kafka.topics.at("alerts") = absl::PermissionDeniedError("not authorised");
  EXPECT_EQ(Findings(MakeConfig(), kafka),
            (Lines{"missing topic payments", "warning topic alerts"}));
}

TEST(KafkaChecksTest, RightsCountForWhatIsUsedOnly) {
  KafkaFacts kafka = MakeFacts();
  kafka.group = absl::PermissionDeniedError("no");
  kafka.transactions = absl::UnavailableError("no");
  LoadedConfig loaded = MakeConfig();
  EXPECT_EQ(Findings(loaded, kafka), (Lines{"problem group fraud", "problem transactions"}));
  loaded.config.set_delivery(caracal::config::v1::DELIVERY_AT_LEAST_ONCE);
  EXPECT_EQ(Findings(loaded, kafka), Lines{"problem group fraud"});
}

}  // namespace
}  // namespace caracal::pipeline
