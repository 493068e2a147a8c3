#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace caracal::agents {

/// How an observed value is stored in a Verdict slot and rendered in an alert.
enum class ValueKind : uint8_t {
  kInteger,   ///< int64, rendered as a JSON number: 6
  kMoney,     ///< int64 minor units, rendered as a JSON string in the stream's scale: "4720.15"
  kMicros,    ///< int64 microseconds, rendered as JSON seconds without trailing zeros: 60, 0.5
  kReal,      ///< IEEE double, bit-cast; rendered with three decimals: 3.142
  kCode,      ///< up to 8 ASCII bytes, first byte lowest, zero padded; a JSON string: "FR"
  kConstant,  ///< not a slot: the same JSON text for every verdict of the rule
};

/// Observed values a rule may report per event.
inline constexpr size_t kMaxObserved = 6;

/// Bits of Verdict::flags.
enum VerdictFlag : uint8_t {
  /// The window was at capacity: observed counts and sums are lower bounds (`at_least`).
  kAtLeast = 1U << 0,
  /// The event is older than the rule's window: it changed nothing and raised nothing.
  kLate = 1U << 1,
  /// The agent had nothing to judge (no location, no amount, too little history).
  kInactive = 1U << 2,
  /// The agent had an error with the event: its state is as before, the verdict says nothing else.
  kFailed = 1U << 3,
};

/// What a rule says of one event. Plain bytes; the host zeroes it before each call.
struct Verdict {
  /// One value per slot of the rule's observed fields; meaning given by ObservedField::kind.
  std::array<int64_t, kMaxObserved> observed = {};
  /// Index into AgentInfo::reasons; meaningful only when fired.
  uint16_t reason = 0;
  bool fired = false;
  uint8_t flags = 0;
  /// A plugin's own code of an error with the event, on its way to the host that checks it; 0 for
  /// everybody else.
  int32_t status = 0;
};

/// One entry of an alert's `observed` object.
struct ObservedField {
  std::string name;
  ValueKind kind = ValueKind::kInteger;
  /// Index into Verdict::observed; unused for kConstant.
  uint8_t slot = 0;
  /// JSON text, for kConstant only.
  std::string constant_json = {};
};

}  // namespace caracal::agents
