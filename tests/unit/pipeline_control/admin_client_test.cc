#include "pipeline/control/admin_client.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "agents/api/status_macros.h"
#include "pipeline/control/admin_server.h"
#include "tests/unit/pipeline_control/fake_engine.h"
#include "tests/unit/pipeline_control/raw_client.h"

namespace caracal::pipeline {
namespace {

using testing::HasSubstr;

constexpr absl::Duration kPatience = absl::Minutes(1);

std::string Loopback(uint16_t port) { return fmt::format("127.0.0.1:{}", port); }

TEST(SendAdminRequestTest, ReturnsTheWholeReply) {
  FakeEngine engine;
  engine.SetMetrics(std::string(3'000'000, '#'));
  AdminServer server(engine, {.listen = "127.0.0.1:0"});
  ASSERT_TRUE(server.Start().ok());
  const auto reply = SendAdminRequest("GET", Loopback(server.port()), "/metrics", kPatience);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(reply->body.size(), 3'000'000u);
}

TEST(SendAdminRequestTest, PassesErrorsOfTheServerOn) {
  FakeEngine engine;
  AdminServer server(engine, {.listen = "127.0.0.1:0"});
  ASSERT_TRUE(server.Start().ok());
  const auto reply = SendAdminRequest("GET", Loopback(server.port()), "/nowhere", kPatience);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->status, 404);
  EXPECT_THAT(reply->body, HasSubstr("no such path"));
}

TEST(SendAdminRequestTest, PostsAndHeads) {
  FakeEngine engine;
  AdminServer server(engine, {.listen = "127.0.0.1:0"});
  ASSERT_TRUE(server.Start().ok());
  const auto posted = SendAdminRequest("POST", fmt::format("localhost:{}", server.port()),
                                       "/resume?topic=t&partition=2", kPatience);
  ASSERT_TRUE(posted.ok()) << posted.status();
  EXPECT_EQ(posted->body, "resumed t [2]\n");
  EXPECT_EQ(engine.resumed().size(), 1u);
  const auto head = SendAdminRequest("HEAD", Loopback(server.port()), "/livez", kPatience);
  ASSERT_TRUE(head.ok()) << head.status();
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->body, "");
}

TEST(SendAdminRequestTest, NamesTheAddressThatNobodyListensOn) {
  uint16_t port = 0;
  {
    const SilentListener listener;
    port = listener.port();
  }
  const auto reply = SendAdminRequest("GET", Loopback(port), "/livez", kPatience);
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(agents::MessageOf(reply.status()), HasSubstr(Loopback(port)));
  EXPECT_THAT(agents::MessageOf(reply.status()), HasSubstr("Connection refused"));
}

TEST(SendAdminRequestTest, GivesUpAfterTheTimeout) {
  const SilentListener listener;
  const auto reply =
      SendAdminRequest("GET", Loopback(listener.port()), "/livez", absl::Milliseconds(20));
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(agents::MessageOf(reply.status()), HasSubstr(Loopback(listener.port())));
}

TEST(SendAdminRequestTest, RefusesAnswersThatAreNotHttp) {
  SilentListener listener;
  std::thread peer([&listener] { listener.AnswerOnce("SSH-2.0-OpenSSH_9.2\r\n"); });
  const auto reply = SendAdminRequest("GET", Loopback(listener.port()), "/livez", kPatience);
  peer.join();
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kUnavailable);
}

TEST(SendAdminRequestTest, ChecksItsArguments) {
  const auto code = [](std::string_view method, std::string_view address, std::string_view target) {
    return SendAdminRequest(method, address, target, kPatience).status().code();
  };
  EXPECT_EQ(code("DELETE", "127.0.0.1:1", "/"), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code("GET", "127.0.0.1", "/"), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code("GET", "127.0.0.1:1", "livez"), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code("GET", "127.0.0.1:1", "/a b"), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code("GET", "127.0.0.1:1", "/a\r\nX: y"), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace caracal::pipeline
