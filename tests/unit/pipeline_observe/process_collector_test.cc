#include "pipeline/observe/process_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace caracal::pipeline {
namespace {

using testing::HasSubstr;
using testing::Not;

/// The value of a metric without labels in a scrape.
double ValueOf(const std::string& scrape, const std::string& name) {
  const size_t line = scrape.find("\n" + name + " ");
  EXPECT_NE(line, std::string::npos) << name << " is not in\n" << scrape;
  return line == std::string::npos ? 0 : std::atof(scrape.c_str() + line + name.size() + 2);
}

/// A directory that looks like /proc, removed at the end.
class ProcFixture {
 public:
  ProcFixture() {
    std::string pattern = testing::TempDir() + "/caracal-proc-XXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    std::filesystem::create_directories(root_ / "self/fd");
  }
  ~ProcFixture() { std::filesystem::remove_all(root_); }

  void Write(std::string_view path, std::string_view text) { std::ofstream(root_ / path) << text; }
  std::string root() const { return root_.string(); }

 private:
  std::filesystem::path root_;
};

TEST(ProcessCollectorTest, ReadsTheFieldsOfProc) {
  ProcFixture proc;
  proc.Write("stat", "cpu  1 2 3\nintr 5\nbtime 1700000000\nprocesses 9\n");
  proc.Write("self/stat",
             "4242 (odd ) name) S 1 1 1 0 -1 4194304 99 0 0 0 150 50 0 0 20 0 7 0 200 1048576 64 "
             "18446744073709551615 0\n");
  for (const char* fd : {"0", "1", "2", "3"}) proc.Write(std::string("self/fd/") + fd, "");
  MetricRegistry registry;
  const ProcessCollector collector(registry, proc.root());
  const std::string scrape = registry.Serialize();
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  EXPECT_DOUBLE_EQ(ValueOf(scrape, "process_cpu_seconds_total"), 200 / ticks);
  EXPECT_DOUBLE_EQ(ValueOf(scrape, "process_threads"), 7);
  EXPECT_DOUBLE_EQ(ValueOf(scrape, "process_start_time_seconds"), 1'700'000'000 + 200 / ticks);
  EXPECT_DOUBLE_EQ(ValueOf(scrape, "process_virtual_memory_bytes"), 1'048'576);
  EXPECT_DOUBLE_EQ(ValueOf(scrape, "process_resident_memory_bytes"),
                   64 * static_cast<double>(sysconf(_SC_PAGESIZE)));
  EXPECT_DOUBLE_EQ(ValueOf(scrape, "process_open_fds"), 3);
}

TEST(ProcessCollectorTest, LeavesOutWhatItCannotRead) {
  ProcFixture proc;
  proc.Write("self/stat", "4242 (cut off");
  MetricRegistry registry;
  const ProcessCollector collector(registry, proc.root() + "/nowhere");
  EXPECT_THAT(registry.Serialize(), Not(HasSubstr("process_cpu_seconds_total")));
  EXPECT_THAT(registry.Serialize(), Not(HasSubstr("process_open_fds")));
  MetricRegistry other;
  const ProcessCollector cut_off(other, proc.root());
  EXPECT_THAT(other.Serialize(), Not(HasSubstr("process_threads")));
  EXPECT_THAT(other.Serialize(), Not(HasSubstr("process_start_time_seconds")));
}

TEST(ProcessCollectorTest, TellsTheTruthAboutThisProcess) {
  MetricRegistry registry;
  const ProcessCollector collector(registry);
  const std::string scrape = registry.Serialize();
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_GT(ValueOf(scrape, "process_resident_memory_bytes"), 100'000);
  EXPECT_GE(ValueOf(scrape, "process_virtual_memory_bytes"),
            ValueOf(scrape, "process_resident_memory_bytes"));
  EXPECT_GE(ValueOf(scrape, "process_open_fds"), 3);
  EXPECT_GE(ValueOf(scrape, "process_max_fds"), ValueOf(scrape, "process_open_fds"));
  EXPECT_GE(ValueOf(scrape, "process_threads"), 1);
  EXPECT_NEAR(ValueOf(scrape, "process_start_time_seconds"), now, 600);
}

}  // namespace
}  // namespace caracal::pipeline
