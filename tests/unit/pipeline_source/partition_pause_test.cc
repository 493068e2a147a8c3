#include "pipeline/source/partition_pause.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "agents/api/check.h"
#include "pipeline/kafka/client_config.h"
#include "pipeline/source/partition_seek.h"
#include "tests/support/mock_kafka.h"

namespace caracal::pipeline {
namespace {

/// Overtakes pauses and resumes of partition 0 of `t` as a rebalance may: librdkafka writes a line
/// between taking the version of a call and queueing it, and in that line a later call is made.
struct Overtaking {
  std::string_view line;     ///< of the calls to overtake
  std::atomic<int> left{0};  ///< calls to overtake

  static void OnLine(const rd_kafka_t* client, int /*level*/, const char* /*facility*/,
                     const char* text) {
    auto& self = *static_cast<Overtaking*>(rd_kafka_opaque(client));
    if (std::string_view(text).find(self.line) == std::string_view::npos) return;
    if (self.left.load() == 0) return;
    --self.left;
    EXPECT_TRUE(SeekPartition(const_cast<rd_kafka_t*>(client), "t", 0, 0).ok());
  }
};

KafkaClient WatchedConsumer(const MockKafka& kafka, Overtaking& overtaking) {
  auto conf = MakeKafkaConf({.bootstrap_servers = kafka.bootstrap_servers(), .client_id = "test"},
                            {}, {{"group.id", MockKafka::kGroup}, {"debug", "topic"}});
  CHECK(conf.ok());
  rd_kafka_conf_set_opaque(conf->get(), &overtaking);
  rd_kafka_conf_set_log_cb(conf->get(), &Overtaking::OnLine);
  auto client = MakeKafkaClient(RD_KAFKA_CONSUMER, *std::move(conf));
  CHECK(client.ok());
  return *std::move(client);
}

KafkaPartitionList Partitions(int32_t count) {
  KafkaPartitionList list(rd_kafka_topic_partition_list_new(count));
  for (int32_t i = 0; i < count; ++i) {
    rd_kafka_topic_partition_list_add(list.get(), "t", i)->offset = 0;
  }
  return list;
}

/// The partition of the next record; -1 = there was none for half a minute.
int32_t NextPartition(rd_kafka_t* client) {
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (absl::Now() < deadline) {
    const KafkaMessage message(rd_kafka_consumer_poll(client, 100));
    if (message != nullptr && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return message->partition;
  }
  return -1;
}

class PartitionPause : public testing::Test {
 protected:
  PartitionPause() : client_(WatchedConsumer(kafka_, overtaking_)) { kafka_.CreateTopic("t", 2); }

  void Append(int32_t partition) {
    std::vector<TopicRecord> records = {{.partition = partition, .value = "v"}};
    kafka_.Append("t", records);
  }

  MockKafka kafka_;
  Overtaking overtaking_;
  KafkaClient client_;
};

TEST_F(PartitionPause, IsResumedAlthoughRebalancesOvertakeTheCalls) {
  Append(0);
  const KafkaPartitionList one = Partitions(1);
  ASSERT_EQ(rd_kafka_assign(client_.get(), one.get()), RD_KAFKA_RESP_ERR_NO_ERROR);
  ASSERT_TRUE(PausePartitions(client_.get(), one.get()).ok());
  overtaking_.line = "Resume t [0] (v";
  overtaking_.left.store(2);
  EXPECT_TRUE(ResumePartitions(client_.get(), one.get()).ok());
  EXPECT_EQ(overtaking_.left.load(), 0);
  EXPECT_EQ(NextPartition(client_.get()), 0);
}

TEST_F(PartitionPause, IsPausedAlthoughRebalancesOvertakeTheCalls) {
  ASSERT_EQ(rd_kafka_assign(client_.get(), Partitions(2).get()), RD_KAFKA_RESP_ERR_NO_ERROR);
  overtaking_.line = "Pause t [0] (v";
  overtaking_.left.store(2);
  EXPECT_TRUE(PausePartitions(client_.get(), Partitions(1).get()).ok());
  EXPECT_EQ(overtaking_.left.load(), 0);
  // One request asks for both partitions: with the second record the first would come, before it.
  Append(0);
  Append(1);
  EXPECT_EQ(NextPartition(client_.get()), 1);
}

TEST_F(PartitionPause, SaysWhichPartitionTheClientDoesNotKnow) {
  const absl::Status status = PausePartitions(client_.get(), Partitions(1).get());
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find("pausing t [0]"), std::string::npos) << status;
}

}  // namespace
}  // namespace caracal::pipeline
