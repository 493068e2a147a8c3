#include "pipeline/demo/demo_screen.h"

#include <string_view>

#include <fmt/format.h>

namespace caracal::pipeline {
namespace {

struct KindRow {
  EpisodeKind kind;
  const char* name;
  const char* rule;
};
constexpr KindRow kKinds[] = {
    {EpisodeKind::kBurst, "burst (more than 6 payments in 60 s)", "burst"},
    {EpisodeKind::kBigTicket, "big ticket (over 10 x the account's mean)", "big-ticket"},
    {EpisodeKind::kTravel, "impossible travel (over 900 km/h)", "impossible-travel"},
};

constexpr std::string_view kJoining = "joining the consumer group, about 3 s";

std::string Millis(int64_t micros) {
  return micros < 0 ? "-" : fmt::format("{:.1f} ms", static_cast<double>(micros) / 1000.0);
}

std::string Row(const char* label, const std::string& value) {
  return fmt::format("  {:<28} {:>16}\n", label, value);
}

}  // namespace

std::string Grouped(uint64_t number) {
  std::string text = fmt::to_string(number);
  for (size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string LiveTable(const DemoFrame& frame) {
  std::string out = "caracal demo   ";
  if (frame.joining) {
    out += kJoining;
  } else {
    out += fmt::format("{:>4.1f} s", frame.elapsed_s);
    if (frame.duration_s > 0) out += fmt::format(" of {:.0f} s", frame.duration_s);
  }
  out += '\n';
  out += Row("events/s", Grouped(static_cast<uint64_t>(frame.events_per_s)));
  out += Row("events judged", Grouped(frame.evaluated));
  out += Row("skipped", Grouped(frame.skipped));
  out += Row("dead letters", Grouped(frame.dead_letters));
  out += Row("lag (records)",
             Grouped(frame.produced > frame.consumed ? frame.produced - frame.consumed : 0));
  out += Row("epochs committed", Grouped(frame.epochs));
  out += Row("alert latency p50", Millis(frame.score.latency_p50_us));
  out += Row("alert latency p99", Millis(frame.score.latency_p99_us));
  for (const KindRow& row : kKinds) {
    const auto it = frame.score.alerts_by_rule.find(row.rule);
    out += Row(fmt::format("alerts of {}", row.rule).c_str(),
               Grouped(it == frame.score.alerts_by_rule.end() ? 0 : it->second));
  }
  return out;
}

std::string ProgressLine(const DemoFrame& frame) {
  if (frame.joining) return fmt::format("{}\n", kJoining);
  return fmt::format("{:.0f} s: {} events/s, {} judged, {} alerts, latency p50 {} p99 {}\n",
                     frame.elapsed_s, Grouped(static_cast<uint64_t>(frame.events_per_s)),
                     Grouped(frame.evaluated), Grouped(frame.score.alerts),
                     Millis(frame.score.latency_p50_us), Millis(frame.score.latency_p99_us));
}

std::string Summary(const DemoFrame& frame, uint64_t seed, bool conserved) {
  std::string out = "\nPlanted fraud against what the alerts topic holds\n\n";
  out += fmt::format("  {:<44} {:>8} {:>8}\n", "kind", "planted", "found");
  for (const KindRow& row : kKinds) {
    const KindScore& score = frame.score.kinds[static_cast<size_t>(row.kind)];
    out += fmt::format("  {:<44} {:>8} {:>8}\n", row.name, Grouped(score.planted),
                       Grouped(score.found));
  }
  out += fmt::format("  {:<44} {:>8} {:>8}\n\n", "false alerts", "0",
                     Grouped(frame.score.false_alerts));
  out += fmt::format("  {} records = {} judged + {} skipped + {} dead-lettered\n  {}\n\n",
                     Grouped(frame.consumed), Grouped(frame.evaluated), Grouped(frame.skipped),
                     Grouped(frame.dead_letters),
                     conserved ? "every record has one outcome" : "RECORDS ARE MISSING");
  out += fmt::format("  alert latency, produced to readable: p50 {}, p99 {}\n",
                     Millis(frame.score.latency_p50_us), Millis(frame.score.latency_p99_us));
  out += fmt::format(
      "  delivery: at_least_once (the embedded broker has no transactions)\n"
      "  alerts that came twice: {}\n",
      Grouped(frame.score.repeated_alerts));
  out += fmt::format("  seed {}: the same seed plants the same fraud\n", seed);
  out +=
      "\nNext:\n"
      "  caracal demo --serve             look at /metrics and /status while it runs\n"
      "  caracal generate --help          make your own load: file, Kafka, PostgreSQL\n"
      "  caracal validate -c FILE         check a configuration\n";
  return out;
}

}  // namespace caracal::pipeline
