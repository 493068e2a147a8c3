#include "pipeline/control/admin_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/unit/pipeline_control/fake_engine.h"

namespace caracal::pipeline {
namespace {

using testing::HasSubstr;

class AdminRoutesTest : public testing::Test {
 protected:
  AdminReply Get(std::string_view target) { return routes_.Handle({"GET", target, true, false}); }
  AdminReply Post(std::string_view target) { return routes_.Handle({"POST", target, true, false}); }

  FakeEngine engine_;
  AdminRoutes routes_{engine_, /*allow_remote_mutations=*/false};
};

TEST_F(AdminRoutesTest, AnswersMetricsInTheFormatPrometheusAsksFor) {
  const AdminReply reply = Get("/metrics");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(reply.body, "# TYPE caracal_up gauge\ncaracal_up 1\n");
}

TEST_F(AdminRoutesTest, AnswersStatusAndConfig) {
  EXPECT_EQ(Get("/status").body, R"({"version":"0.1.0"})");
  EXPECT_EQ(Get("/status").content_type, "application/json");
  EXPECT_EQ(Get("/config?verbose=1").body, "version: 1\n");
}

TEST_F(AdminRoutesTest, ListsTheChecksOfAHealthyEngine) {
  EXPECT_EQ(Get("/readyz").status, 200);
  EXPECT_EQ(Get("/readyz").body, "ready\n[+] kafka: 4 partitions\n[+] config\n");
  EXPECT_EQ(Get("/healthz").body, Get("/readyz").body);
  EXPECT_EQ(Get("/livez").body, "alive\n[+] ingest\n");
}

TEST_F(AdminRoutesTest, Answers503WhenACheckFails) {
  engine_.SetReadiness({false, {{"kafka", true, ""}, {"memory", false, "over\nthe limit"}}});
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_EQ(Get("/readyz").body, "not ready\n[+] kafka\n[-] memory: over the limit\n");
  EXPECT_EQ(Get("/livez").status, 200);
}

TEST_F(AdminRoutesTest, KnowsItsPathsAndMethods) {
  EXPECT_EQ(Get("/").status, 404);
  EXPECT_THAT(Get("/metrics/").body, HasSubstr("there are /metrics /livez"));
  EXPECT_EQ(Get("").status, 404);
  const AdminReply post = Post("/metrics");
  EXPECT_EQ(post.status, 405);
  EXPECT_EQ(post.allow, "GET, HEAD");
  const AdminReply get = Get("/resume?topic=t&partition=0");
  EXPECT_EQ(get.status, 405);
  EXPECT_EQ(get.allow, "POST");
  EXPECT_TRUE(engine_.resumed().empty());
}

TEST_F(AdminRoutesTest, ResumesThePartitionItIsTold) {
  const AdminReply reply = Post("/resume?topic=bank.public.tx%2D1&partition=3");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "resumed bank.public.tx-1 [3]\n");
  const std::vector<std::pair<std::string, int32_t>> expected = {{"bank.public.tx-1", 3}};
  EXPECT_EQ(engine_.resumed(), expected);
}

TEST_F(AdminRoutesTest, ResumesEveryPausedPartitionWhenItIsToldNone) {
  const AdminReply reply = Post("/resume?topic=t");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "resumed t, every paused partition\n");
  const std::vector<std::pair<std::string, int32_t>> expected = {{"t", -1}};
  EXPECT_EQ(engine_.resumed(), expected);
}

TEST_F(AdminRoutesTest, RefusesAMalformedResume) {
  for (const char* target :
       {"/resume", "/resume?", "/resume?partition=1", "/resume?topic=&partition=1",
        "/resume?topic=t&partition=", "/resume?topic=t&partition=-1",
        "/resume?topic=t&partition=2147483648", "/resume?topic=t&partition=1x",
        "/resume?topic=t&topic=u&partition=1", "/resume?topic=t&partition=1&force=1",
        "/resume?topic=%zz&partition=1"}) {
    EXPECT_EQ(Post(target).status, 400) << target;
  }
  EXPECT_TRUE(engine_.resumed().empty());
}

TEST_F(AdminRoutesTest, TellsWhyAPartitionWasNotResumed) {
  const std::vector<std::pair<absl::Status, int>> answers = {
      {absl::NotFoundError("t [0] belongs to another member"), 404},
      {absl::FailedPreconditionError("t [0] is not paused"), 409},
      {absl::InvalidArgumentError("no such stream"), 400},
      {absl::UnavailableError("shutting down"), 503},
      {absl::InternalError("broken"), 500}};
  for (const auto& [result, status] : answers) {
    engine_.SetResumeResult(result);
    const AdminReply reply = Post("/resume?topic=t&partition=0");
    EXPECT_EQ(reply.status, status);
    EXPECT_THAT(reply.body, HasSubstr(std::string(result.message())));
  }
}

TEST_F(AdminRoutesTest, LetsOtherHostsReadButNotChange) {
  EXPECT_EQ(routes_.Handle({"GET", "/readyz", false, false}).status, 200);
  const AdminReply reply = routes_.Handle({"POST", "/resume?topic=t&partition=0", false, false});
  EXPECT_EQ(reply.status, 403);
  EXPECT_THAT(reply.body, HasSubstr("admin.allow_mutations"));
  EXPECT_TRUE(engine_.resumed().empty());

  const AdminRoutes open(engine_, /*allow_remote_mutations=*/true);
  EXPECT_EQ(open.Handle({"POST", "/resume?topic=t&partition=0", false, false}).status, 200);
}

TEST_F(AdminRoutesTest, LetsNoWebPageChangeAnything) {
  EXPECT_EQ(routes_.Handle({"POST", "/resume?topic=t&partition=0", true, true}).status, 403);
  EXPECT_TRUE(engine_.resumed().empty());
}

}  // namespace
}  // namespace caracal::pipeline
