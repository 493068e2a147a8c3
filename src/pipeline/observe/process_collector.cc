#include "pipeline/observe/process_collector.h"

#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace caracal::pipeline {
namespace {

/// Fields of /proc/self/stat, by their numbers in proc(5).
constexpr size_t kUserTicks = 14;
constexpr size_t kSystemTicks = 15;
constexpr size_t kThreads = 20;
constexpr size_t kStartTicks = 22;
constexpr size_t kVirtualBytes = 23;
constexpr size_t kResidentPages = 24;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::optional<double> Number(std::string_view word) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return static_cast<double>(value);
}

/// The text of field `number` > 2 of a stat line. The second field is the command in parentheses
/// and may hold spaces and parentheses itself; all others are plain words behind it.
std::string_view StatField(std::string_view line, size_t number) {
  const size_t command_end = line.rfind(") ");
  if (command_end == std::string_view::npos) return {};
  line.remove_prefix(command_end + 2);
  for (size_t field = 3; field < number; ++field) {
    const size_t space = line.find(' ');
    if (space == std::string_view::npos) return {};
    line.remove_prefix(space + 1);
  }
  return line.substr(0, line.find_first_of(" \n"));
}

std::optional<double> ReadStat(const std::string& proc_root, size_t number) {
  return Number(StatField(ReadFile(proc_root + "/self/stat"), number));
}

double TicksPerSecond() { return static_cast<double>(sysconf(_SC_CLK_TCK)); }

std::optional<double> CpuSeconds(const std::string& proc_root) {
  const std::string line = ReadFile(proc_root + "/self/stat");
  const std::optional<double> user = Number(StatField(line, kUserTicks));
  const std::optional<double> system = Number(StatField(line, kSystemTicks));
  if (!user.has_value() || !system.has_value()) return std::nullopt;
  return (*user + *system) / TicksPerSecond();
}

std::optional<double> ResidentBytes(const std::string& proc_root) {
  const std::optional<double> pages = ReadStat(proc_root, kResidentPages);
  if (!pages.has_value()) return std::nullopt;
  return *pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

/// Seconds since 1970 at which the kernel started: the line "btime N" of /proc/stat.
std::optional<double> BootTime(const std::string& proc_root) {
  constexpr std::string_view kName = "\nbtime ";
  const std::string stat = ReadFile(proc_root + "/stat");
  const size_t name = stat.find(kName);
  if (name == std::string::npos) return std::nullopt;
  const size_t value = name + kName.size();
  return Number(std::string_view(stat).substr(value, stat.find('\n', value) - value));
}

std::optional<double> StartTime(const std::string& proc_root) {
  const std::optional<double> boot = BootTime(proc_root);
  const std::optional<double> ticks = ReadStat(proc_root, kStartTicks);
  if (!boot.has_value() || !ticks.has_value()) return std::nullopt;
  return *boot + *ticks / TicksPerSecond();
}

std::optional<double> OpenFds(const std::string& proc_root) {
  std::error_code error;
  std::filesystem::directory_iterator entry(proc_root + "/self/fd", error);
  double count = 0;
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) ++count;
  if (error) return std::nullopt;
  return count - 1;  // without the descriptor that lists them
}

std::optional<double> MaxFds() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  return static_cast<double>(limit.rlim_cur);
}

struct ProcessMetric {
  MetricFamilySpec spec;
  std::function<std::optional<double>()> read;
};

std::vector<ProcessMetric> ProcessMetrics(const std::string& root) {
  using enum MetricType;
  return {
      {{"process_cpu_seconds_total", "User and system CPU time spent.", kCounter},
       [root] { return CpuSeconds(root); }},
      {{"process_resident_memory_bytes", "Resident memory.", kGauge},
       [root] { return ResidentBytes(root); }},
      {{"process_virtual_memory_bytes", "Virtual memory.", kGauge},
       [root] { return ReadStat(root, kVirtualBytes); }},
      {{"process_start_time_seconds", "Start of the process, in seconds since 1970.", kGauge},
       [start = StartTime(root)] { return start; }},
      {{"process_threads", "Threads of the process.", kGauge},
       [root] { return ReadStat(root, kThreads); }},
      {{"process_open_fds", "Open file descriptors.", kGauge}, [root] { return OpenFds(root); }},
      {{"process_max_fds", "Limit of open file descriptors.", kGauge}, MaxFds},
  };
}

}  // namespace

ProcessCollector::ProcessCollector(MetricRegistry& registry, const std::string& proc_root) {
  for (ProcessMetric& metric : ProcessMetrics(proc_root)) {
    MetricFamily& family = registry.Declare(std::move(metric.spec));
    registrations_.push_back(
        family.AddSource([read = std::move(metric.read)](SampleWriter& writer) {
          const std::optional<double> now = read();
          if (now.has_value()) writer.Write({}, *now);
        }));
  }
}

}  // namespace caracal::pipeline
