#include "pipeline/control/admin_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/api/status_macros.h"

namespace caracal::pipeline {
namespace {

TEST(ParseAdminAddressTest, TakesNamesAndAddresses) {
  const auto v4 = ParseAdminAddress("127.0.0.1:9464");
  ASSERT_TRUE(v4.ok());
  EXPECT_EQ(v4->host, "127.0.0.1");
  EXPECT_EQ(v4->port, 9464);
  const auto v6 = ParseAdminAddress("[::1]:65535");
  ASSERT_TRUE(v6.ok());
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->port, 65535);
  const auto name = ParseAdminAddress("caracal-0.caracal:0");
  ASSERT_TRUE(name.ok());
  EXPECT_EQ(name->host, "caracal-0.caracal");
}

TEST(ParseAdminAddressTest, SaysWhatItExpects) {
  for (const char* text : {"", "9464", "localhost", "localhost:", ":9464", "localhost:port",
                           "localhost:65536", "localhost:-1", "localhost:1 ", "::1:9464", "[]:1"}) {
    const auto address = ParseAdminAddress(text);
    ASSERT_FALSE(address.ok()) << text;
    EXPECT_EQ(address.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(agents::MessageOf(address.status()), testing::HasSubstr("such as 127.0.0.1:9464"));
  }
}

}  // namespace
}  // namespace caracal::pipeline
