#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "absl/status/status.h"

namespace caracal::agents {

/// What can go wrong in an agent of a plugin.
enum class PluginError : uint8_t {
  kEvent,    ///< it reported an error with an event
  kVerdict,  ///< it gave a verdict that cannot be
  kBroken,   ///< it failed as a whole, or broke a promise: the engine stops
};

/// Looks on while an agent of a plugin works: its side of the border knows no clock, and counts
/// nothing. What is seen here never reaches a verdict.
///
/// One per agent; called on the thread of the agent's worker, between its calls.
class CallWatch {
 public:
  virtual ~CallWatch() = default;
  /// The agent is given a batch.
  virtual void BatchBegins() = 0;
  /// It has judged it, and what had to be judged again. OK, or why the engine has to stop.
  virtual absl::Status BatchEnds() = 0;
  /// `sentence` says what went wrong, without payload data.
  virtual void NoteError(PluginError error, std::string_view sentence) = 0;
};

/// Makes the watch of one more agent. Any thread.
using CallWatchMaker = std::function<std::unique_ptr<CallWatch>()>;

}  // namespace caracal::agents
