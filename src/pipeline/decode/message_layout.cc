#include "pipeline/decode/message_layout.h"

#include <algorithm>
#include <cstring>

#include "agents/api/check.h"
#include "pipeline/decode/byte_range.h"
#include "pipeline/decode/json_scan.h"

namespace caracal::pipeline {
namespace {

/// Length from which comparing at once beats comparing with ranges.
constexpr uint32_t kLongLiteral = 128;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// An operation whose row is `after`: these share one plan.
bool IsRowOperation(const JsonToken& token) {
  return token.kind == JsonKind::kString && token.text.size() == 1 &&
         (token.text[0] == 'c' || token.text[0] == 'r' || token.text[0] == 'u');
}

bool IsContainer(JsonKind kind) { return kind == JsonKind::kObject || kind == JsonKind::kArray; }

/// The first slot that reads the node.
uint16_t SlotOf(uint32_t node, const PlannedMessage& message) {
  const auto& nodes = message.slot_nodes;
  const auto found = std::find(nodes.begin(), nodes.end(), node);
  return found == nodes.end() ? MessageLayout::kNoSlot
                              : static_cast<uint16_t>(found - nodes.begin());
}

/// Values the plan depends on, and all they contain, stay literal.
bool IsFixed(uint32_t node, const JsonTape& tape, const PlannedMessage& message) {
  const auto& fixed = message.fixed_nodes;
  if (std::find(fixed.begin(), fixed.end(), node) != fixed.end()) return true;
  return node == message.slot_nodes[kOperationSlot] && !IsRowOperation(tape.node(node).token);
}

std::string_view Between(std::string_view json, size_t begin, size_t end) {
  return json.substr(begin, end - begin);
}

/// A string of bytes that may stand for each other.
bool IsSimpleText(std::string_view token) {
  if (token.front() != '"') return false;
  const std::string_view text = token.substr(1, token.size() - 2);
  return std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<uint8_t>(c - kTextLow) <= kTextSpan && c != '\\';
  });
}

}  // namespace

void CollectScalars(std::string_view json, const JsonTape& tape, const PlannedMessage& message,
                    std::vector<LayoutScalar>& scalars) {
  uint32_t node = 0;
  while (node < tape.nodes().size()) {
    const JsonToken& token = tape.node(node).token;
    if (IsFixed(node, tape, message)) {
      node = tape.node(node).next;
      continue;
    }
    if (!IsContainer(token.kind)) {
      const uint32_t quote = token.kind == JsonKind::kString ? 1 : 0;
      const auto begin = static_cast<uint32_t>(token.text.data() - json.data()) - quote;
      const auto size = static_cast<uint32_t>(token.text.size()) + 2 * quote;
      const uint16_t slot = SlotOf(node, message);
      scalars.push_back({begin, begin + size, slot, ScalarVariation::kDigits});
    }
    ++node;
  }
}

MessageLayout::MessageLayout(std::string_view json, std::vector<LayoutScalar> scalars,
                             const JsonTape& tape, const PlannedMessage& message)
    : prototype_(json),
      scalars_(std::move(scalars)),
      plan_(message.plan),
      slot_count_(message.slot_nodes.size()) {
  for (size_t i = 0; i < message.slot_nodes.size(); ++i) {
    const auto slot = static_cast<uint16_t>(i);
    const uint32_t node = message.slot_nodes[slot];
    JsonToken token = tape.Token(node);
    if (node == JsonTape::kNone || IsContainer(token.kind) || IsFixed(node, tape, message)) {
      if (!token.text.empty()) {
        token.text =
            std::string_view(prototype_)
                .substr(static_cast<size_t>(token.text.data() - json.data()), token.text.size());
      }
      constant_slots_.emplace_back(slot, token);
    } else if (const uint16_t first = SlotOf(node, message); first != slot) {
      alias_slots_.emplace_back(slot, first);
    }
  }
  Compile();
}

