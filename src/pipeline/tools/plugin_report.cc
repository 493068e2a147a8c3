#include "pipeline/tools/plugin_report.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "pipeline/config/json.h"

namespace caracal::pipeline {
namespace {

std::string AbiText(uint32_t version) {
  return fmt::format("{}.{}", version >> 16, version & 0xFFFF);
}

size_t FindingsOf(const ConformanceReport& report) {
  return static_cast<size_t>(
      std::count_if(report.checks.begin(), report.checks.end(),
                    [](const ConformanceCheck& check) { return !check.finding.empty(); }));
}

}  // namespace

std::string PluginReportText(const std::string& path, const ConformanceReport& report) {
  std::string text = path;
  if (!report.plugin.agent.empty()) {
    text += fmt::format(": {} {}, interface {}, {}", report.plugin.agent, report.plugin.version,
                        AbiText(report.plugin.abi_version), report.plugin.licence);
  }
  text += '\n';
  auto out = std::back_inserter(text);
  for (const ConformanceCheck& check : report.checks) {
    if (check.finding.empty()) {
      fmt::format_to(out, "  ok    {}\n", check.name);
    } else {
      fmt::format_to(out, "  FAIL  {}: {}\n", check.name, check.finding);
    }
  }
  if (report.event_errors > 0) {
    fmt::format_to(out, "  note  it reported errors with {} transactions\n", report.event_errors);
  }
  if (!report.timings.empty()) text += "  batch  ns per transaction\n";
  for (const ConformanceTiming& timing : report.timings) {
    fmt::format_to(out, "  {:>5}  {:.1f}\n", timing.batch, timing.ns_per_event);
  }
  const size_t findings = FindingsOf(report);
  fmt::format_to(
      out, "{}\n",
      findings == 0 ? "ok" : fmt::format("{} of {} checks failed", findings, report.checks.size()));
  return text;
}

std::string PluginReportJson(const std::string& path, const ConformanceReport& report) {
  Json json = Json::MakeObject();
  json.Set("path", path);
  json.Set("passed", report.passed());
  if (!report.plugin.agent.empty()) {
    json.Set("agent", report.plugin.agent).Set("version", report.plugin.version);
    json.Set("abi", AbiText(report.plugin.abi_version)).Set("licence", report.plugin.licence);
    json.Set("sha256", report.plugin.sha256);
  }
  Json checks = Json::MakeArray();
  for (const ConformanceCheck& check : report.checks) {
    Json entry = Json::MakeObject();
    entry.Set("name", check.name).Set("ok", check.finding.empty());
    if (!check.finding.empty()) entry.Set("finding", check.finding);
    checks.Append(std::move(entry));
  }
  json.Set("checks", std::move(checks));
  json.Set("event_errors", static_cast<int64_t>(report.event_errors));
  Json timings = Json::MakeArray();
  for (const ConformanceTiming& timing : report.timings) {
    Json entry = Json::MakeObject();
    entry.Set("batch", static_cast<int64_t>(timing.batch));
    entry.Set("picoseconds_per_event",
              static_cast<int64_t>(std::llround(timing.ns_per_event * 1'000)));
    timings.Append(std::move(entry));
  }
  json.Set("timings", std::move(timings));
  return json.DumpIndented() + "\n";
}

}  // namespace caracal::pipeline
