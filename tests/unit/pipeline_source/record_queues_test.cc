#include "pipeline/source/record_queues.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "agents/api/check.h"
#include "pipeline/kafka/client_config.h"
#include "pipeline/source/source_options.h"
#include "tests/support/mock_kafka.h"

namespace caracal::pipeline {
namespace {

constexpr int kWaitMs = 5;
constexpr int kWaits = 4000;  // 20 s

KafkaClient Consumer(const MockKafka& kafka) {
  SourceOptions options;
  options.connection.bootstrap_servers = kafka.bootstrap_servers();
  auto conf = MakeConsumerConf(options);
  CHECK(conf.ok());
  auto client = MakeKafkaClient(RD_KAFKA_CONSUMER, *std::move(conf));
  CHECK(client.ok());
  CHECK(rd_kafka_poll_set_consumer(client->get()) == RD_KAFKA_RESP_ERR_NO_ERROR);
  return *std::move(client);
}

PartitionLease Lease(int32_t partition) {
  return PartitionLease(1, 0, "t", partition, static_cast<uint32_t>(partition));
}

/// Two partitions, each opened before the client reads it; the first record of each has been read.
class RecordQueuesTest : public ::testing::Test {
 protected:
  RecordQueuesTest() {
    kafka_.CreateTopic("t", 2);
    for (int32_t i = 0; i < 2; ++i) partitions_.push_back(queues_.Open(Lease(i)));
    const KafkaPartitionList list(rd_kafka_topic_partition_list_new(2));
    for (int32_t i = 0; i < 2; ++i) {
      rd_kafka_topic_partition_list_add(list.get(), "t", i)->offset = 0;
    }
    CHECK(rd_kafka_assign(client_.get(), list.get()) == RD_KAFKA_RESP_ERR_NO_ERROR);
    // With these go the client's own marks, which count in the length of a queue.
    Append(0, 1);
    Append(1, 1);
    size_t first = 0;
    for (int i = 0; i < kWaits && first < 2; ++i) first += Read(8, kWaitMs).size();
    CHECK(first == 2);
  }

  void Append(int32_t partition, size_t count) {
    std::vector<TopicRecord> records(count, {.partition = partition, .key = "k", .value = "v"});
    kafka_.Append("t", records);
  }

  /// Until the queue that a partition's records go to holds `count`.
  void AwaitFetched(int32_t partition, size_t count) {
    for (int i = 0; i < kWaits; ++i) {
      if (rd_kafka_queue_length(partitions_[static_cast<size_t>(partition)].get()) == count) return;
      ASSERT_EQ(rd_kafka_consumer_poll(client_.get(), kWaitMs), nullptr);
    }
    FAIL() << "not fetched";
  }

  /// Partition and offset of what one Read gives.
  std::vector<std::pair<int32_t, int64_t>> Read(size_t most, int timeout_ms = 0) {
    std::vector<rd_kafka_message_t*> messages(most);
    const size_t count = queues_.Read(timeout_ms, messages);
    std::vector<std::pair<int32_t, int64_t>> read;
    for (size_t i = 0; i < count; ++i) {
      const KafkaMessage message(messages[i]);
      EXPECT_EQ(message->err, RD_KAFKA_RESP_ERR_NO_ERROR);
      read.emplace_back(message->partition, message->offset);
    }
    return read;
  }

  void MoveUp(std::vector<rd_kafka_queue_t*> behind) { queues_.MoveUp(behind); }

  MockKafka kafka_;
  KafkaClient client_ = Consumer(kafka_);
  RecordQueues queues_{client_.get()};
  std::vector<KafkaQueue> partitions_;
};

size_t CountOf(const std::vector<std::pair<int32_t, int64_t>>& read, int32_t partition) {
  return static_cast<size_t>(std::count_if(read.begin(), read.end(),
                                           [&](const auto& it) { return it.first == partition; }));
}

TEST_F(RecordQueuesTest, ABacklogComesBehindWhatIsUpToDate) {
  MoveUp({partitions_[0].get(), partitions_[1].get()});
  EXPECT_FALSE(queues_.nothing_behind());
  partitions_[1] = queues_.Open(Lease(1));
  Append(1, 50);
  AwaitFetched(1, 50);
  Append(0, 12);
  AwaitFetched(0, 12);

  std::vector<std::pair<int32_t, int64_t>> read = Read(8);
  EXPECT_EQ(CountOf(read, 0), 6U) << "three of four";
  EXPECT_EQ(CountOf(read, 1), 2U) << "and a backlog still gets on";
  EXPECT_TRUE(queues_.front_is_full());
  EXPECT_FALSE(queues_.nothing_behind());
  EXPECT_EQ(CountOf(Read(8), 0), 6U);
  read = Read(8);
  EXPECT_EQ(CountOf(read, 0), 0U);
  EXPECT_EQ(CountOf(read, 1), 8U) << "nobody else wants the room";
  EXPECT_FALSE(queues_.front_is_full());
  EXPECT_EQ(Read(100).size(), 50U - 2U - 2U - 8U);
  EXPECT_TRUE(queues_.nothing_behind());
}

TEST_F(RecordQueuesTest, AllMayBeBehind) {
  Append(0, 5);
  Append(1, 5);
  AwaitFetched(0, 10);
  EXPECT_EQ(Read(4).size(), 4U);
  EXPECT_FALSE(queues_.front_is_full());
  EXPECT_FALSE(queues_.nothing_behind());
  EXPECT_EQ(Read(8).size(), 6U);
  EXPECT_TRUE(queues_.nothing_behind());
  MoveUp({partitions_[0].get(), partitions_[1].get()});
  EXPECT_FALSE(queues_.nothing_behind());
  Append(0, 3);
  AwaitFetched(0, 3);
  EXPECT_EQ(Read(3).size(), 3U);
  EXPECT_TRUE(queues_.front_is_full());
}

TEST_F(RecordQueuesTest, APartitionKeepsItsOrderWhenItMovesUp) {
  Append(0, 40);
  AwaitFetched(0, 40);
  MoveUp({partitions_[0].get(), partitions_[1].get()});
  Append(0, 20);
  AwaitFetched(0, 20);
  // Another backlog has come meanwhile, to where the rest of this one still is.
  partitions_[1] = queues_.Open(Lease(1));
  Append(1, 100);
  AwaitFetched(1, 140);
  int64_t next = 1;
  for (int i = 0; i < 100 && next < 61; ++i) {
    for (const auto& [partition, offset] : Read(7)) {
      if (partition != 0) continue;
      EXPECT_EQ(offset, next);
      ++next;
    }
  }
  EXPECT_EQ(next, 61);
}

TEST_F(RecordQueuesTest, WaitsForTheFirstMessage) {
  MoveUp({partitions_[0].get(), partitions_[1].get()});
  EXPECT_TRUE(Read(8).empty());
  Append(1, 1);
  size_t count = 0;
  for (int i = 0; i < kWaits && count == 0; ++i) count = Read(8, kWaitMs).size();
  EXPECT_EQ(count, 1U);
  queues_.Wake();
  EXPECT_TRUE(Read(8, 60'000).empty()) << "a wake-up that came before ends the wait";
}

}  // namespace
}  // namespace caracal::pipeline