void MessageLayout::Compile() {
  lows_ = prototype_;
  spans_.assign(prototype_.size(), '\0');
  ranges_.clear();
  steps_.clear();
  captures_.clear();
  literal_slots_.clear();
  for (const LayoutScalar& scalar : scalars_) {
    if (scalar.variation == ScalarVariation::kDigits) AllowDigits(scalar);
    if (scalar.variation == ScalarVariation::kText) AllowText(scalar);
  }
  size_t any_slots = 0;
  uint32_t begin = 0;
  size_t first = 0;
  for (size_t i = 0; i < scalars_.size(); ++i) {
    if (scalars_[i].variation != ScalarVariation::kAny) continue;
    AddRun(begin, scalars_[i].begin, std::span(scalars_).subspan(first, i - first));
    AddScalar(scalars_[i]);
    any_slots += scalars_[i].slot != kNoSlot;
    begin = scalars_[i].end;
    first = i + 1;
  }
  AddRun(begin, static_cast<uint32_t>(prototype_.size()), std::span(scalars_).subspan(first));
  has_one_table_ = IsSettled(kSourceSchemaSlot) && IsSettled(kSourceTableSlot);
  // Every token is set by every match: none is ever left over from another message.
  const size_t settled_slots = constant_slots_.size() + literal_slots_.size();
  CHECK(captures_.size() + any_slots + settled_slots + alias_slots_.size() == slot_count_);
}

/// A scalar of any length behind the last run, and what it will probably be.
void MessageLayout::AddScalar(const LayoutScalar& scalar) {
  const std::string_view token = Between(prototype_, scalar.begin, scalar.end);
  Step& step = steps_.back();
  step.slot = scalar.slot;
  // A quote, a vector, and the byte behind.
  step.room = std::max(step.room, step.size + kVectorBytes + 2);
  step.scalar = Expected::kAny;
  if (token.front() == '"') step.scalar = Expected::kString;
  if (scalar.slot == kOperationSlot) step.scalar = Expected::kOperation;
  if (scalar.end == prototype_.size() || !std::all_of(token.begin(), token.end(), IsDigit)) return;
  step.scalar = Expected::kInteger;
  step.terminator = prototype_[scalar.end];
}

/// Splits off what is literal and long, such as a schema block; never within a scalar.
void MessageLayout::AddRun(uint32_t begin, uint32_t end, std::span<const LayoutScalar> steady) {
  uint32_t literal = begin;
  const auto split_off = [&](uint32_t literal_end) {
    if (literal_end - literal < kLongLiteral) return;
    if (literal > begin) AddStep(begin, literal, false, steady);
    AddStep(literal, literal_end, true, steady);
    begin = literal_end;
  };
  for (const LayoutScalar& scalar : steady) {
    if (IsLiteral(scalar)) continue;
    split_off(scalar.begin);
    literal = scalar.end;
  }
  split_off(end);
  AddStep(begin, end, false, steady);
}

void MessageLayout::AddStep(uint32_t begin, uint32_t end, bool equal,
                            std::span<const LayoutScalar> steady) {
  Step step;
  step.size = end - begin;
  const size_t first_capture = captures_.size();
  for (const LayoutScalar& scalar : steady) {
    if (scalar.slot != kNoSlot && scalar.begin >= begin && scalar.end <= end) {
      AddCapture(scalar, begin);
    }
  }
  step.captures = static_cast<uint16_t>(captures_.size() - first_capture);
  if (equal) {
    step.comparison = Comparison::kEqual;
    step.begin = begin;
  } else {
    const bool texts =
        Between(spans_, begin, end).find(static_cast<char>(kTextSpan)) != std::string_view::npos;
    step.comparison = step.size > kVectorBytes ? Comparison::kRanges : Comparison::kShort;
    if (texts) step.comparison = Comparison::kTexts;
    step.begin = static_cast<uint32_t>(ranges_.size());
    AddRanges(begin, end);
  }
  step.room = std::max(step.size, kVectorBytes);
  steps_.push_back(step);
}

/// As AreWithin loads them: vector by vector, the last one up to the end of the run.
void MessageLayout::AddRanges(uint32_t begin, uint32_t end) {
  const uint32_t last = end - begin > kVectorBytes ? end - kVectorBytes : begin;
  for (uint32_t at = begin;; at = std::min(at + kVectorBytes, last)) {
    const size_t count = std::min(kVectorBytes, end - at);
    ByteRange range = {ByteVector{}, ByteVector{} + uint8_t{0xFF}};
    std::memcpy(&range.low, lows_.data() + at, count);
    std::memcpy(&range.span, spans_.data() + at, count);
    ranges_.push_back(range);
    if (at == last) return;
  }
}

