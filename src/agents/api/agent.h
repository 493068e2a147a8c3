#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agents/api/parameters.h"
#include "agents/api/transaction.h"
#include "agents/api/verdict.h"

/// The three tiers of an agent:
///
///   AgentFactory  one per process, thread-safe    "velocity": what parameters exist
///   BoundRule     one per rule, immutable          window 60s, max_count 5, on a stream of cents
///   Agent         one per rule and worker          judges events, one thread at a time
///
/// Agents are pure: the verdict and the new state are a function of (event, state) alone. No wall
/// clock, no randomness, no libm, no allocation and no I/O in Process; the state's bytes are
/// theirs, the engine stores, snapshots, restores and evicts them.
namespace caracal::agents {

/// The per-key record an agent wants. Zeroed bytes are the state of a key never seen. The record
/// must be trivially copyable plain bytes without pointers: it is copied, saved and restored.
struct StateSpec {
  /// Bytes; 0 = stateless. At most 64 KiB.
  uint32_t size = 0;
  /// Power of two, at most 16.
  uint32_t align = 1;
  /// Raised whenever the meaning of the bytes changes; part of the layout's identity.
  uint32_t version = 1;
};

/// One reason an agent may give.
struct ReasonSpec {
  std::string name;  ///< snake_case, stable: consumers match on it
  std::string doc;
};

/// What an agent is, as `caracal list agents` shows it.
struct AgentInfo {
  std::string name;
  std::string description;
  std::string version = "1.0.0";
  std::vector<ParameterSpec> parameters;
  std::vector<ReasonSpec> reasons;
  /// SPDX expression; empty for the built-in ones, which have this program's.
  std::string licence = {};
  /// Path of the plugin; empty for the built-in ones.
  std::string path = {};
  /// Whatever decides its verdicts besides version and parameters (the digest of a plugin's file,
  /// what happens on its errors), as canonical text; part of the version of every ruleset that uses
  /// it. Empty for the built-in ones.
  std::string fingerprint = {};
};

/// A value that an earlier rule observed on an event.
struct Feature {
  int64_t value = 0;  ///< as in Verdict::observed
  /// 0 when that rule did not see the event, had nothing to judge, or had an error with it.
  uint64_t is_present = 0;
};

/// Judges events. One instance belongs to one worker: no concurrent calls, but calls may come from
/// different threads over time.
class Agent {
 public:
  Agent() = default;
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  virtual ~Agent() = default;

  /// Judges events[i] with the record states[i] of its key, for i in order; the three spans have
  /// the same length, and the same record may appear several times. Changes states[i] and fills
  /// verdicts[i] (zeroed by the caller). states[i] is null for a stateless agent.
  virtual void Process(std::span<const Transaction* const> events,
                       std::span<std::byte* const> states, std::span<Verdict> verdicts) = 0;

  /// As Process, for a rule that has features(): features[i * features().size() + j] is the j-th
  /// one of events[i].
  virtual void ProcessWithFeatures(std::span<const Transaction* const> events,
                                   std::span<std::byte* const> states,
                                   std::span<const Feature> /*features*/,
                                   std::span<Verdict> verdicts) {
    Process(events, states, verdicts);
  }

  /// Called before the first Process when nothing but alerts reads what this agent observes: it may
  /// then leave out `observed` of events on which it raises nothing, and whatever work only that
  /// takes. Changes neither state nor any other part of a verdict.
  virtual void OmitUnreadValues() {}

  /// OK, or why this agent can judge no more: what it said since the last time this was OK must not
  /// be used, and the engine has to stop. The agents of this tree cannot fail; plugins can.
  virtual absl::Status status() const { return absl::OkStatus(); }
};

/// A rule's parameters, checked and bound to one stream. Immutable; any thread.
class BoundRule {
 public:
  BoundRule() = default;
  BoundRule(const BoundRule&) = delete;
  BoundRule& operator=(const BoundRule&) = delete;
  virtual ~BoundRule() = default;

  virtual StateSpec state() const = 0;
  /// Text of the parameters that change the meaning of the state's bytes (window, capacity, ...).
  /// Two rules with equal agent name, StateSpec and fingerprint may take over each other's records.
  virtual std::string layout_fingerprint() const = 0;
  /// The `observed` object of this rule's alerts, in order.
  virtual std::vector<ObservedField> observed() const = 0;
  /// The `limit` object of this rule's alerts as JSON text: {"max_count":5}.
  virtual std::string limit_json() const = 0;
  /// A sum or a profile over money: refused on a stream of mixed currencies unless the rule is
  /// keyed or filtered by currency.
  virtual bool accumulates_money() const { return false; }
  /// The values of earlier rules that come with every event: indices into StreamContext::features.
  virtual std::vector<uint16_t> features() const { return {}; }
  virtual std::unique_ptr<Agent> NewAgent() const = 0;
};

/// Makes rules of one kind. Immutable; any thread.
class AgentFactory {
 public:
  AgentFactory() = default;
  AgentFactory(const AgentFactory&) = delete;
  AgentFactory& operator=(const AgentFactory&) = delete;
  virtual ~AgentFactory() = default;

  virtual const AgentInfo& info() const = 0;
  /// Binds `parameters` (already checked against info().parameters) to a stream. InvalidArgument
  /// with a message "<parameter>: what is wrong and what to do" for what the specs cannot express.
  virtual absl::StatusOr<std::unique_ptr<BoundRule>> Bind(const Parameters& parameters,
                                                          const StreamContext& stream) const = 0;
};

}  // namespace caracal::agents
