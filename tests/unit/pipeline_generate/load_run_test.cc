#include "pipeline/generate/load_run.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "agents/api/status_macros.h"
#include "pipeline/generate/progress_line.h"
#include "tests/unit/pipeline_generate/temporary_directory.h"

namespace caracal::pipeline {
namespace {

/// Time that passes only while the load sleeps, and as much as it asks for.
class FakeClock : public PacingClock {
 public:
  int64_t MonotonicMicros() const override { return now_us_; }
  int64_t WallMillis() const override { return 1'767'603'600'000 + now_us_ / 1000; }
  void SleepUntil(int64_t monotonic_us) override {
    EXPECT_GT(monotonic_us, now_us_) << "a wait that does not wait";
    now_us_ = std::max(now_us_, monotonic_us);
    ++sleeps_;
  }
  void Pass(int64_t micros) { now_us_ += micros; }
  int sleeps() const { return sleeps_; }

 private:
  int64_t now_us_ = 5'000'000;
  int sleeps_ = 0;
};

/// Remembers when each record came; each write can cost time, or fail.
class RecordingSink : public RecordSink {
 public:
  explicit RecordingSink(FakeClock& clock) : clock_(clock) {}

  absl::Status Write(const GeneratedRecord& record) override {
    if (times_.size() == fail_at) return failure;
    times_.push_back(clock_.MonotonicMicros());
    if (record.row != nullptr) event_times_.push_back(record.row->event_time_us);
    if (times_.size() == stall_at) clock_.Pass(stall_us);
    clock_.Pass(write_us);
    return absl::OkStatus();
  }
  absl::Status Flush() override {
    ++flushes_;
    return absl::OkStatus();
  }
  absl::Status Close() override {
    closed_ = true;
    return absl::OkStatus();
  }
  uint64_t bytes() const override { return 10 * times_.size(); }

  const std::vector<int64_t>& times() const { return times_; }
  const std::vector<int64_t>& event_times() const { return event_times_; }
  int flushes() const { return flushes_; }
  bool closed() const { return closed_; }

  int64_t write_us = 0;
  size_t stall_at = 0;
  int64_t stall_us = 0;
  size_t fail_at = SIZE_MAX;
  absl::Status failure;

 private:
  FakeClock& clock_;
  std::vector<int64_t> times_;
  std::vector<int64_t> event_times_;
  int flushes_ = 0;
  bool closed_ = false;
};

class LoadRunTest : public testing::Test {
 protected:
  void Build(const GeneratorOptions& options) {
    auto generator = EventGenerator::Create(options);
    ASSERT_TRUE(generator.ok());
    generator_ = std::move(*generator);
  }
  absl::Status Run(const LoadLimits& limits, LabelWriter* labels = nullptr) {
    if (generator_ == nullptr) Build({});
    LoadRun run({*generator_, sink_, labels, clock_, stop_, on_progress_}, limits);
    const absl::Status status = run.Run();
    progress_ = run.progress();
    return status;
  }

