#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <caracal/agent_abi.h>

#include "absl/status/status.h"
#include "agents/api/agent.h"
#include "agents/api/transaction.h"
#include "agents/api/verdict.h"
#include "agents/plugin/call_watch.h"

namespace caracal::agents {

/// What happens when a plugin has an error with an event.
enum class PluginErrorPolicy : uint8_t {
  kFail,  ///< the engine stops
  kSkip,  ///< the event is judged without the agent, and the alert says so
};

/// What an agent of a plugin is run with.
struct PluginAgentOptions {
  const caracal_agent_api* api = nullptr;  ///< not owned; checked by ReadPluginTable
  uint32_t state_size = 0;
  uint32_t feature_count = 0;
  PluginErrorPolicy on_error = PluginErrorPolicy::kFail;
};

/// Runs one agent of a plugin as if it were built in: passes events on as they are, checks every
/// verdict, and puts the state of an event back with which the plugin had an error.
///
/// A later event of the same key may have been judged with what such an event left behind.
/// Therefore, after an error, the batch starts anew from a copy of all states: the events before it
/// are judged again, it is passed over, the rest follows. An agent is a function of event and
/// state, so this is what would have happened without the event. An agent that promises to have no
/// errors is spared the copies.
///
/// One worker's, as every Agent. Owns the plugin's agent and its watch. Scratch: the states of a
/// batch. Fails for good (status) when `process` does, when `create` did, when its watch says so,
/// or on an error with an event under PluginErrorPolicy::kFail; from then on it judges nothing.
class PluginAgent final : public Agent {
 public:
  /// Takes `agent`, made by options.api->create. `watch` null = nobody looks on.
  PluginAgent(const PluginAgentOptions& options, caracal_agent* agent,
              std::unique_ptr<CallWatch> watch);
  /// An agent that could not be made.
  PluginAgent(const PluginAgentOptions& options, absl::Status failure,
              std::unique_ptr<CallWatch> watch);
  ~PluginAgent() override;

  void Process(std::span<const Transaction* const> events, std::span<std::byte* const> states,
               std::span<Verdict> verdicts) override {
    ProcessWithFeatures(events, states, {}, verdicts);
  }
  void ProcessWithFeatures(std::span<const Transaction* const> events,
                           std::span<std::byte* const> states, std::span<const Feature> features,
                           std::span<Verdict> verdicts) override;
  absl::Status status() const override { return status_; }

 private:
  /// Events of the running batch, from `begin` to the end of the spans.
  struct Batch {
    std::span<const Transaction* const> events;
    std::span<std::byte* const> states;
    std::span<const Feature> features;
    std::span<Verdict> verdicts;
  };

  bool keeps_copies() const {
    return options_.state_size != 0 && (options_.api->flags & CARACAL_AGENT_NO_EVENT_ERRORS) == 0;
  }
  /// Judges the whole batch, until the agent is broken.
  void Judge(const Batch& batch);
  /// Judges events [begin, end), whose verdicts are zero. False = the agent is broken.
  bool Call(const Batch& batch, size_t begin, size_t end);
  /// The first event of [begin, end) the agent had an error with, or `end`.
  size_t FirstError(const Batch& batch, size_t begin, size_t end) const;
  bool IsError(const caracal_verdict& verdict) const;
  /// Judges [begin, error) again without what followed. False = the agent is broken.
  bool Redo(const Batch& batch, size_t begin, size_t error);
  /// An error with an event, whose state is as before. False = the agent is broken.
  bool PassOver(const Batch& batch, size_t event, const caracal_verdict& verdict);
  void SaveStates(const Batch& batch, size_t begin);
  void RestoreStates(const Batch& batch, size_t begin);
  std::string ErrorText(const caracal_verdict& verdict) const;
  /// The agent is broken.
  void Break(std::string_view reason);
  /// It judges no more; `reason` has been noted.
  void Stop(std::string_view reason);

  const PluginAgentOptions options_;
  caracal_agent* agent_ = nullptr;
  absl::Status status_;
  std::unique_ptr<CallWatch> watch_;
  std::vector<std::byte> copies_;
};

}  // namespace caracal::agents
