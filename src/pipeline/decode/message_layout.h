#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/decode/byte_range.h"
#include "pipeline/decode/message_plan.h"

namespace caracal::pipeline {

/// How a scalar may differ between messages of one layout.
enum class ScalarVariation : uint8_t {
  kDigits,  ///< the same length, nothing but digits differ
  kText,    ///< a string of the same length, of ASCII without escapes, spaces and '!'
  kAny,     ///< any scalar
};

/// A scalar of a message that may differ between messages of one layout.
struct LayoutScalar {
  /// Bytes of the token within the message, quotes included.
  uint32_t begin = 0;
  uint32_t end = 0;
  /// The first FieldSlot that needs it, kNoSlot = none.
  uint16_t slot = 0;
  ScalarVariation variation = ScalarVariation::kDigits;
};

/// A message layout learnt from messages that have passed the full parse: which bytes every message
/// has, where only digits or letters change, and where any scalar may stand.
///
/// A change stream repeats itself: names, punctuation, the schema block and most of `source` are
/// the same bytes in every message, ids and timestamps are numbers of the same length, codes are
/// texts of the same length. So most of a message is checked byte by byte against a range, sixteen
/// at a time, without looking for its structure. A message that fits has the same members in the
/// same order and valid scalars where they may differ (a digit in the place of a digit leaves every
/// scalar valid, but for a leading zero, which the range excludes; so does plain ASCII in the place
/// of the content of a string), hence it is a valid document with the same plan. This is why a
/// match can never change a result: what it accepts, the full parse accepts, with the same tokens.
///
/// Immutable but for Widen; one thread. Holds a copy of one message, padded.
class MessageLayout {
 public:
  static constexpr uint16_t kNoSlot = UINT16_MAX;

  /// `scalars` in document order, from CollectScalars.
  MessageLayout(std::string_view json, std::vector<LayoutScalar> scalars, const JsonTape& tape,
                const PlannedMessage& message);
  MessageLayout(const MessageLayout&) = delete;
  MessageLayout& operator=(const MessageLayout&) = delete;

  /// The message has this layout: all of `tokens` (one per FieldSlot) are then set, to views into
  /// `json` or into this layout. False leaves `tokens` in any state. `settled` = `tokens` are as a
  /// match of this layout has left them, so that those that never change need not be set again.
  bool Match(std::string_view json, std::span<JsonToken> tokens, bool settled) const;

  /// Loosens the scalars in which a message of this layout differs by more than they may. False
  /// when the message has another layout.
  bool Widen(std::string_view json, std::span<const LayoutScalar> scalars);

  const MessagePlan& plan() const { return plan_; }
  /// The message it was learnt from first: always one of this layout.
  std::string_view prototype() const { return prototype_; }
  /// Source schema and table are the same in all messages of the layout.
  bool has_one_table() const { return has_one_table_; }
  /// Scalars of any length, each of which has to be scanned: what a match costs.
  size_t any_scalars() const;

 private:
  /// A scalar of a run that a slot needs.
  struct Capture {
    uint16_t slot = kNoSlot;
    JsonKind kind = JsonKind::kAbsent;
    bool plain = true;
    /// From the start of the run; the token's text.
    uint32_t offset = 0;
    uint32_t size = 0;
  };
  /// How a run of bytes is compared.
  enum class Comparison : uint8_t {
    kShort,   ///< as kRanges, of at most one vector
    kRanges,  ///< each byte within its range
    kTexts,   ///< the same, and no backslash within texts
    kEqual,   ///< the same in every message: at once
  };
  /// What is tried first behind a run; any scalar may stand there whatever it is.
  enum class Expected : uint8_t {
    kNothing,  ///< no scalar of any length follows
    kInteger,
    kString,
    kOperation,  ///< and only one of a row may stand there
    kAny,
  };
  /// A run of bytes and the scalar of any length behind it.
  struct Step {
    /// Into ranges_; kEqual: into prototype_.
    uint32_t begin = 0;
    uint32_t size = 0;
    /// Bytes of the message that must be left for the quick way, which reads in vectors.
    uint32_t room = 0;
    /// Scalars of this run to capture.
    uint16_t captures = 0;
    /// That needs the scalar of any length; kNoSlot = none.
    uint16_t slot = kNoSlot;
    Comparison comparison = Comparison::kRanges;
    Expected scalar = Expected::kNothing;
    /// kInteger: the byte behind it.
    char terminator = '\0';
  };

  void Compile();
  void AddRun(uint32_t begin, uint32_t end, std::span<const LayoutScalar> steady);
  void AddStep(uint32_t begin, uint32_t end, bool equal, std::span<const LayoutScalar> steady);
  void AddRanges(uint32_t begin, uint32_t end);
  void AllowDigits(const LayoutScalar& scalar);
  void AllowText(const LayoutScalar& scalar);
  void AddScalar(const LayoutScalar& scalar);
  void AddCapture(const LayoutScalar& scalar, uint32_t run_begin);
  bool IsLiteral(const LayoutScalar& scalar) const;
  bool IsOfMessageOnly(uint16_t slot) const;
  bool IsSettled(uint16_t slot) const;
  /// How `mine` may differ once it has stood as `theirs` in `json`.
  ScalarVariation VariationWith(std::string_view json, const LayoutScalar& theirs,
                                const LayoutScalar& mine) const;
  bool MatchRun(const Step& step, const char* p) const;
  static const char* MatchScalar(const Step& step, const char* p, const char* end,
                                 JsonToken& token);
  const char* MatchNearEnd(const Step& step, const char* p, const char* end,
                           JsonToken& token) const;
  void SetSettledTokens(std::span<JsonToken> tokens) const;

  const std::string prototype_;
  std::vector<LayoutScalar> scalars_;
  const MessagePlan plan_;
  const size_t slot_count_;
  /// Per byte of the prototype how far above its low bound it may lie: 0 = that byte only.
  std::string lows_;
  std::string spans_;
  /// The same per step and vector; what is over accepts anything.
  std::vector<ByteRange> ranges_;
  std::vector<Step> steps_;
  std::vector<Capture> captures_;
  /// Slots whose token is the same in every message: absent ones, containers, fixed operations.
  std::vector<std::pair<uint16_t, JsonToken>> constant_slots_;
  /// The same for slots of scalars in which nothing may differ (any more).
  std::vector<std::pair<uint16_t, JsonToken>> literal_slots_;
  bool has_one_table_ = false;
  /// Slots that read the same scalar as another: (slot, other).
  std::vector<std::pair<uint16_t, uint16_t>> alias_slots_;
};

/// Appends the scalars of the message that may vary to `scalars`.
void CollectScalars(std::string_view json, const JsonTape& tape, const PlannedMessage& message,
                    std::vector<LayoutScalar>& scalars);

}  // namespace caracal::pipeline
