#include "pipeline/emit/transaction_timeout.h"

#include <gtest/gtest.h>

namespace caracal::pipeline {
namespace {

constexpr absl::Duration kShortest = absl::Seconds(5);

TEST(TransactionTimeout, StaysWhileTransactionsAreCommittedOrFailEarly) {
  TransactionTimeout timeout(kShortest);
  EXPECT_FALSE(timeout.Adapt(/*committed=*/true, absl::Milliseconds(8)));
  EXPECT_FALSE(timeout.Adapt(/*committed=*/true, absl::Seconds(4.9)));
  EXPECT_FALSE(timeout.Adapt(/*committed=*/false, absl::Seconds(2)));
  EXPECT_EQ(timeout.current(), kShortest);
}

TEST(TransactionTimeout, DoublesUpToTheLongestWhenTheTimeIsUsedUp) {
  TransactionTimeout timeout(kShortest, absl::Seconds(18));
  EXPECT_TRUE(timeout.Adapt(/*committed=*/false, absl::Seconds(4.9)));
  EXPECT_EQ(timeout.current(), absl::Seconds(10));
  EXPECT_FALSE(timeout.Adapt(/*committed=*/false, absl::Seconds(5)));
  EXPECT_TRUE(timeout.Adapt(/*committed=*/false, absl::Seconds(30)));
  EXPECT_EQ(timeout.current(), absl::Seconds(18));
  EXPECT_FALSE(timeout.Adapt(/*committed=*/false, absl::Seconds(18)));
}

TEST(TransactionTimeout, IsKeptWhileTheLinkIsSlowAndGoesBackAtOnceWhenItIsFast) {
  TransactionTimeout timeout(kShortest);
  ASSERT_TRUE(timeout.Adapt(/*committed=*/false, absl::Seconds(5)));
  EXPECT_FALSE(timeout.Adapt(/*committed=*/true, absl::Seconds(7)));
  EXPECT_FALSE(timeout.Adapt(/*committed=*/true, absl::Seconds(3)));
  EXPECT_EQ(timeout.current(), absl::Seconds(10));
  EXPECT_TRUE(timeout.Adapt(/*committed=*/true, absl::Seconds(2)));
  EXPECT_EQ(timeout.current(), kShortest);
}

TEST(TransactionTimeout, NeverComesBackToWhatTheBrokerHasRefused) {
  TransactionTimeout timeout(kShortest);
  EXPECT_FALSE(timeout.Refused());
  ASSERT_TRUE(timeout.Adapt(/*committed=*/false, absl::Seconds(5)));
  ASSERT_TRUE(timeout.Adapt(/*committed=*/false, absl::Seconds(10)));
  EXPECT_TRUE(timeout.Refused());
  EXPECT_EQ(timeout.current(), absl::Seconds(10));
  EXPECT_FALSE(timeout.Adapt(/*committed=*/false, absl::Seconds(10)));
  EXPECT_TRUE(timeout.Refused());
  EXPECT_EQ(timeout.current(), kShortest);
  EXPECT_FALSE(timeout.Adapt(/*committed=*/false, absl::Seconds(5)));
}

}  // namespace
}  // namespace caracal::pipeline
