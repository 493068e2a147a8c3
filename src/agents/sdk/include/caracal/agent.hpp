#pragma once

#include <cstdint>
#include <exception>
#include <iterator>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <caracal/agent_abi.h>
#include <caracal/agent_types.hpp>

/// Write an agent as a C++17 class; the header makes a plugin of it. The whole of one:
///
///     struct Count { int64_t events; };
///
///     class Busy {
///      public:
///       using State = Count;
///       static constexpr const char* kName = "busy";
///       static constexpr const char* kVersion = "1.0.0";
///       static constexpr const char* kLicence = "Apache-2.0";
///       static constexpr const char* kDescription = "Raises once a key has had many events.";
///       static constexpr const char* kSchema = R"({"type": "object", "required": ["max"],
///           "properties": {"max": {"type": "integer", "minimum": 1}}})";
///       static constexpr caracal::Reason kReasons[] = {{"too_many", "more than max events"}};
///       static constexpr caracal::Observed kObserved[] = {{"count", CARACAL_INTEGER, 0}};
///
///       explicit Busy(const caracal::Rule& rule) : max_(rule.Integer("max")) {}
///
///       void Judge(const caracal::Event&, Count& state, caracal::Verdict& verdict) const noexcept
///       {
///         verdict.Observe(0, ++state.events);
///         if (state.events > max_) verdict.Raise(0);
///       }
///
///      private:
///       int64_t max_;
///     };
///
///     CARACAL_AGENT(Busy)
///
/// What the class may have besides: kLimits (names of the parameters that alerts show as limits),
/// kStateVersion, kAccumulatesMoney, and `std::string state_layout() const`. Without State the
/// agent is stateless and Judge takes (event, verdict).
///
/// Instead of Judge it may have `void JudgeBatch(const caracal::Batch&) noexcept`, which judges the
/// events of one call together, where that is cheaper. How events fall into batches must not show
/// in a verdict or a state.
///
/// The constructor throws std::exception to refuse a rule: what() is the sentence the user reads.
/// A Judge that is not noexcept may throw: the event counts as an error of the agent, and its state
/// is put back. Nothing crosses the border but values.
namespace caracal {

/// Makes the plugin's table of an agent class. Use CARACAL_AGENT.
template <typename T>
class Plugin {
 public:
  static const caracal_agent_api* Api() {
    static const caracal_agent_api api = MakeApi();
    return &api;
  }

 private:
  struct Instance {
    Instance(const Rule& rule) : agent(rule), layout(LayoutOf<T>(agent, 0)) {}

    T agent;
    std::optional<std::string> layout;
  };

  template <typename U, typename = void>
  struct StateOf {
    using Type = void;
  };
  template <typename U>
  struct StateOf<U, std::void_t<typename U::State>> {
    using Type = typename U::State;
  };
  using State = typename StateOf<T>::Type;
  static constexpr bool kStateful = !std::is_void_v<State>;

  // Each overload with an int is taken when the class has the member, else the one with a long.
  template <typename U>
  static auto LayoutOf(const U& agent, int)
      -> decltype(agent.state_layout(), std::optional<std::string>()) {
    return agent.state_layout();
  }
  template <typename U>
  static std::optional<std::string> LayoutOf(const U&, long) {
    return std::nullopt;
  }
  template <typename U>
  static auto SetObserved(caracal_description& description, int) -> decltype(U::kObserved, void()) {
    description.observed = U::kObserved;
    description.observed_count = static_cast<uint32_t>(std::size(U::kObserved));
  }
  template <typename U>
  static void SetObserved(caracal_description&, long) {}
  template <typename U>
  static auto SetLimits(caracal_agent_api& api, int) -> decltype(U::kLimits, void()) {
    api.limits = U::kLimits;
    api.limit_count = static_cast<uint32_t>(std::size(U::kLimits));
  }
  template <typename U>
  static void SetLimits(caracal_agent_api&, long) {}
  template <typename U>
  static auto StateVersion(int) -> decltype(static_cast<uint32_t>(U::kStateVersion)) {
    return U::kStateVersion;
  }
  template <typename U>
  static uint32_t StateVersion(long) {
    return 1;
  }
  template <typename U>
  static auto AccumulatesMoney(int) -> decltype(static_cast<uint32_t>(U::kAccumulatesMoney)) {
    return U::kAccumulatesMoney ? 1 : 0;
  }
  template <typename U>
  static uint32_t AccumulatesMoney(long) {
    return 0;
  }

  template <typename U, typename = void>
  struct HasJudgeBatch : std::false_type {};
  template <typename U>
  struct HasJudgeBatch<
      U, std::void_t<decltype(std::declval<U&>().JudgeBatch(std::declval<const Batch&>()))>>
      : std::true_type {};

