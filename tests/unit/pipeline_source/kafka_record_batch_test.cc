#include "pipeline/source/kafka_record_batch.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/unit/pipeline_source/plain_consumer.h"

namespace caracal::pipeline {
namespace {

LeasePtr Lease() { return std::make_shared<PartitionLease>(1, 0, "t", 0, 0); }

class KafkaRecordBatchTest : public ::testing::Test {
 protected:
  KafkaRecordBatchTest() { kafka_.CreateTopic("t", 1); }

  /// The records as the client delivers them after they went through the broker.
  std::shared_ptr<KafkaRecordBatch> Deliver(std::vector<TopicRecord> records,
                                            const LeasePtr& lease) {
    kafka_.Append("t", records);
    const KafkaPartitionList list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), "t", 0)->offset = records.front().offset;
    EXPECT_EQ(rd_kafka_assign(client_.get(), list.get()), RD_KAFKA_RESP_ERR_NO_ERROR);
    auto batch = std::make_shared<KafkaRecordBatch>(records.size());
    while (batch->records().size() < records.size()) {
      rd_kafka_message_t* message = rd_kafka_consumer_poll(client_.get(), 10'000);
      if (message == nullptr || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        ADD_FAILURE() << "no record comes";
        break;
      }
      batch->Add(message, lease);
    }
    return batch;
  }

  MockKafka kafka_;
  KafkaClient client_ = PlainConsumer(kafka_);
};

TEST_F(KafkaRecordBatchTest, ShowsTheBytesOfTheMessages) {
  const LeasePtr lease = Lease();
  const auto batch = Deliver({{.key = "k", .value = std::string("a\0b", 3)},
                              {.key = "", .value = ""},
                              {.key = "k", .value = "", .null_value = true}},
                             lease);
  ASSERT_EQ(batch->records().size(), 3U);
  const RawRecord& first = batch->records()[0];
  EXPECT_EQ(first.lease, lease.get());
  EXPECT_EQ(first.offset, 0);
  EXPECT_GT(first.timestamp_ms, 1'600'000'000'000);
  EXPECT_EQ(first.key, "k");
  EXPECT_EQ(first.value, std::string_view("a\0b", 3));
  EXPECT_EQ(batch->records()[1].offset, 1);
  EXPECT_NE(batch->records()[1].value.data(), nullptr) << "empty is not null";
  EXPECT_EQ(batch->records()[1].value, "");
  EXPECT_EQ(batch->records()[2].value.data(), nullptr) << "a tombstone";
  EXPECT_FALSE(batch->full());
  batch->set_full(true);
  EXPECT_TRUE(batch->full());
}

TEST_F(KafkaRecordBatchTest, FindsTheLastHeaderOfAName) {
  const auto batch =
      Deliver({{.key = "k", .value = "v", .headers = {{"a", "1"}, {"a", "2"}, {"b", ""}}},
               {.key = "k", .value = "v"}},
              Lease());
  EXPECT_EQ(batch->FindHeader(0, "a"), "2");
  EXPECT_EQ(batch->FindHeader(0, "b"), "");
  EXPECT_EQ(batch->FindHeader(0, "A"), std::nullopt) << "names are exact";
  EXPECT_EQ(batch->FindHeader(1, "a"), std::nullopt);
}

// Of one fetch, where the client need not be asked, and across fetches, where it must.
TEST_F(KafkaRecordBatchTest, FindsExactlyTheHeadersThatWereSent) {
  constexpr size_t kRecords = 600;
  const auto seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  const std::array<std::string, 4> names = {"", "a", "traceparent", "__debezium.oldkey"};
  std::vector<TopicRecord> sent(kRecords);
  for (TopicRecord& record : sent) {
    record.key = std::string(random() % 4 == 0 ? random() % 300 : random() % 3, 'k');
    record.value = std::string(random() % 4 == 0 ? random() % 20'000 : random() % 130, 'v');
    record.null_value = random() % 16 == 0;
    for (size_t left = random() % 4 == 0 ? random() % 4 : 0; left > 0; --left) {
      record.headers.emplace_back(names[random() % names.size()],
                                  std::string(random() % 3, static_cast<char>('0' + left)));
    }
  }
  const auto batch = Deliver(sent, Lease());
  for (size_t i = 0; i < kRecords; ++i) {
    for (const std::string& name : names) {
      std::optional<std::string_view> wanted;
      for (const auto& [key, value] : sent[i].headers) {
        if (key == name) wanted = value;
      }
      EXPECT_EQ(batch->FindHeader(i, name), wanted) << "record " << i << ", header " << name;
    }
  }
}

// What makes it fast rests on how the client lays records out, and so may end with another client.
TEST_F(KafkaRecordBatchTest, SeesThatThereIsNoRoomForHeaders) {
  const std::vector<TopicRecord> sent(500, {.key = "account", .value = std::string(700, 'v')});
  const auto batch = Deliver(sent, Lease());
  size_t seen = 0;
  for (size_t i = 0; i < sent.size(); ++i) seen += batch->HasNoRoomFor(i, "traceparent") ? 1U : 0U;
  EXPECT_GT(seen, 0U) << "all but the last of each batch";
}

TEST_F(KafkaRecordBatchTest, KeepsItsBytesAndLeasesUntilTheLastReferenceGoes) {
  LeasePtr lease = Lease();
  auto batch = Deliver({{.key = "k", .value = std::string(100'000, 'x')}}, lease);
  const std::weak_ptr<PartitionLease> watched = lease;
  lease = nullptr;
  EXPECT_FALSE(watched.expired());
  std::shared_ptr<const KafkaRecordBatch> elsewhere = std::move(batch);
  std::thread worker([&elsewhere] {
    EXPECT_EQ(elsewhere->records()[0].value, std::string(100'000, 'x'));
    elsewhere = nullptr;
  });
  worker.join();
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace caracal::pipeline
