#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "pipeline/engine/engine_options.h"
#include "tests/support/mock_kafka.h"

namespace caracal::pipeline {

struct ScenarioOptions {
  uint64_t seed = 1;
  /// Partitions of each source topic.
  std::vector<int32_t> streams = {3, 2};
  int32_t output_partitions = 3;
  int64_t accounts = 40;
};

/// Payments in the source topics, what an engine must make of them, and what is wrong with what it
/// did make of them.
///
/// The rule alerts on every payment of an account after the second. The expectation is a count of
/// its own, and the alert ids are computed from the documented formula. One thread.
class Scenario {
 public:
  Scenario(MockKafka& kafka, ScenarioOptions options);

  /// Of a member that reads all streams.
  EngineOptions MemberOptions() const;
  const std::string& topic(size_t stream) const { return topics_[stream]; }
  static constexpr const char* kAlerts = "alerts";
  static constexpr const char* kDeadLetters = "dead-letters";

  /// Appends payments of random accounts, each account in one partition of one stream.
  void Send(int count);
  void SendTo(size_t stream, int32_t partition, int count);
  /// Appends records that are no payments: dead letters with these very bytes are expected.
  void SendGarbage(size_t stream, int32_t partition, int count, size_t bytes = 40);

  /// Looks at offsets and alerts once; adds what is wrong to problems(): an offset that has gone
  /// back, an alert or dead letter below a committed offset that has not arrived, an alert that
  /// nobody expects, an alert whose bytes have changed. Committed offsets are read before the
  /// alerts.
  void Check();
  const std::set<std::string>& problems() const { return problems_; }
  /// After a Check: everything expected has arrived and every record is below its committed offset.
  bool complete() const { return complete_; }
  /// What is missing, for failure messages.
  std::string Describe() const;

  int64_t sent() const { return sent_; }
  size_t expected_alerts() const { return expected_.size(); }
  /// Alerts that arrived more than once, as of the last Check.
  size_t repeated_alerts() const { return repeated_; }
  /// Alerts in the topic, repeated ones included, as of the last Check.
  size_t delivered_alerts() const { return alerts_.records().size(); }
  /// -1 = not known.
  int64_t Committed(size_t stream, int32_t partition) const;
  const std::vector<TopicRecord>& dead_letters() const { return dead_letters_.records(); }

 private:
  using Place = std::tuple<size_t, int32_t, int64_t>;  ///< stream, partition, offset

  void Append(size_t stream, std::vector<TopicRecord>& records,
              const std::vector<int64_t>& accounts);
  TopicRecord Payment(size_t stream, int64_t account);
  bool ReadCommitted();
  void CheckAlerts();
  void CheckDeadLetters();
  void CheckBelowCommitted(const std::set<Place>& arrived, const std::set<Place>& wanted,
                           const char* what);

  MockKafka& kafka_;
  const ScenarioOptions options_;
  std::mt19937_64 random_;
  std::vector<std::string> topics_;
  TopicReader alerts_;
  TopicReader dead_letters_;

  int64_t sent_ = 0;
  std::map<std::pair<size_t, int32_t>, int64_t> ends_;
  std::map<std::tuple<size_t, int32_t, int64_t>, int> payments_;  ///< by account
  std::map<std::string, Place> expected_;                         ///< by alert id
  std::map<Place, TopicRecord> garbage_;

  std::map<std::pair<size_t, int32_t>, int64_t> committed_;
  std::map<std::string, std::string> seen_;  ///< alert id to bytes
  std::set<std::string> problems_;
  size_t repeated_ = 0;
  size_t missing_alerts_ = 0;
  size_t missing_dead_letters_ = 0;
  bool complete_ = false;
};

}  // namespace caracal::pipeline
