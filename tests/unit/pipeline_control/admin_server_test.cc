#include "pipeline/control/admin_server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "agents/api/status_macros.h"
#include "tests/unit/pipeline_control/fake_engine.h"
#include "tests/unit/pipeline_control/raw_client.h"

namespace caracal::pipeline {
namespace {

using testing::AnyOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kGetLivez = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";

class AdminServerTest : public testing::Test {
 protected:
  AdminServerTest() {
    options_.listen = "127.0.0.1:0";
    // No test waits for these to pass; those about time set their own.
    options_.request_timeout = absl::Minutes(5);
    options_.stop_timeout = absl::Minutes(5);
  }

  void Start() {
    server_ = std::make_unique<AdminServer>(engine_, options_);
    const absl::Status started = server_->Start();
    ASSERT_TRUE(started.ok()) << started;
  }

  std::string Exchange(std::string_view request) {
    RawClient client(server_->port());
    EXPECT_TRUE(client.Send(request));
    return client.ReadReply();
  }

  void ExpectServing() { EXPECT_THAT(Exchange(kGetLivez), StartsWith("HTTP/1.1 200 OK\r\n")); }

  FakeEngine engine_;
  AdminServerOptions options_;
  std::unique_ptr<AdminServer> server_;
};

TEST_F(AdminServerTest, AnswersWithTheHeadersClientsNeed) {
  Start();
  EXPECT_EQ(Exchange("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            "HTTP/1.1 200 OK\r\n"
            "Server: caracal\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Cache-Control: no-store\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Content-Length: 17\r\n"
            "\r\n"
            "alive\n[+] ingest\n");
}

TEST_F(AdminServerTest, ServesItsPaths) {
  Start();
  EXPECT_THAT(Exchange("GET /metrics HTTP/1.1\r\n\r\n"), EndsWith("\ncaracal_up 1\n"));
  EXPECT_THAT(Exchange("GET /status HTTP/1.1\r\n\r\n"), HasSubstr("application/json"));
  EXPECT_THAT(Exchange("GET /config HTTP/1.1\r\n\r\n"), EndsWith("version: 1\n"));
  EXPECT_THAT(Exchange("GET /nowhere HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
  engine_.SetReadiness({false, {{"kafka", false, "no broker"}}});
  EXPECT_THAT(Exchange("GET /readyz HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 503 "));
}

TEST_F(AdminServerTest, AnswersHeadWithTheLengthOnly) {
  Start();
  RawClient client(server_->port());
  EXPECT_TRUE(client.Send("HEAD /livez HTTP/1.1\r\nConnection: close\r\n\r\n"));
  const std::string reply = client.ReadAll();
  EXPECT_THAT(reply, HasSubstr("Content-Length: 17\r\n"));
  EXPECT_THAT(reply, EndsWith("\r\n\r\n"));
}

TEST_F(AdminServerTest, NamesTheMethodsOfAPath) {
  Start();
  const std::string reply = Exchange("DELETE /metrics HTTP/1.1\r\n\r\n");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(reply, HasSubstr("\r\nAllow: GET, HEAD\r\n"));
  EXPECT_THAT(Exchange("BREW /metrics HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 405 "));
}

TEST_F(AdminServerTest, ResumesForLocalPeersButNotForWebPages) {
  Start();
  EXPECT_THAT(Exchange("POST /resume?topic=t&partition=4 HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
              EndsWith("resumed t [4]\n"));
  EXPECT_EQ(engine_.resumed().size(), 1u);
  EXPECT_THAT(Exchange("POST /resume?topic=t&partition=4 HTTP/1.1\r\nContent-Length: 0\r\n"
                       "Origin: http://example.com\r\n\r\n"),
              StartsWith("HTTP/1.1 403 "));
  EXPECT_EQ(engine_.resumed().size(), 1u);
}

TEST_F(AdminServerTest, KeepsAConnectionForTheNextRequest) {
  Start();
  RawClient client(server_->port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.Send(kGetLivez));
    ASSERT_THAT(client.ReadReply(), EndsWith("[+] ingest\n"));
  }
  ASSERT_TRUE(client.Send("GET /livez HTTP/1.0\r\n\r\n"));
  EXPECT_THAT(client.ReadAll(), EndsWith("[+] ingest\n")) << "and closes it after HTTP/1.0";
}

TEST_F(AdminServerTest, AnswersPipelinedRequestsInOrder) {
  Start();
  RawClient client(server_->port());
  ASSERT_TRUE(
      client.Send("GET /livez HTTP/1.1\r\n\r\nGET /nowhere HTTP/1.1\r\n\r\n"
                  "GET /config HTTP/1.1\r\nConnection: close\r\n\r\n"));
  EXPECT_THAT(client.ReadReply(), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_THAT(client.ReadReply(), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(client.ReadAll(), EndsWith("version: 1\n"));
}

TEST_F(AdminServerTest, RefusesAHeaderThatIsTooLong) {
  Start();
  RawClient client(server_->port());
  const std::string cookie(4 * options_.max_header_bytes, 'c');
  ASSERT_TRUE(client.Send("GET /livez HTTP/1.1\r\nCookie: " + cookie + "\r\n\r\n"));
  client.FinishSending();
  EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 431 "));
  ExpectServing();
}

TEST_F(AdminServerTest, RefusesABodyThatIsTooLong) {
  Start();
  RawClient client(server_->port());
  ASSERT_TRUE(client.Send(fmt::format("POST /resume HTTP/1.1\r\nContent-Length: {}\r\n\r\n",
                                      options_.max_body_bytes + 1)));
  EXPECT_THAT(client.ReadReply(), StartsWith("HTTP/1.1 413 "));
  client.FinishSending();
  EXPECT_EQ(client.ReadAll(), "");
  ExpectServing();
}

TEST_F(AdminServerTest, StopsReadingARefusedRequestThatNeverEnds) {
  Start();
  RawClient client(server_->port());
  ASSERT_TRUE(client.Send("\x16\x03\x01 this is TLS\r\n\r\n"));
  EXPECT_THAT(client.ReadReply(), StartsWith("HTTP/1.1 400 "));
  const std::string block(64 * 1024, 'x');
  size_t sent = 0;
  while (sent < 512 * block.size() && client.Send(block)) sent += block.size();
  EXPECT_LT(sent, 512 * block.size()) << "the server kept reading";
  ExpectServing();
}

TEST_F(AdminServerTest, SurvivesGarbage) {
  Start();
  const auto seed = static_cast<uint32_t>(testing::UnitTest::GetInstance()->random_seed());
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::minstd_rand random(seed + 1);
  for (int round = 0; round < 60; ++round) {
    std::string bytes = random() % 2 == 0 ? "" : "GET /livez HTTP/1.1\r\n";
    const size_t length = 1 + random() % 600;
    for (size_t i = 0; i < length; ++i) bytes += static_cast<char>(random() % 256);
    bytes += "\r\n\r\n";
    RawClient client(server_->port());
    ASSERT_TRUE(client.connected());
    ASSERT_TRUE(client.Send(bytes));
    client.FinishSending();
    const std::string reply = client.ReadAll();
    ASSERT_THAT(reply, AnyOf(IsEmpty(), StartsWith("HTTP/1.")));
  }
  ExpectServing();
}

TEST_F(AdminServerTest, CutsOffARequestThatDripsIn) {
  options_.request_timeout = absl::Milliseconds(50);
  Start();
  RawClient client(server_->port());
  ASSERT_TRUE(client.Send("GET /livez HTTP/1.1\r\nX: "));
  client.DripUntilClosed();
  EXPECT_EQ(client.ReadAll(), "") << "each byte came in time, the request did not";
}

TEST_F(AdminServerTest, ClosesAConnectionThatSaysNothing) {
  options_.request_timeout = absl::Milliseconds(50);
  Start();
  RawClient client(server_->port());
  EXPECT_EQ(client.ReadAll(), "");
}

TEST_F(AdminServerTest, ServesMoreClientsThanItHoldsConnections) {
  options_.max_connections = 3;
  Start();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(std::make_unique<RawClient>(server_->port()));
    ASSERT_TRUE(clients.back()->connected());
    ASSERT_TRUE(clients.back()->Send(kGetLivez));
  }
  for (std::unique_ptr<RawClient>& client : clients) {
    ASSERT_THAT(client->ReadReply(), EndsWith("[+] ingest\n"));
    client.reset();
  }
}

TEST_F(AdminServerTest, ClosesConnectionsWhileOthersWait) {
  options_.max_connections = 1;
  Start();
  EXPECT_THAT(Exchange(kGetLivez), HasSubstr("\r\nConnection: close\r\n"));
  server_.reset();
  options_.max_connections = 2;
  Start();
  EXPECT_THAT(Exchange(kGetLivez), Not(HasSubstr("\r\nConnection: close\r\n")));
}

TEST_F(AdminServerTest, FinishesTheReplyUnderWayWhenStopped) {
  Start();
  engine_.Cork();
  RawClient client(server_->port());
  ASSERT_TRUE(client.Send("GET /status HTTP/1.1\r\n\r\n"));
  engine_.WaitForStatusCall();
  std::thread stopper([this] { server_->Stop(); });
  engine_.Uncork();
  EXPECT_THAT(client.ReadAll(), EndsWith(R"({"version":"0.1.0"})"));
  stopper.join();
  EXPECT_FALSE(RawClient(server_->port()).connected());
}

TEST_F(AdminServerTest, ClosesIdleAndHalfSentRequestsWhenStopped) {
  Start();
  RawClient idle(server_->port());
  ASSERT_TRUE(idle.Send(kGetLivez));
  ASSERT_THAT(idle.ReadReply(), EndsWith("[+] ingest\n"));
  RawClient half(server_->port());
  ASSERT_TRUE(half.Send("GET /livez HT"));
  server_->Stop();
  server_->Stop();
  EXPECT_EQ(idle.ReadAll(), "");
  EXPECT_EQ(half.ReadAll(), "");
}

TEST_F(AdminServerTest, CutsOffAReplyThatNobodyReadsWhenStopped) {
  options_.stop_timeout = absl::Milliseconds(20);
  const std::string metrics(64 * 1024 * 1024, '#');
  engine_.SetMetrics(metrics);
  Start();
  RawClient client(server_->port());
  ASSERT_TRUE(client.Send("GET /metrics HTTP/1.1\r\n\r\n"));
  // Another client is served after it: the reply is under way.
  ExpectServing();
  server_->Stop();
  EXPECT_LT(client.ReadAll().size(), metrics.size());
}

TEST_F(AdminServerTest, CanListenOnItsPortAgainAtOnce) {
  Start();
  ExpectServing();
  options_.listen = fmt::format("127.0.0.1:{}", server_->port());
  server_->Stop();
  Start();
  ExpectServing();
}

TEST_F(AdminServerTest, SaysWhoseFaultItIsWhenThePortIsTaken) {
  Start();
  options_.listen = fmt::format("127.0.0.1:{}", server_->port());
  AdminServer second(engine_, options_);
  const absl::Status status = second.Start();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(agents::MessageOf(status), HasSubstr("cannot listen on " + options_.listen));
  EXPECT_THAT(agents::MessageOf(status), HasSubstr("set admin.listen to a free port"));
  EXPECT_EQ(second.port(), 0);
}

TEST_F(AdminServerTest, RefusesAddressesItCannotListenOn) {
  const auto start = [this](std::string listen) {
    options_.listen = std::move(listen);
    return AdminServer(engine_, options_).Start();
  };
  EXPECT_EQ(start("9464").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(start("example.com:9464").code(), absl::StatusCode::kInvalidArgument);
  const absl::Status elsewhere = start("192.0.2.1:0");  // TEST-NET-1: no interface has it
  EXPECT_EQ(elsewhere.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(agents::MessageOf(elsewhere), HasSubstr("an address of this host"));
}

}  // namespace
}  // namespace caracal::pipeline
