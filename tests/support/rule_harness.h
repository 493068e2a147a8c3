#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agents/api/agent.h"
#include "agents/api/check.h"
#include "agents/api/parameters.h"
#include "agents/api/status_macros.h"

/// Runs single rules in tests without an engine: parameters in the text of a rule file, events as
/// literals, the state of one key.
namespace caracal::agents::testing {

inline ParameterValue Duration(std::string_view text) { return ParseDuration(text).value(); }
inline ParameterValue Number(int64_t value) { return value; }
inline ParameterValue Exact(std::string_view decimal) { return ParseDecimal(decimal).value(); }
inline ParameterValue Text(std::string text) { return text; }
inline ParameterValue TextList(std::vector<std::string> texts) { return texts; }

using NamedValues = std::initializer_list<std::pair<std::string, ParameterValue>>;

inline Parameters MakeParameters(NamedValues values) {
  Parameters parameters;
  for (const auto& [name, value] : values) parameters.Set(name, value);
  return parameters;
}

inline ParameterValue Object(NamedValues values) {
  return std::make_shared<const Parameters>(MakeParameters(values));
}

/// `values` plus the defaults of `specs`, as the rule-file parser hands them to Bind.
inline Parameters WithDefaults(const std::vector<ParameterSpec>& specs, Parameters values) {
  for (const ParameterSpec& spec : specs) {
    if (spec.type == ParameterType::kObject && values.Has(spec.name)) {
      Parameters object = WithDefaults(spec.fields, values.Object(spec.name));
      values.Set(spec.name, std::make_shared<const Parameters>(std::move(object)));
    }
    if (!spec.default_text || values.Has(spec.name)) continue;
    switch (spec.type) {
      case ParameterType::kInteger:
        values.Set(spec.name, Number(std::stoll(*spec.default_text)));
        break;
      case ParameterType::kDecimal:
      case ParameterType::kMoney:
        values.Set(spec.name, Exact(*spec.default_text));
        break;
      case ParameterType::kDuration:
        values.Set(spec.name, Duration(*spec.default_text));
        break;
      case ParameterType::kText:
        values.Set(spec.name, Text(*spec.default_text));
        break;
      default:
        CHECK(false);  // no built-in agent has a default of another type
    }
  }
  return values;
}

/// One event of the key under test. The attribute texts must outlive it.
struct Event {
  int64_t time_us = 0;
  std::optional<int64_t> amount = std::nullopt;
  std::vector<std::string_view> attributes = {};
  std::optional<Location> location = std::nullopt;
};

/// The transaction of `event`, which must outlive it.
inline Transaction ToTransaction(const Event& event) {
  Transaction transaction;
  transaction.key = "1042";
  transaction.account = "1042";
  transaction.event_time_us = event.time_us;
  transaction.has_amount = event.amount.has_value();
  transaction.amount = event.amount.value_or(0);
  transaction.attributes = event.attributes;
  transaction.has_location = event.location.has_value();
  transaction.location = event.location.value_or(Location{});
  return transaction;
}

/// A bound rule with the state of one key, in a buffer of exactly the declared size so that a
/// sanitizer sees any access beyond it. One thread.
class RuleHarness {
 public:
  /// CHECKs that the rule binds.
  RuleHarness(const AgentFactory& factory, const Parameters& parameters,
              const StreamContext& stream)
      : factory_(factory),
        rule_(factory.Bind(WithDefaults(factory.info().parameters, parameters), stream).value()),
        agent_(rule_->NewAgent()),
        state_(Allocate(rule_->state().size)) {}

  /// As an engine tells an agent whose values nobody reads.
  void OmitUnreadValues() { agent_->OmitUnreadValues(); }

  /// Judges one event after all those before.
  Verdict Judge(const Event& event) { return JudgeBatch({&event, 1}).front(); }

  /// Judges the events in one call of the agent.
  std::vector<Verdict> JudgeBatch(std::span<const Event> events) {
    std::vector<Transaction> transactions;
    for (const Event& event : events) transactions.push_back(ToTransaction(event));
    std::vector<const Transaction*> pointers;
    for (const Transaction& transaction : transactions) pointers.push_back(&transaction);
    const std::vector<std::byte*> states(events.size(), state_.get());
    std::vector<Verdict> verdicts(events.size());
    agent_->Process(pointers, states, verdicts);
    return verdicts;
  }

  /// The name of the verdict's reason; empty when it did not fire.
  std::string Reason(const Verdict& verdict) const {
    return verdict.fired ? factory_.info().reasons.at(verdict.reason).name : std::string();
  }

  const BoundRule& rule() const { return *rule_; }
  std::span<const std::byte> state() const { return {state_.get(), rule_->state().size}; }

 private:
  static constexpr std::align_val_t kAlignment{16};
  struct Free {
    void operator()(std::byte* bytes) const { ::operator delete(bytes, kAlignment); }
  };
  using StateBytes = std::unique_ptr<std::byte, Free>;

  // Null for a stateless rule, as the engine does it.
  static StateBytes Allocate(uint32_t size) {
    if (size == 0) return nullptr;
    auto* bytes = static_cast<std::byte*>(::operator new(size, kAlignment));
    std::fill_n(bytes, size, std::byte{0});
    return StateBytes(bytes);
  }

  const AgentFactory& factory_;
  std::unique_ptr<BoundRule> rule_;
  std::unique_ptr<Agent> agent_;
  StateBytes state_;
};

/// The message with which `factory` refuses `parameters`; empty when it accepts them.
inline std::string BindError(const AgentFactory& factory, const Parameters& parameters,
                             const StreamContext& stream) {
  const auto rule = factory.Bind(WithDefaults(factory.info().parameters, parameters), stream);
  return rule.ok() ? std::string() : MessageOf(rule.status());
}

/// Whether `unread`, a fresh harness of the rule of `read`, judges the events as `read` has judged
/// them when nobody reads its values: all but the values of events on which it raises nothing.
inline bool AgreesUnread(RuleHarness& unread, const RuleHarness& read,
                         std::span<const Event> events, std::span<const Verdict> verdicts) {
  unread.OmitUnreadValues();
  const std::vector<Verdict> others = unread.JudgeBatch(events);
  const auto agree = [](const Verdict& one, const Verdict& other) {
    return one.fired == other.fired && one.flags == other.flags &&
           (!one.fired || (one.reason == other.reason && one.observed == other.observed));
  };
  return std::equal(verdicts.begin(), verdicts.end(), others.begin(), others.end(), agree) &&
         std::ranges::equal(read.state(), unread.state());
}

}  // namespace caracal::agents::testing
