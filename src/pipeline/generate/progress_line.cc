#include "pipeline/generate/progress_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace caracal::pipeline {
namespace {

std::string Grouped(uint64_t value) {
  std::string text = fmt::format("{}", value);
  for (size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

uint64_t PerSecond(uint64_t records, int64_t elapsed_us) {
  if (elapsed_us <= 0) return 0;
  return static_cast<uint64_t>(static_cast<double>(records) * 1e6 /
                               static_cast<double>(elapsed_us));
}

std::string Megabytes(uint64_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

// Seconds until the nearer limit, by the speed since the start.
std::optional<int64_t> SecondsLeft(const LoadProgress& now, const LoadLimits& limits) {
  std::optional<int64_t> left;
  if (limits.duration_us) left = std::max<int64_t>(0, *limits.duration_us - now.elapsed_us);
  if (limits.count && now.records > 0) {
    const auto share =
        static_cast<double>(*limits.count - now.records) / static_cast<double>(now.records);
    const auto by_count = static_cast<int64_t>(share * static_cast<double>(now.elapsed_us));
    left = left ? std::min(*left, by_count) : by_count;
  }
  if (left) *left /= 1'000'000;
  return left;
}

}  // namespace

std::string FormatProgress(const LoadProgress& previous, const LoadProgress& now,
                           const LoadLimits& limits) {
  std::string line = fmt::format(
      "{} records  {}/s  {}", Grouped(now.records),
      Grouped(PerSecond(now.records - previous.records, now.elapsed_us - previous.elapsed_us)),
      Megabytes(now.bytes));
  if (const std::optional<int64_t> left = SecondsLeft(now, limits)) {
    line += fmt::format("  {:02}:{:02} left", *left / 60, *left % 60);
  }
  return line;
}

std::string FormatSummary(const LoadProgress& done, bool stopped, const LabelWriter* labels) {
  std::string line = fmt::format("{}{} records ({}) in {:.1f} s: {}/s",
                                 stopped ? "stopped after " : "", Grouped(done.records),
                                 Megabytes(done.bytes), static_cast<double>(done.elapsed_us) / 1e6,
                                 Grouped(PerSecond(done.records, done.elapsed_us)));
  // A record or two are always just due; a hundredth is a rate that was not held.
  if (done.behind * 100 > done.records) {
    line += fmt::format("; {} behind the asked rate", Grouped(done.behind));
  }
  if (labels != nullptr) {
    line += fmt::format("; {} episodes, {} malformed", Grouped(labels->episodes()),
                        Grouped(labels->malformed()));
  }
  return line;
}

}  // namespace caracal::pipeline
