// A batch whose checksum does not fit. librdkafka passes over it, with a message that tells of it:
// its records would be lost.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "agents/api/check.h"
#include "pipeline/source/kafka_source.h"
#include "tests/support/mock_kafka.h"

namespace caracal::pipeline {
namespace {

constexpr std::string_view kTopic = "t";

template <typename Integer>
void Put(std::string& out, Integer value) {
  for (int shift = 8 * (static_cast<int>(sizeof(value)) - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift & 0xFF));
  }
}

void PutText(std::string& out, std::string_view text) {
  Put(out, static_cast<int16_t>(text.size()));
  out += text;
}

/// A batch of one record, format 2, whose checksum is of something else.
std::string DamagedBatch() {
  // Length, attributes, time, offset, key "k", value "v", headers: small numbers, zigzag.
  const std::string record("\x10\0\0\0\x02k\x02v\0", 9);
  std::string rest;
  Put(rest, int32_t{0});  // leader's epoch
  rest.push_back(2);
  Put(rest, uint32_t{0xDEADBEEF});
  Put(rest, int16_t{0});   // attributes
  Put(rest, int32_t{0});   // the last offset, from the first
  Put(rest, int64_t{1});   // first time
  Put(rest, int64_t{1});   // latest time
  Put(rest, int64_t{-1});  // producer
  Put(rest, int16_t{-1});
  Put(rest, int32_t{-1});
  Put(rest, int32_t{1});  // records
  rest += record;
  std::string batch;
  Put(batch, int64_t{0});  // first offset: the broker's matter
  Put(batch, static_cast<int32_t>(rest.size()));
  return batch + rest;
}

/// A Produce request, version 7, to partition 0.
std::string ProduceRequest(const std::string& batch) {
  std::string request;
  Put(request, int16_t{0});
  Put(request, int16_t{7});
  Put(request, int32_t{1});  // correlation
  PutText(request, "test");
  Put(request, int16_t{-1});  // no transaction
  Put(request, int16_t{-1});  // all acknowledge
  Put(request, int32_t{1000});
  Put(request, int32_t{1});
  PutText(request, kTopic);
  Put(request, int32_t{1});
  Put(request, int32_t{0});
  Put(request, static_cast<int32_t>(batch.size()));
  request += batch;
  std::string framed;
  Put(framed, static_cast<int32_t>(request.size()));
  return framed + request;
}

/// Sends it to the first broker and waits for the answer.
void SendRaw(const MockKafka& kafka, const std::string& request) {
  const std::string servers = kafka.bootstrap_servers();
  const std::string first = servers.substr(0, servers.find(','));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(std::stoi(first.substr(first.rfind(':') + 1))));
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  CHECK(socket >= 0);
  CHECK(connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  CHECK(write(socket, request.data(), request.size()) == static_cast<ssize_t>(request.size()));
  std::array<char, 256> answer = {};
  CHECK(read(socket, answer.data(), answer.size()) > 0);
  close(socket);
}

/// Polls a member of its own until it fails; appends the offsets of the records it hands out.
absl::Status PollUntilItFails(const MockKafka& kafka, std::vector<int64_t>& offsets) {
  SourceOptions options;
  options.connection.bootstrap_servers = kafka.bootstrap_servers();
  options.connection.properties["check.crcs"] = "true";
  options.topics.push_back({.name = std::string(kTopic), .rules = "9c1e4d20a7b3"});
  absl::StatusOr<std::unique_ptr<KafkaSource>> source = KafkaSource::Create(options, nullptr);
  CHECK(source.ok() && (*source)->Start().ok());
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  absl::Status status;
  while (status.ok() && absl::Now() < deadline) {
    PollResult result;
    status = (*source)->Poll(absl::Milliseconds(100), /*want_records=*/true, result);
    if (!status.ok() || result.records == nullptr) continue;
    for (const RawRecord& record : result.records->records()) offsets.push_back(record.offset);
  }
  static_cast<void>((*source)->Close(absl::Seconds(5)));
  return status;
}

TEST(DamagedBatchTest, StopsTheSourceInsteadOfBeingPassedOver) {
  MockKafka kafka;
  kafka.CreateTopic(std::string(kTopic), 1);
  std::vector<TopicRecord> records(2, {.key = "k", .value = "v"});
  kafka.Append(std::string(kTopic), records);
  SendRaw(kafka, ProduceRequest(DamagedBatch()));
  kafka.Append(std::string(kTopic), records);
  ASSERT_EQ(records.back().offset, 4) << "the broker has taken the damaged batch";

  std::vector<int64_t> offsets;
  const absl::Status status = PollUntilItFails(kafka, offsets);
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(status.message(), ::testing::HasSubstr("t [0]: what the broker sends at offset 2"));
  EXPECT_TRUE(std::all_of(offsets.begin(), offsets.end(), [](int64_t at) { return at < 2; }))
      << ::testing::PrintToString(offsets);
}

}  // namespace
}  // namespace caracal::pipeline