  FakeClock clock_;
  RecordingSink sink_{clock_};
  std::atomic<bool> stop_{false};
  std::function<void(const LoadProgress&)> on_progress_;
  std::unique_ptr<EventGenerator> generator_;
  LoadProgress progress_;
};

LoadLimits Limits(std::optional<uint64_t> count, std::optional<int64_t> duration_us, double rate) {
  LoadLimits limits;
  limits.count = count;
  limits.duration_us = duration_us;
  limits.rate = rate;
  return limits;
}

TEST_F(LoadRunTest, SendsTheAskedNumber) {
  EXPECT_TRUE(Run(Limits(12'345, {}, 0)).ok());
  EXPECT_EQ(sink_.times().size(), 12'345u);
  EXPECT_TRUE(sink_.closed());
  EXPECT_EQ(progress_.records, 12'345u);
  EXPECT_EQ(progress_.bytes, 123'450u);
  EXPECT_EQ(clock_.sleeps(), 0);
}

TEST_F(LoadRunTest, SpreadsRecordsEvenly) {
  for (const double rate : {100.0, 333.0, 2'000.0, 50'000.0}) {
    FakeClock clock;
    RecordingSink sink(clock);
    Build({});
    const int64_t start_us = clock.MonotonicMicros();
    LoadRun run({*generator_, sink, nullptr, clock, stop_, {}}, Limits(5'000, {}, rate));
    ASSERT_TRUE(run.Run().ok());
    ASSERT_EQ(sink.times().size(), 5'000u);
    for (size_t i = 0; i < sink.times().size(); ++i) {
      const double due_us = static_cast<double>(i) * 1e6 / rate;
      const auto sent_us = static_cast<double>(sink.times()[i] - start_us);
      ASSERT_GE(sent_us, due_us - 2) << rate << " record " << i;
      ASSERT_LE(sent_us, due_us + 600) << rate << " record " << i;
    }
  }
}

TEST_F(LoadRunTest, CatchesUpAfterAStall) {
  sink_.stall_at = 100;
  sink_.stall_us = 3'000'000;
  const int64_t start_us = clock_.MonotonicMicros();
  EXPECT_TRUE(Run(Limits({}, 10'000'000, 1'000)).ok());
  EXPECT_NEAR(static_cast<double>(sink_.times().size()), 10'000, 2);
  // What fell due during the stall follows at once, the rest on its own time.
  EXPECT_NEAR(static_cast<double>(sink_.times()[3'000] - start_us), 3.1e6, 2e5);
  EXPECT_NEAR(static_cast<double>(sink_.times()[6'000] - start_us), 6e6, 1e3);
  EXPECT_LE(progress_.behind, 2u);
}

TEST_F(LoadRunTest, SaysHowFarBehindASlowSinkIs) {
  sink_.write_us = 1'000;
  EXPECT_TRUE(Run(Limits({}, 5'000'000, 4'000)).ok());
  EXPECT_NEAR(static_cast<double>(sink_.times().size()), 5'000, 1'100);
  EXPECT_GT(progress_.behind, 10'000u);
  EXPECT_NE(FormatSummary(progress_, false, nullptr).find("behind the asked rate"),
            std::string::npos);
}

TEST_F(LoadRunTest, StopsWhenTheTimeIsUp) {
  const int64_t start_us = clock_.MonotonicMicros();
  EXPECT_TRUE(Run(Limits({}, 2'500'000, 10)).ok());
  EXPECT_EQ(sink_.times().size(), 25u);
  EXPECT_EQ(clock_.MonotonicMicros() - start_us, 2'500'000);
  EXPECT_EQ(progress_.elapsed_us, 2'500'000);
}

TEST_F(LoadRunTest, FlushesWhileItWaitsButNotForEveryRecord) {
  EXPECT_TRUE(Run(Limits(1'000, {}, 1'000)).ok());
  EXPECT_NEAR(sink_.flushes(), 50, 5);
}

TEST_F(LoadRunTest, FlushesASlowLoadRecordByRecord) {
  EXPECT_TRUE(Run(Limits(10, {}, 1)).ok());
  EXPECT_EQ(sink_.flushes(), 9) << "the last one is closed";
}

TEST_F(LoadRunTest, StopsOnRequest) {
  on_progress_ = [this](const LoadProgress& progress) {
    if (progress.records >= 500) stop_ = true;
  };
  EXPECT_TRUE(Run(Limits({}, {}, 1'000)).ok());
  EXPECT_NEAR(static_cast<double>(sink_.times().size()), 500, 120);
  EXPECT_TRUE(sink_.closed());
}

TEST_F(LoadRunTest, EndsWithTheGenerator) {
  GeneratorOptions options;
  options.profile = LoadProfile::kReference;
  options.first_id = INT32_MAX - 9;
  Build(options);
  EXPECT_TRUE(Run({}).ok());
  EXPECT_EQ(sink_.times().size(), 10u);
}

TEST_F(LoadRunTest, ReportsAFailedWrite) {
  sink_.fail_at = 7;
  sink_.failure = absl::UnknownError("disk full");
  const absl::Status status = Run(Limits(100, {}, 0));
  EXPECT_EQ(agents::MessageOf(status), "disk full");
  EXPECT_EQ(progress_.records, 7u);
  EXPECT_FALSE(sink_.closed());
}

TEST_F(LoadRunTest, TakesACancelledSinkForTheEnd) {
  sink_.fail_at = 7;
  sink_.failure = absl::CancelledError("the reader has gone");
  EXPECT_TRUE(Run(Limits(100, {}, 0)).ok());
  EXPECT_EQ(progress_.records, 7u);
}

TEST_F(LoadRunTest, GivesRealTimeToTheGenerator) {
  GeneratorOptions options;
  options.time.realtime = true;
  options.time.start_us = clock_.WallMillis() * 1000;
  options.time.event_rate = 50;
  Build(options);
  const int64_t start_us = clock_.MonotonicMicros();
  EXPECT_TRUE(Run(Limits(200, {}, 50)).ok());
  for (size_t i = 0; i < sink_.times().size(); ++i) {
    const int64_t passed_us = sink_.times()[i] - start_us;
    EXPECT_NEAR(static_cast<double>(sink_.event_times()[i] - options.time.start_us),
                static_cast<double>(passed_us), 1'500);
  }
}

TEST_F(LoadRunTest, WritesLabelsOfWhatWasSent) {
  const TemporaryDirectory directory;
  GeneratorOptions options;
  options.noise.malformed = 0.5;
  Build(options);
  auto labels = LabelWriter::Open(directory.File("labels"));
  ASSERT_TRUE(labels.ok());
  EXPECT_TRUE(Run(Limits(1'000, {}, 0), labels->get()).ok());
  EXPECT_EQ(ReadLines(directory.File("labels")).size(),
            (*labels)->malformed() + (*labels)->episodes());
  EXPECT_GT((*labels)->malformed(), 300u);
}

TEST_F(LoadRunTest, ReportsProgressTenTimesASecond) {
  int calls = 0;
  on_progress_ = [&](const LoadProgress&) { ++calls; };
  EXPECT_TRUE(Run(Limits(3'000, {}, 1'000)).ok());
  EXPECT_NEAR(calls, 29, 2);
}

TEST(ProgressLineTest, ShowsSpeedAndTimeLeft) {
  const LoadProgress before{100'000, 70'000'000, 1'000'000, 0};
  const LoadProgress now{1'204'000, 857'300'000, 2'000'000, 0};
  EXPECT_EQ(FormatProgress(before, now, {}), "1,204,000 records  1,104,000/s  857.3 MB");
  EXPECT_EQ(FormatProgress(before, now, Limits(2'408'000, {}, 0)),
            "1,204,000 records  1,104,000/s  857.3 MB  00:02 left");
  EXPECT_EQ(FormatProgress(before, now, Limits({}, 127'000'000, 0)),
            "1,204,000 records  1,104,000/s  857.3 MB  02:05 left");
}

TEST(ProgressLineTest, SumsUp) {
  const LoadProgress done{1'000'000, 712'500'000, 10'000'000, 0};
  EXPECT_EQ(FormatSummary(done, false, nullptr),
            "1,000,000 records (712.5 MB) in 10.0 s: 100,000/s");
  EXPECT_EQ(FormatSummary(done, true, nullptr),
            "stopped after 1,000,000 records (712.5 MB) in 10.0 s: 100,000/s");
  EXPECT_EQ(FormatSummary({1000, 10, 0, 0}, false, nullptr),
            "1,000 records (0.0 MB) in 0.0 s: 0/s");
}

TEST(RatePacerTest, MakesTheFirstRecordDueAtTheStart) {
  RatePacer pacer(10, 1'000);
  EXPECT_EQ(pacer.Due(999), 0u);
  EXPECT_EQ(pacer.Due(1'000), 1u);
  pacer.Sent(1);
  EXPECT_EQ(pacer.Due(1'000), 0u);
  EXPECT_EQ(pacer.Due(pacer.NextDueUs()), 1u);
  EXPECT_NEAR(static_cast<double>(pacer.NextDueUs()), 101'000, 1);
  EXPECT_EQ(pacer.Due(1'001'000), 10u);
}

TEST(SystemPacingClockTest, SleepsUntilTheTimeHasCome) {
  SystemPacingClock clock;
  const int64_t until_us = clock.MonotonicMicros() + 2'000;
  clock.SleepUntil(until_us);
  EXPECT_GE(clock.MonotonicMicros(), until_us);
  EXPECT_GT(clock.WallMillis(), 1'700'000'000'000);
}

}  // namespace
}  // namespace caracal::pipeline