void MessageLayout::AllowDigits(const LayoutScalar& scalar) {
  for (uint32_t i = scalar.begin; i < scalar.end; ++i) {
    if (!IsDigit(prototype_[i])) continue;
    lows_[i] = '0';
    spans_[i] = 9;
  }
  // The first of several integer digits of a number is never 0.
  const uint32_t first = scalar.begin + (prototype_[scalar.begin] == '-' ? 1 : 0);
  if (!IsDigit(prototype_[first]) || first + 1 >= scalar.end) return;
  if (!IsDigit(prototype_[first + 1])) return;
  lows_[first] = '1';
  spans_[first] = 8;
}

void MessageLayout::AllowText(const LayoutScalar& scalar) {
  for (uint32_t i = scalar.begin + 1; i + 1 < scalar.end; ++i) {
    lows_[i] = kTextLow;
    spans_[i] = static_cast<char>(kTextSpan);
  }
}

void MessageLayout::AddCapture(const LayoutScalar& scalar, uint32_t run_begin) {
  JsonToken token;
  const char* const begin = prototype_.data() + scalar.begin;
  CHECK(ScanScalar(begin, prototype_.data() + scalar.end, token) != nullptr);
  if (IsLiteral(scalar) && IsOfMessageOnly(scalar.slot)) {
    literal_slots_.emplace_back(scalar.slot, token);
    return;
  }
  const auto offset = static_cast<uint32_t>(token.text.data() - prototype_.data()) - run_begin;
  captures_.push_back(
      {scalar.slot, token.kind, token.plain, offset, static_cast<uint32_t>(token.text.size())});
}

/// Nothing of the scalar may differ.
bool MessageLayout::IsLiteral(const LayoutScalar& scalar) const {
  const std::string_view spans = Between(spans_, scalar.begin, scalar.end);
  return spans.find_first_not_of('\0') == std::string_view::npos;
}

/// No event points to the text of the slot, so that it may be this layout's own.
bool MessageLayout::IsOfMessageOnly(uint16_t slot) const {
  if (slot > kSourceTableSlot) return false;
  return std::none_of(alias_slots_.begin(), alias_slots_.end(),
                      [&](const auto& alias) { return alias.second == slot; });
}

/// The token of the slot is the same in every message.
bool MessageLayout::IsSettled(uint16_t slot) const {
  const auto reads = [slot](const auto& entry) { return entry.first == slot; };
  return std::any_of(constant_slots_.begin(), constant_slots_.end(), reads) ||
         std::any_of(literal_slots_.begin(), literal_slots_.end(), reads);
}

[[gnu::always_inline]] inline bool MessageLayout::MatchRun(const Step& step, const char* p) const {
  switch (step.comparison) {
    case Comparison::kShort:
      return IsZero(Outside<false>(p, ranges_[step.begin]));
    case Comparison::kRanges:
      return AreWithin<false>(&ranges_[step.begin], p, step.size);
    case Comparison::kTexts:
      if (step.size < kVectorBytes) return IsZero(Outside<true>(p, ranges_[step.begin]));
      return AreWithin<true>(&ranges_[step.begin], p, step.size);
    case Comparison::kEqual:
      break;
  }
  return std::memcmp(p, prototype_.data() + step.begin, step.size) == 0;
}

/// The byte behind the scalar, nullptr when none fits; there is room.
[[gnu::always_inline]] inline const char* MessageLayout::MatchScalar(const Step& step,
                                                                     const char* p, const char* end,
                                                                     JsonToken& token) {
  const char* scalar_end = nullptr;
  if (step.scalar == Expected::kInteger) {
    scalar_end = scan::ScanLikelyInteger(p, step.terminator, token);
  } else if (step.scalar == Expected::kString) {
    scalar_end = scan::ScanLikelyString(p, token);
  }
  if (scalar_end != nullptr) return scalar_end;
  scalar_end = ScanScalar(p, end, token);
  if (scalar_end == nullptr || step.scalar != Expected::kOperation) return scalar_end;
  return IsRowOperation(token) ? scalar_end : nullptr;
}

