/// Every failpoint is on a way that an engine takes, and a step that fails there is done again.

#include <algorithm>
#include <string>
#include <vector>

#include "pipeline/base/failpoint.h"
#include "tests/integration/integration_test.h"

namespace caracal::pipeline {
namespace {

class FailpointCoverageTest : public IntegrationTest {
 protected:
  ~FailpointCoverageTest() override { static_cast<void>(ArmFailpoints("")); }

  /// Options with a state topic for every stream and copies every few records.
  EngineOptions WithState(const Scenario& scenario, const std::string& group) {
    EngineOptions options = scenario.MemberOptions();
    for (const SourceTopic& topic : options.source.topics) {
      options.state_topics.push_back(topic.name + ".state." + group);
      kafka().CreateTopic(options.state_topics.back(), 3, MockKafka::kOutputBroker);
    }
    options.ingest.max_recovery = absl::Microseconds(150);  // some fifty records
    return options;
  }

  static std::vector<std::string> NotHit(const std::vector<Failpoint>& points) {
    std::vector<std::string> names;
    for (const Failpoint point : points) {
      if (FailpointHits(point) == 0) names.emplace_back(FailpointName(point));
    }
    return names;
  }
};

const std::vector<Failpoint>& TransactionPoints() {
  static const auto* const kPoints = new std::vector<Failpoint>{
      Failpoint::kTransactionBegin,  Failpoint::kOffsetsSend,     Failpoint::kOffsetsSent,
      Failpoint::kTransactionCommit, Failpoint::kTransactionDone, Failpoint::kProducerRenew};
  return *kPoints;
}

std::vector<Failpoint> OtherPoints() {
  std::vector<Failpoint> points;
  for (size_t i = 0; i < kFailpointCount; ++i) {
    const auto point = static_cast<Failpoint>(i);
    const auto& transaction = TransactionPoints();
    if (std::count(transaction.begin(), transaction.end(), point) == 0) points.push_back(point);
  }
  return points;
}

TEST_F(FailpointCoverageTest, AtLeastOnceComesByAllButThoseOfTransactionsAndRetriesFailedSteps) {
  ASSERT_TRUE(ArmFailpoints("snapshot.chunk=error@1,snapshot.tombstone=error@1,"
                            "restore.committed=error@1,restore.state=error@1")
                  .ok());
  Scenario scenario(kafka(), {.seed = Seed()});
  scenario.Send(400);
  const auto member = Start(WithState(scenario, "a"));
  EXPECT_TRUE(ArrivesCompletely(scenario));
  // A copy that replaces an older one needs two rounds.
  EXPECT_TRUE(Eventually([&] {
    if (FailpointHits(Failpoint::kSnapshotTombstone) > 1) return true;
    scenario.Send(100);
    return false;
  }));
  EXPECT_TRUE(ArrivesCompletely(scenario));
  EXPECT_EQ(member->Stop(), absl::OkStatus());
  EXPECT_EQ(NotHit(OtherPoints()), std::vector<std::string>());
}

// The mock cluster takes transactions and does not keep what makes them exact: enough to come by.
TEST_F(FailpointCoverageTest, ExactlyOnceComesByThoseOfTransactionsAndRetriesAbortedOnes) {
  ASSERT_TRUE(ArmFailpoints("transaction.begin=error@1,transaction.offsets=error@1,"
                            "transaction.offsets_sent=error@1,transaction.commit=error@1,"
                            "transaction.done=delay:1100@2,producer.renew=error@1")
                  .ok());
  Scenario scenario(kafka(), {.seed = Seed()});
  EngineOptions options = WithState(scenario, "b");
  options.delivery = Delivery::kExactlyOnce;
  const auto member = Start(std::move(options));
  EXPECT_TRUE(Eventually([&] {
    scenario.Send(50);
    return member->engine().commit_probe().epochs_committed.value() > 2;
  }));
  EXPECT_EQ(NotHit(TransactionPoints()), std::vector<std::string>());
  EXPECT_GE(member->engine().sink_probe().transactions_aborted.value(), 4U);
  EXPECT_EQ(member->Stop(), absl::OkStatus());
}

}  // namespace
}  // namespace caracal::pipeline
