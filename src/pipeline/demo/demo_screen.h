#pragma once

#include <cstdint>
#include <string>

#include "pipeline/demo/scoreboard.h"

namespace caracal::pipeline {

/// What the live table shows.
struct DemoFrame {
  bool joining = false;  ///< nothing is produced yet: the engine joins its consumer group
  double elapsed_s = 0;
  double duration_s = 0;  ///< 0 = no time is set
  double events_per_s = 0;
  uint64_t produced = 0;
  uint64_t consumed = 0;
  uint64_t evaluated = 0;
  uint64_t skipped = 0;
  uint64_t dead_letters = 0;
  uint64_t epochs = 0;
  ScoreSnapshot score;
};

/// The live table: kLiveTableLines of at most kLiveTableColumns, to be drawn over itself on a
/// terminal.
inline constexpr int kLiveTableLines = 12;
inline constexpr int kLiveTableColumns = 60;
std::string LiveTable(const DemoFrame& frame);
/// One line for output that is not a terminal.
std::string ProgressLine(const DemoFrame& frame);
/// The summary at the end: planted against found, conservation, what next. `conserved` tells
/// whether every record ended as exactly one outcome.
std::string Summary(const DemoFrame& frame, uint64_t seed, bool conserved);

/// "12,345,678".
std::string Grouped(uint64_t number);

}  // namespace caracal::pipeline