  static constexpr bool IsNoexcept() {
    if constexpr (HasJudgeBatch<T>::value) {
      static_assert(noexcept(std::declval<T&>().JudgeBatch(std::declval<const Batch&>())),
                    "JudgeBatch is noexcept");
      return true;
    } else if constexpr (kStateful) {
      return noexcept(std::declval<T&>().Judge(std::declval<const Event&>(), std::declval<State&>(),
                                               std::declval<Verdict&>()));
    } else {
      return noexcept(
          std::declval<T&>().Judge(std::declval<const Event&>(), std::declval<Verdict&>()));
    }
  }

  static caracal_agent_api MakeApi() {
    caracal_agent_api api = {};
    api.struct_size = sizeof(api);
    api.abi_version = CARACAL_AGENT_ABI_VERSION;
    api.event_schema = CARACAL_EVENT_SCHEMA;
    api.flags = IsNoexcept() ? CARACAL_AGENT_NO_EVENT_ERRORS : 0;
    api.name = T::kName;
    api.version = T::kVersion;
    api.licence = T::kLicence;
    api.description = T::kDescription;
    api.parameters_schema = T::kSchema;
    api.reasons = T::kReasons;
    api.reason_count = static_cast<uint32_t>(std::size(T::kReasons));
    SetLimits<T>(api, 0);
    api.create = Create;
    api.describe = Describe;
    api.process = Process;
    api.destroy = Destroy;
    return api;
  }

  static int32_t Create(const caracal_host* host, const caracal_rule* rule, caracal_agent** agent,
                        caracal_error* error) noexcept {
    try {
      *agent = reinterpret_cast<caracal_agent*>(new Instance(Rule(*host, *rule)));
      return 0;
    } catch (const std::exception& problem) {
      caracal_set_error(error, problem.what());
    } catch (...) {
      caracal_set_error(error, "the agent threw something that is no std::exception");
    }
    return 1;
  }

  static void Describe(const caracal_agent* agent, caracal_description* description) noexcept {
    const auto& instance = *reinterpret_cast<const Instance*>(agent);
    if constexpr (kStateful) {
      static_assert(std::is_trivially_copyable_v<State>, "the engine copies the state's bytes");
      static_assert(sizeof(State) <= CARACAL_STATE_SIZE_MAX, "the state is at most 64 KiB per key");
      static_assert(alignof(State) <= CARACAL_STATE_ALIGN_MAX,
                    "the state's alignment is at most 16");
      description->state_size = sizeof(State);
      description->state_align = alignof(State);
    }
    description->state_version = StateVersion<T>(0);
    description->accumulates_money = AccumulatesMoney<T>(0);
    if (instance.layout.has_value()) description->state_layout = instance.layout->c_str();
    SetObserved<T>(*description, 0);
  }

  static void JudgeOne(T& agent, const caracal_batch& batch, uint64_t i,
                       caracal_verdict& raw_verdict) noexcept(IsNoexcept()) {
    const Event event(*batch.events[i], batch.features + i * batch.feature_count);
    Verdict verdict(raw_verdict);
    if constexpr (kStateful) {
      agent.Judge(event, *static_cast<State*>(batch.states[i]), verdict);
    } else {
      agent.Judge(event, verdict);
    }
  }

  static void JudgeEvent(T& agent, const caracal_batch& batch, uint64_t i,
                         caracal_verdict& verdict) noexcept {
    if constexpr (IsNoexcept()) {
      JudgeOne(agent, batch, i, verdict);
    } else {
      try {
        JudgeOne(agent, batch, i, verdict);
      } catch (...) {
        verdict.status = 1;
      }
    }
  }

  static int32_t Process(caracal_agent* agent, const caracal_batch* batch,
                         caracal_verdict* verdicts, caracal_error* /*error*/) noexcept {
    T& judge = reinterpret_cast<Instance*>(agent)->agent;
    if constexpr (HasJudgeBatch<T>::value) {
      judge.JudgeBatch(Batch(*batch, verdicts));
    } else {
      for (uint64_t i = 0; i < batch->count; ++i) JudgeEvent(judge, *batch, i, verdicts[i]);
    }
    return 0;
  }

  static void Destroy(caracal_agent* agent) noexcept { delete reinterpret_cast<Instance*>(agent); }
};

}  // namespace caracal

/// Exports `Class` as the agent of this library; once per library, outside every namespace.
#define CARACAL_AGENT(Class)                                                    \
  extern "C" CARACAL_AGENT_EXPORT const caracal_agent_api* caracal_agent_entry( \
      const caracal_host* /*host*/) {                                           \
    return caracal::Plugin<Class>::Api();                                       \
  }
