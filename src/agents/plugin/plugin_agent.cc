#include "agents/plugin/plugin_agent.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "agents/api/check.h"
#include "agents/api/status_macros.h"

namespace caracal::agents {
namespace {

// Events cross the border as they are: the plugin's view of an event has the layout of ours.
static_assert(std::is_standard_layout_v<Transaction>);
static_assert(sizeof(Transaction) == sizeof(caracal_event));
static_assert(offsetof(Transaction, key) == offsetof(caracal_event, key));
static_assert(offsetof(Transaction, account) == offsetof(caracal_event, account));
static_assert(offsetof(Transaction, id) == offsetof(caracal_event, id));
static_assert(offsetof(Transaction, currency) == offsetof(caracal_event, currency));
static_assert(offsetof(Transaction, attributes) == offsetof(caracal_event, attributes));
static_assert(offsetof(Transaction, amount) == offsetof(caracal_event, amount));
static_assert(offsetof(Transaction, event_time_us) == offsetof(caracal_event, event_time_us));
static_assert(offsetof(Transaction, location) == offsetof(caracal_event, latitude_udeg));
static_assert(offsetof(Transaction, has_amount) == offsetof(caracal_event, has_amount));
static_assert(offsetof(Transaction, has_location) == offsetof(caracal_event, has_location));
static_assert(offsetof(Transaction, time_source) == offsetof(caracal_event, time_source));
static_assert(static_cast<int>(TimeSource::kField) == CARACAL_TIME_FIELD &&
              static_cast<int>(TimeSource::kSourceCommit) == CARACAL_TIME_COMMIT &&
              static_cast<int>(TimeSource::kRecord) == CARACAL_TIME_RECORD);
// So do verdicts.
static_assert(std::is_trivially_copyable_v<Verdict> && std::is_standard_layout_v<Verdict>);
static_assert(sizeof(Verdict) == sizeof(caracal_verdict));
static_assert(offsetof(Verdict, observed) == offsetof(caracal_verdict, observed));
static_assert(offsetof(Verdict, reason) == offsetof(caracal_verdict, reason));
static_assert(offsetof(Verdict, fired) == offsetof(caracal_verdict, fired));
static_assert(offsetof(Verdict, flags) == offsetof(caracal_verdict, flags));
static_assert(offsetof(Verdict, status) == offsetof(caracal_verdict, status));
static_assert(sizeof(Feature) == sizeof(caracal_feature));
static_assert(offsetof(Feature, value) == offsetof(caracal_feature, value));
static_assert(offsetof(Feature, is_present) == offsetof(caracal_feature, is_present));
static_assert(kMaxObserved == CARACAL_OBSERVED_MAX);
static_assert(uint32_t{kAtLeast} == uint32_t{CARACAL_AT_LEAST} &&
              uint32_t{kLate} == uint32_t{CARACAL_LATE} &&
              uint32_t{kInactive} == uint32_t{CARACAL_INACTIVE});

constexpr uint8_t kKnownFlags = CARACAL_AT_LEAST | CARACAL_LATE | CARACAL_INACTIVE;
constexpr size_t kMaxSentence = 500;

/// A verdict as the plugin left it, before it is known to be one.
caracal_verdict Raw(const Verdict& verdict) {
  caracal_verdict raw;
  std::memcpy(&raw, static_cast<const void*>(&verdict), sizeof(raw));
  return raw;
}

// All of a verdict but what it observed, in one word: reason, fired, flags, status.
static_assert(offsetof(caracal_verdict, reason) + sizeof(uint64_t) == sizeof(caracal_verdict));
static_assert(offsetof(caracal_verdict, fired) == offsetof(caracal_verdict, reason) + 2);
static_assert(offsetof(caracal_verdict, flags) == offsetof(caracal_verdict, reason) + 3);
static_assert(offsetof(caracal_verdict, status) == offsetof(caracal_verdict, reason) + 4);
static_assert(std::endian::native == std::endian::little);
/// Above every reason.
constexpr uint64_t kReasonEnd = 1 << 16;
/// Set in no verdict that is one.
constexpr uint64_t kErrorBits =
    uint64_t{0xFE} << 16 | uint64_t{0xFF & ~kKnownFlags} << 24 | uint64_t{UINT32_MAX} << 32;

uint64_t JudgementOf(const Verdict& verdict) {
  uint64_t word;
  std::memcpy(&word, reinterpret_cast<const std::byte*>(&verdict) + offsetof(Verdict, reason),
              sizeof(word));
  return word;
}

/// What the asserts cannot see: the order of the fields within std::string_view and std::span.
bool ViewsMatch() {
  static constexpr std::string_view kAttribute = "a";
  Transaction ours;
  ours.key = "key";
  ours.attributes = {&kAttribute, 1};
  caracal_event theirs;
  std::memcpy(&theirs, static_cast<const void*>(&ours), sizeof(theirs));
  return theirs.key.data == ours.key.data() && theirs.key.size == 3 &&
         static_cast<const void*>(theirs.attributes) == &kAttribute && theirs.attribute_count == 1;
}

}  // namespace

PluginAgent::PluginAgent(const PluginAgentOptions& options, caracal_agent* agent,
                         std::unique_ptr<CallWatch> watch)
    : options_(options), agent_(agent), watch_(std::move(watch)) {
  CHECK(agent_ != nullptr);
  CHECK(ViewsMatch());
}

PluginAgent::PluginAgent(const PluginAgentOptions& options, absl::Status failure,
                         std::unique_ptr<CallWatch> watch)
    : options_(options), status_(std::move(failure)), watch_(std::move(watch)) {
  CHECK(!status_.ok());
  if (watch_ != nullptr) watch_->NoteError(PluginError::kBroken, MessageOf(status_));
}

PluginAgent::~PluginAgent() {
  if (agent_ != nullptr) options_.api->destroy(agent_);
}

void PluginAgent::ProcessWithFeatures(std::span<const Transaction* const> events,
                                      std::span<std::byte* const> states,
                                      std::span<const Feature> features,
                                      std::span<Verdict> verdicts) {
  DCHECK(features.size() == events.size() * options_.feature_count);
  DCHECK(events.size() == states.size() && events.size() == verdicts.size());
  if (!status_.ok()) return;
  const Batch batch = {events, states, features, verdicts};
  if (watch_ == nullptr) return Judge(batch);
  watch_->BatchBegins();
  Judge(batch);
  const absl::Status seen = watch_->BatchEnds();
  if (seen.ok() || !status_.ok()) return;
  std::fill(verdicts.begin(), verdicts.end(), Verdict{});
  Stop(MessageOf(seen));
}

void PluginAgent::Judge(const Batch& batch) {
  const size_t end = batch.events.size();
  for (size_t begin = 0; begin < end;) {
    if (keeps_copies()) SaveStates(batch, begin);
    if (!Call(batch, begin, end)) return;
    const size_t error = FirstError(batch, begin, end);
    if (error == end) return;
    if (!Redo(batch, begin, error)) return;
    begin = error + 1;
  }
}

bool PluginAgent::Call(const Batch& batch, size_t begin, size_t end) {
  caracal_batch call = {};
  call.struct_size = sizeof(call);
  call.feature_count = options_.feature_count;
  call.count = end - begin;
  call.events = reinterpret_cast<const caracal_event* const*>(batch.events.data() + begin);
  call.states = reinterpret_cast<void* const*>(batch.states.data() + begin);
  call.features = reinterpret_cast<const caracal_feature*>(batch.features.data()) +
                  begin * options_.feature_count;
  auto* verdicts = reinterpret_cast<caracal_verdict*>(batch.verdicts.data() + begin);
  char sentence[kMaxSentence];
  caracal_error error = {sizeof(sentence), 0, sentence};
  const int32_t result = options_.api->process(agent_, &call, verdicts, &error);
  if (result == 0) return true;
  std::fill(batch.verdicts.begin(), batch.verdicts.end(), Verdict{});
  const size_t size = std::min<size_t>(error.size, sizeof(sentence));
  Break(fmt::format("process returned {}{}{}", result, size > 0 ? ": " : "",
                    std::string_view(sentence, size)));
  return false;
}

bool PluginAgent::IsError(const caracal_verdict& verdict) const {
  return verdict.status != 0 || verdict.fired > 1 || (verdict.flags & ~kKnownFlags) != 0 ||
         (verdict.fired != 0 && verdict.reason >= options_.api->reason_count);
}

size_t PluginAgent::FirstError(const Batch& batch, size_t begin, size_t end) const {
  // Errors are rare: one pass without branches finds nothing nearly always. It is too strict only
  // about the reason of a verdict that did not fire.
  const uint64_t reason_overflow = kReasonEnd - options_.api->reason_count;
  uint64_t suspicious = 0;
  for (size_t i = begin; i < end; ++i) {
    const uint64_t judgement = JudgementOf(batch.verdicts[i]);
    const uint64_t reason = judgement % kReasonEnd;
    suspicious |= (judgement & kErrorBits) | ((reason + reason_overflow) & kReasonEnd);
  }
  if (suspicious == 0) return end;
  for (size_t i = begin; i < end; ++i) {
    if (IsError(Raw(batch.verdicts[i]))) return i;
  }
  return end;
}

bool PluginAgent::Redo(const Batch& batch, size_t begin, size_t error) {
  const caracal_verdict failed = Raw(batch.verdicts[error]);
  // They may hold anything, even a bool that is none: nobody else may see them.
  std::fill(batch.verdicts.begin() + begin, batch.verdicts.end(), Verdict{});
  if ((options_.api->flags & CARACAL_AGENT_NO_EVENT_ERRORS) != 0) {
    Break(fmt::format("it promises to have no errors with events, but {}", ErrorText(failed)));
    return false;
  }
  if (keeps_copies()) RestoreStates(batch, begin);
  if (error > begin) {
    if (!Call(batch, begin, error)) return false;
    if (FirstError(batch, begin, error) != error) {
      std::fill(batch.verdicts.begin(), batch.verdicts.end(), Verdict{});
      Break(
          "it judged the same events and states in two ways; an agent may depend on nothing else");
      return false;
    }
  }
  return PassOver(batch, error, failed);
}

void PluginAgent::SaveStates(const Batch& batch, size_t begin) {
  const size_t size = options_.state_size;
  copies_.resize(batch.states.size() * size);
  for (size_t i = begin; i < batch.states.size(); ++i) {
    std::memcpy(copies_.data() + i * size, batch.states[i], size);
  }
}

void PluginAgent::RestoreStates(const Batch& batch, size_t begin) {
  const size_t size = options_.state_size;
  for (size_t i = begin; i < batch.states.size(); ++i) {
    std::memcpy(batch.states[i], copies_.data() + i * size, size);
  }
}

bool PluginAgent::PassOver(const Batch& batch, size_t event, const caracal_verdict& verdict) {
  const std::string text = ErrorText(verdict);
  if (watch_ != nullptr) {
    watch_->NoteError(verdict.status != 0 ? PluginError::kEvent : PluginError::kVerdict, text);
  }
  if (options_.on_error == PluginErrorPolicy::kFail) {
    std::fill(batch.verdicts.begin(), batch.verdicts.end(), Verdict{});
    Stop(fmt::format("{}; mend the plugin, or set on_error: skip to judge such events without it",
                     text));
    return false;
  }
  batch.verdicts[event].flags = kFailed;
  return true;
}

std::string PluginAgent::ErrorText(const caracal_verdict& verdict) const {
  if (verdict.status != 0) return fmt::format("it had error {} with an event", verdict.status);
  if (verdict.fired > 1) return fmt::format("a verdict has fired = {}, not 0 or 1", verdict.fired);
  if ((verdict.flags & ~kKnownFlags) != 0) {
    return fmt::format("a verdict has the unknown flags {:#x}", verdict.flags & ~kKnownFlags);
  }
  return fmt::format("a verdict has reason {}, but there are {}", verdict.reason,
                     options_.api->reason_count);
}

void PluginAgent::Break(std::string_view reason) {
  if (watch_ != nullptr) watch_->NoteError(PluginError::kBroken, reason);
  Stop(reason);
}

void PluginAgent::Stop(std::string_view reason) {
  status_ = absl::InternalError(
      fmt::format("agent '{}' {}: {}", options_.api->name, options_.api->version, reason));
}

}  // namespace caracal::agents
