#include "pipeline/emit/alert_id.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace caracal::pipeline {
namespace {

// Expected values from Python's hashlib.sha256("\n".join(...)).hexdigest()[:32].
TEST(AlertIdTest, IsTheFirstHalfOfSha256OverTheSource) {
  EXPECT_EQ(AlertId({"card-risk", "9c1e4d20a7b3", "bank.public.transactions", 3, 99172}),
            "a3191a5759617d815963f2cc38855ae8");
  EXPECT_EQ(AlertId({"a", "b", "c", 0, std::numeric_limits<int64_t>::max()}),
            "90650eadc82768573b980b612f347492");
}

TEST(AlertIdTest, DiffersInEveryPartOfTheSource) {
  const std::set<std::string> ids = {AlertId({"r", "v", "t", 0, 1}), AlertId({"s", "v", "t", 0, 1}),
                                     AlertId({"r", "w", "t", 0, 1}), AlertId({"r", "v", "u", 0, 1}),
                                     AlertId({"r", "v", "t", 1, 1}), AlertId({"r", "v", "t", 0, 2}),
                                     AlertId({"r", "v", "t", 1, 0})};
  EXPECT_EQ(ids.size(), 7u);
}

TEST(AlertIdTest, IsTheSameOnEveryThread) {
  const AlertSource source = {"card-risk", "9c1e4d20a7b3", "topic", 1, 2};
  const std::string expected = AlertId(source);
  std::vector<std::string> ids(4);
  std::vector<std::thread> threads;
  for (std::string& id : ids) {
    threads.emplace_back([&id, &source] {
      for (int i = 0; i < 200; ++i) id = AlertId(source);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& id : ids) EXPECT_EQ(id, expected);
}

}  // namespace
}  // namespace caracal::pipeline
