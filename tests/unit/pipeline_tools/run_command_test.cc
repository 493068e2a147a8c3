#include "pipeline/tools/run_command.h"

#include <gtest/gtest.h>

namespace caracal::pipeline {
namespace {

TEST(RunCommandTest, EndsWithTheCodeOfWhatEndedIt) {
  EXPECT_EQ(ExitCodeOfRun(absl::OkStatus()), kExitOk);
  EXPECT_EQ(ExitCodeOfRun(absl::UnavailableError("no broker")), kExitUnavailable);
  EXPECT_EQ(ExitCodeOfRun(absl::DeadlineExceededError("too late")), kExitUnavailable);
  EXPECT_EQ(ExitCodeOfRun(absl::FailedPreconditionError("a twin")), kExitConfig);
  EXPECT_EQ(ExitCodeOfRun(absl::PermissionDeniedError("no right")), kExitConfig);
  EXPECT_EQ(ExitCodeOfRun(absl::InternalError("a bug")), kExitInternal);
}

TEST(RunCommandTest, ATornTransactionHasACodeOfItsOwn) {
  EXPECT_EQ(ExitCodeOfRun(absl::DataLossError("TORN TRANSACTION")), kExitTorn);
}

}  // namespace
}  // namespace caracal::pipeline
