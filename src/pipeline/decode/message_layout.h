#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/decode/message_plan.h"

namespace caracal::pipeline {

/// A scalar of a message that may differ between messages of one layout.
struct LayoutScalar {
  /// Bytes of the token within the message, quotes included.
  uint32_t begin = 0;
  uint32_t end = 0;
  /// The first FieldSlot that needs it, kNoSlot = none.
  uint16_t slot = 0;
  /// Any scalar may stand here; else one of the same length that differs in nothing but digits.
  bool loose = false;
};

/// A message layout learnt from messages that have passed the full parse: which bytes every message
/// has, where only digits change, and where any scalar may stand.
///
/// A change stream repeats itself: names, punctuation, the schema block and most of `source` are
/// the same bytes in every message, and ids and timestamps are numbers of the same length. So most
/// of a message is checked byte by byte against a range, sixteen at a time, without looking for its
/// structure. A message that fits has the same members in the same order and valid scalars where
/// they may differ (a digit in the place of a digit leaves every scalar valid, but for a leading
/// zero, which the range excludes), hence it is a valid document with the same plan. This is why a
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

  /// Loosens the scalars in which a message of this layout differs by more than digits. False when
  /// the message has another layout.
  bool Widen(std::string_view json, std::span<const LayoutScalar> scalars);

  const MessagePlan& plan() const { return plan_; }

 private:
  /// A scalar of a run that a slot needs.
  struct Capture {
    uint16_t slot = kNoSlot;
    /// From the start of the run; the token's text.
    uint32_t offset = 0;
    uint32_t size = 0;
    JsonKind kind = JsonKind::kAbsent;
    bool plain = true;
  };
  /// A run of bytes, each within its range, and the loose scalar behind it.
  struct Step {
    /// Into ranges_; padded there to whole vectors.
    uint32_t begin = 0;
    uint32_t size = 0;
    /// The run is the same in every message: compared at once.
    bool literal = false;
    /// A loose scalar follows, for this slot.
    bool scalar = false;
    uint16_t slot = kNoSlot;
    /// Captures of this run: those from the previous step's end to here.
    uint32_t captures_end = 0;
  };

  void Compile();
  void AddRun(uint32_t begin, uint32_t end, std::span<const LayoutScalar> steady);
  void AddStep(uint32_t begin, uint32_t end, bool literal, std::span<const LayoutScalar> steady);
  void AllowDigits(const LayoutScalar& scalar);
  void AddCapture(const LayoutScalar& scalar, uint32_t run_begin);
  /// Whether a scalar of another message is within the ranges of this layout's.
  bool Fits(std::string_view json, const LayoutScalar& theirs, const LayoutScalar& mine) const;
  bool MatchRun(const Step& step, const char* p, size_t left) const;

  const std::string prototype_;
  std::vector<LayoutScalar> scalars_;
  const MessagePlan plan_;
  const size_t slot_count_;
  /// Per byte of the prototype how far above its low bound it may lie: 0 = that byte only.
  std::string lows_;
  std::string spans_;
  /// The same per step, padded with bytes that accept anything.
  std::string run_lows_;
  std::string run_spans_;
  std::vector<Step> steps_;
  std::vector<Capture> captures_;
  /// Slots whose token is the same in every message: absent ones, containers, fixed operations.
  std::vector<std::pair<uint16_t, JsonToken>> constant_slots_;
  /// Slots that read the same scalar as another: (slot, other).
  std::vector<std::pair<uint16_t, uint16_t>> alias_slots_;
};

/// Appends the scalars of the message that may vary to `scalars`.
void CollectScalars(std::string_view json, const JsonTape& tape, const PlannedMessage& message,
                    std::vector<LayoutScalar>& scalars);

/// Remembers the layouts of a stream, the most frequent first.
///
/// One thread; owned by the MessageReader. Limits: `max_layouts` layouts of at most
/// kMaxMessageBytes each; the rarest gives way to a new one. Learning is rationed, so that a stream
/// without layouts (or an attacker) pays for the full parse only.
class LayoutCache {
 public:
  static constexpr size_t kMaxMessageBytes = 64 * 1024;
  static constexpr size_t kMaxScalars = 1024;

  explicit LayoutCache(size_t max_layouts) : max_layouts_(max_layouts) {}

  /// The layout of `json`, with `tokens` set as by MessageLayout::Match; nullptr when none fits. It
  /// is valid until the next Learn. `tokens` are always the same ones, and only a caller that got
  /// nullptr changes them.
  const MessageLayout* Match(std::string_view json, std::span<JsonToken> tokens);
  /// Takes a message that has passed the full parse.
  void Learn(std::string_view json, const JsonTape& tape, const PlannedMessage& message);

 private:
  struct Entry {
    std::unique_ptr<MessageLayout> layout;
    uint32_t hits = 0;
  };
  static constexpr int kMaxCredit = 64;
  static constexpr uint32_t kHitsPerCredit = 32;
  static constexpr uint32_t kMissesPerCredit = 4096;
  static constexpr uint32_t kHitsPerAging = 1 << 16;

  void CountHit(size_t index);

  const size_t max_layouts_;
  std::vector<Entry> entries_;
  std::vector<LayoutScalar> scalars_;
  /// The layout that has matched last, without a failed try since.
  const MessageLayout* settled_ = nullptr;
  int credit_ = kMaxCredit;
  uint32_t hits_ = 0;
  uint32_t misses_ = 0;
};

}  // namespace caracal::pipeline
