#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace caracal::pipeline {

/// What a check in a process of its own tells the one that waits for it, even when it dies.
struct CheckProgress {
  std::atomic<uint64_t> first_event{0};
  std::atomic<uint64_t> events{0};  ///< of the batch under way; 0 = none
};

struct CheckOutcome {
  /// What the check returned; empty when it did not get so far.
  std::string text;
  /// How it ended otherwise, as a sentence: a crash, an exit, too long; empty = it returned.
  std::string death;
};

/// Runs `check` in a child process, so that code which crashes, ends the process or never comes
/// back does no more than that. The child is a copy of this process: `check` may use whatever was
/// made before, and changes nothing here.
///
/// Only where this process has a single thread. Blocks for at most `timeout`.
CheckOutcome RunIsolated(const std::function<std::string(CheckProgress& progress)>& check,
                         std::chrono::milliseconds timeout);

}  // namespace caracal::pipeline
