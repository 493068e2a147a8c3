#include "pipeline/generate/murmur2.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace caracal::pipeline {
namespace {

// The vectors of Kafka's own UtilsTest.
TEST(Murmur2Test, MatchesTheJavaClient) {
  const std::vector<std::pair<std::string, int32_t>> vectors = {
      {"21", -973932308},
      {"foobar", -790332482},
      {"a-little-bit-long-string", -985981536},
      {"a-little-bit-longer-string", -1486304829},
      {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
      {"abc", 479470107}};
  for (const auto& [text, hash] : vectors) {
    EXPECT_EQ(static_cast<int32_t>(Murmur2(text)), hash) << text;
  }
}

// Where a real connector put these keys in a topic of six partitions.
TEST(Murmur2Test, ChoosesThePartitionsThatKafkaConnectChose) {
  const std::vector<std::pair<std::string, int32_t>> seen = {
      {"101", 1}, {"102", 2}, {"201", 2}, {"202", 1}, {"203", 3},  {"204", 0}, {"null", 0},
      {"-1", 4},  {"301", 5}, {"302", 5}, {"303", 4}, {"2010", 2}, {"304", 4}, {"305", 1}};
  for (const auto& [account, partition] : seen) {
    EXPECT_EQ(JavaPartition("{\"user_id\":" + account + "}", 6), partition) << account;
  }
}

}  // namespace
}  // namespace caracal::pipeline