/// A step that nothing may be read for beyond the end of the message. The byte behind what it
/// matches, nullptr when it does not.
[[gnu::noinline]] const char* MessageLayout::MatchNearEnd(const Step& step, const char* p,
                                                          const char* end, JsonToken& token) const {
  const auto left = static_cast<size_t>(end - p);
  if (left < step.size) return nullptr;
  const bool is_short = step.comparison != Comparison::kEqual && step.size < kVectorBytes;
  if (is_short) {
    const bool fits = step.comparison == Comparison::kTexts
                          ? AreFewWithin<true>(ranges_[step.begin], p, step.size)
                          : AreFewWithin<false>(ranges_[step.begin], p, step.size);
    if (!fits) return nullptr;
  } else if (!MatchRun(step, p)) {
    return nullptr;
  }
  p += step.size;
  if (step.scalar == Expected::kNothing) return p;
  const char* const scalar_end = ScanScalar(p, end, token);
  if (scalar_end == nullptr || step.scalar != Expected::kOperation) return scalar_end;
  return IsRowOperation(token) ? scalar_end : nullptr;
}

bool MessageLayout::Match(std::string_view json, std::span<JsonToken> tokens, bool settled) const {
  const char* p = json.data();
  const char* const end = p + json.size();
  JsonToken ignored;
  const Capture* capture = captures_.data();
  for (const Step& step : steps_) {
    const char* const run = p;
    JsonToken& token = step.slot == kNoSlot ? ignored : tokens[step.slot];
    if (end - p < ptrdiff_t{step.room}) [[unlikely]] {
      p = MatchNearEnd(step, p, end, token);
      if (p == nullptr) return false;
    } else {
      if (!MatchRun(step, p)) return false;
      p += step.size;
      if (step.scalar != Expected::kNothing) p = MatchScalar(step, p, end, token);
      if (p == nullptr) return false;
    }
    for (uint32_t left = step.captures; left > 0; --left, ++capture) {
      scan::Set(tokens[capture->slot], {run + capture->offset, capture->size}, capture->kind,
                capture->plain);
    }
  }
  if (p != end) return false;
  if (!settled) SetSettledTokens(tokens);
  for (const auto& [slot, other] : alias_slots_) tokens[slot] = tokens[other];
  return true;
}

/// Those that are the same in every message.
void MessageLayout::SetSettledTokens(std::span<JsonToken> tokens) const {
  for (const auto& [slot, token] : constant_slots_) tokens[slot] = token;
  for (const auto& [slot, token] : literal_slots_) tokens[slot] = token;
}

bool MessageLayout::Widen(std::string_view json, std::span<const LayoutScalar> scalars) {
  if (scalars.size() != scalars_.size()) return false;
  size_t mine = 0;
  size_t theirs = 0;
  for (size_t i = 0; i < scalars.size(); ++i) {
    if (scalars[i].slot != scalars_[i].slot) return false;
    if (Between(prototype_, mine, scalars_[i].begin) != Between(json, theirs, scalars[i].begin)) {
      return false;
    }
    mine = scalars_[i].end;
    theirs = scalars[i].end;
  }
  if (std::string_view(prototype_).substr(mine) != json.substr(theirs)) return false;
  for (size_t i = 0; i < scalars.size(); ++i) {
    scalars_[i].variation = VariationWith(json, scalars[i], scalars_[i]);
  }
  Compile();
  return true;
}

ScalarVariation MessageLayout::VariationWith(std::string_view json, const LayoutScalar& theirs,
                                             const LayoutScalar& mine) const {
  const std::string_view their_token = Between(json, theirs.begin, theirs.end);
  const std::string_view token = Between(prototype_, mine.begin, mine.end);
  if (mine.variation == ScalarVariation::kAny || their_token.size() != token.size()) {
    return ScalarVariation::kAny;
  }
  bool fits = true;
  for (size_t i = 0; i < token.size(); ++i) {
    const auto above = static_cast<uint8_t>(their_token[i] - lows_[mine.begin + i]);
    fits = fits && above <= static_cast<uint8_t>(spans_[mine.begin + i]);
  }
  if (fits && mine.variation == ScalarVariation::kDigits) return ScalarVariation::kDigits;
  // Operations of one plan are told from the others by a look at the token.
  const bool texts =
      mine.slot != kOperationSlot && IsSimpleText(token) && IsSimpleText(their_token);
  return texts ? ScalarVariation::kText : ScalarVariation::kAny;
}

size_t MessageLayout::any_scalars() const {
  return static_cast<size_t>(std::count_if(
      scalars_.begin(), scalars_.end(),
      [](const LayoutScalar& scalar) { return scalar.variation == ScalarVariation::kAny; }));
}

}  // namespace caracal::pipeline
