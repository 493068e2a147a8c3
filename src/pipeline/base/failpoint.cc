#include "pipeline/base/failpoint.h"

#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

#include <fmt/format.h>

#include "absl/status/statusor.h"
#include "agents/api/status_macros.h"

namespace caracal::pipeline {
namespace {

struct Entry {
  std::string_view name;
  bool can_fail = false;
};

// In the order of the enumeration.
constexpr std::array<Entry, kFailpointCount> kEntries = {{
    {"epoch.close"},
    {"epoch.collected"},
    {"epoch.seal"},
    {"epoch.sealed"},
    {"transaction.begin", true},
    {"output.sent"},
    {"transaction.offsets", true},
    {"transaction.offsets_sent", true},
    {"transaction.commit", true},
    {"transaction.done", true},
    {"producer.renew", true},
    {"offsets.hold", true},
    {"offsets.commit"},
    {"offsets.committed"},
    {"snapshot.chunk", true},
    {"snapshot.tombstone", true},
    {"partition.assign"},
    {"partition.revoke"},
    {"restore.committed", true},
    {"restore.state", true},
}};

enum class Action : uint8_t { kNone, kCrash, kStop, kDelay, kError };

/// What a point is armed with, and how often it was hit. Atomics: points are hit on all threads and
/// armed before they run; the number of hits alone is shared.
struct Cell {
  std::atomic<Action> action{Action::kNone};
  std::atomic<int64_t> delay_ms{0};
  std::atomic<uint64_t> only_hit{0};  ///< 0 = every one
  std::atomic<uint64_t> hits{0};
};

struct Arming {
  size_t point = 0;
  Action action = Action::kNone;
  int64_t delay_ms = 0;
  uint64_t only_hit = 0;
};

std::array<Cell, kFailpointCount>& Cells() {
  static std::array<Cell, kFailpointCount> cells;
  return cells;
}

template <typename Number>
bool ParseNumber(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number > 0;
}

absl::Status Refused(std::string_view text, std::string_view problem) {
  std::string names;
  for (const Entry& entry : kEntries) names += fmt::format(" {}", entry.name);
  return absl::InvalidArgumentError(fmt::format(
      "CARACAL_FAILPOINTS: '{}': {}; write name=crash, name=stop, name=delay:MILLISECONDS or "
      "name=error, with @N for the N-th time only. Names:{}",
      text, problem, names));
}

absl::StatusOr<Arming> ParseArming(std::string_view text) {
  const size_t equals = text.find('=');
  Arming arming;
  while (arming.point < kFailpointCount && kEntries[arming.point].name != text.substr(0, equals)) {
    ++arming.point;
  }
  if (arming.point == kFailpointCount) return Refused(text, "there is no such failpoint");
  std::string_view action = equals == std::string_view::npos ? "" : text.substr(equals + 1);
  if (const size_t at = action.find('@'); at != std::string_view::npos) {
    if (!ParseNumber(action.substr(at + 1), arming.only_hit)) {
      return Refused(text, "after @ comes a number from 1 on");
    }
    action = action.substr(0, at);
  }
  if (action == "crash") {
    arming.action = Action::kCrash;
  } else if (action == "stop") {
    arming.action = Action::kStop;
  } else if (action.starts_with("delay:") && ParseNumber(action.substr(6), arming.delay_ms)) {
    arming.action = Action::kDelay;
  } else if (action == "error") {
    arming.action = Action::kError;
    if (!kEntries[arming.point].can_fail) return Refused(text, "this step cannot fail");
  } else {
    return Refused(text, "there is no such action");
  }
  return arming;
}

}  // namespace

bool HitFailpoint(Failpoint point) {
  Cell& cell = Cells()[static_cast<size_t>(point)];
  const uint64_t hit = cell.hits.fetch_add(1, std::memory_order_relaxed) + 1;
  const uint64_t only_hit = cell.only_hit.load(std::memory_order_relaxed);
  if (only_hit != 0 && hit != only_hit) return false;
  switch (cell.action.load(std::memory_order_relaxed)) {
    case Action::kNone:
      return false;
    case Action::kCrash:
      // As the kernel would: no destructor, no buffer, no goodbye.
      std::raise(SIGKILL);
      return false;
    case Action::kStop:
      std::raise(SIGSTOP);
      return false;
    case Action::kDelay:
      std::this_thread::sleep_for(
          std::chrono::milliseconds(cell.delay_ms.load(std::memory_order_relaxed)));
      return false;
    case Action::kError:
      return true;
  }
  return false;
}

absl::Status ArmFailpoints(std::string_view text) {
  std::array<Arming, kFailpointCount> armings = {};
  while (!text.empty()) {
    const size_t comma = text.find(',');
    ASSIGN_OR_RETURN(const Arming arming, ParseArming(text.substr(0, comma)));
    armings[arming.point] = arming;
    text = comma == std::string_view::npos ? "" : text.substr(comma + 1);
  }
  for (size_t i = 0; i < kFailpointCount; ++i) {
    Cell& cell = Cells()[i];
    cell.action.store(armings[i].action, std::memory_order_relaxed);
    cell.delay_ms.store(armings[i].delay_ms, std::memory_order_relaxed);
    cell.only_hit.store(armings[i].only_hit, std::memory_order_relaxed);
    cell.hits.store(0, std::memory_order_relaxed);
  }
  return absl::OkStatus();
}

absl::Status ArmFailpointsFromEnvironment() {
  const char* const text = std::getenv("CARACAL_FAILPOINTS");
  return text == nullptr ? absl::OkStatus() : ArmFailpoints(text);
}

std::string_view FailpointName(Failpoint point) {
  return kEntries[static_cast<size_t>(point)].name;
}

uint64_t FailpointHits(Failpoint point) {
  return Cells()[static_cast<size_t>(point)].hits.load(std::memory_order_relaxed);
}

}  // namespace caracal::pipeline
