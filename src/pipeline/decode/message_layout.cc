#include "pipeline/decode/message_layout.h"

#include <algorithm>
#include <cstring>

#include "agents/api/check.h"
#include "pipeline/decode/json_scan.h"

namespace caracal::pipeline {
namespace {

/// Bytes compared at once, whatever the processor: the compiler splits or joins them.
using Vector = uint8_t __attribute__((vector_size(16)));
constexpr uint32_t kVectorBytes = sizeof(Vector);
/// Length from which comparing at once beats comparing with ranges.
constexpr uint32_t kLongLiteral = 128;

inline Vector Load(const char* from) {
  Vector bytes;
  std::memcpy(&bytes, from, sizeof(bytes));
  return bytes;
}

inline bool IsZero(Vector bytes) {
  uint64_t words[2];
  std::memcpy(words, &bytes, sizeof(words));
  return (words[0] | words[1]) == 0;
}

/// Not zero in the bytes that are above their range.
inline Vector Outside(const char* bytes, const char* low, const char* span) {
  const Vector above = Load(bytes) - Load(low);
  const Vector allowed = Load(span);
  // With SSE2 one instruction less than a comparison.
  return (above > allowed ? above : allowed) ^ allowed;
}

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
      scalars.push_back({begin, begin + size, slot, false});
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
  run_lows_.clear();
  run_spans_.clear();
  steps_.clear();
  captures_.clear();
  for (const LayoutScalar& scalar : scalars_) {
    if (!scalar.loose) AllowDigits(scalar);
  }
  size_t loose_slots = 0;
  uint32_t begin = 0;
  size_t first = 0;
  for (size_t i = 0; i < scalars_.size(); ++i) {
    if (!scalars_[i].loose) continue;
    AddRun(begin, scalars_[i].begin, std::span(scalars_).subspan(first, i - first));
    steps_.back().scalar = true;
    steps_.back().slot = scalars_[i].slot;
    loose_slots += scalars_[i].slot != kNoSlot;
    begin = scalars_[i].end;
    first = i + 1;
  }
  AddRun(begin, static_cast<uint32_t>(prototype_.size()), std::span(scalars_).subspan(first));
  // Every token is set by every match: none is ever left over from another message.
  CHECK(captures_.size() + loose_slots + constant_slots_.size() + alias_slots_.size() ==
        slot_count_);
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
    const std::string_view spans = Between(spans_, scalar.begin, scalar.end);
    if (spans.find_first_not_of('\0') == std::string_view::npos) continue;
    split_off(scalar.begin);
    literal = scalar.end;
  }
  split_off(end);
  AddStep(begin, end, false, steady);
}

void MessageLayout::AddStep(uint32_t begin, uint32_t end, bool literal,
                            std::span<const LayoutScalar> steady) {
  Step step;
  step.begin = static_cast<uint32_t>(run_lows_.size());
  step.size = end - begin;
  step.literal = literal;
  for (const LayoutScalar& scalar : steady) {
    if (scalar.slot != kNoSlot && scalar.begin >= begin && scalar.end <= end) {
      AddCapture(scalar, begin);
    }
  }
  step.captures_end = static_cast<uint32_t>(captures_.size());
  run_lows_.append(lows_, begin, step.size);
  run_spans_.append(spans_, begin, step.size);
  const size_t padded = (run_lows_.size() + kVectorBytes - 1) / kVectorBytes * kVectorBytes;
  run_lows_.resize(padded, '\0');
  run_spans_.resize(padded, '\xFF');
  steps_.push_back(step);
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

void MessageLayout::AddCapture(const LayoutScalar& scalar, uint32_t run_begin) {
  JsonToken token;
  const char* const begin = prototype_.data() + scalar.begin;
  CHECK(ScanScalar(begin, prototype_.data() + scalar.end, token) != nullptr);
  const auto offset = static_cast<uint32_t>(token.text.data() - prototype_.data()) - run_begin;
  captures_.push_back(
      {scalar.slot, offset, static_cast<uint32_t>(token.text.size()), token.kind, token.plain});
}

bool MessageLayout::MatchRun(const Step& step, const char* p, size_t left) const {
  if (left < step.size) return false;
  const char* const low = run_lows_.data() + step.begin;
  if (step.literal) return std::memcmp(p, low, step.size) == 0;
  const char* const span = run_spans_.data() + step.begin;
  if (step.size >= kVectorBytes) {
    Vector outside = {};
    const size_t last = step.size - kVectorBytes;
    for (size_t i = 0; i < last; i += kVectorBytes) outside |= Outside(p + i, low + i, span + i);
    // It overlaps the one before, so that nothing beyond the run is read.
    return IsZero(outside | Outside(p + last, low + last, span + last));
  }
  // Bytes beyond a short run are loaded with it and pass whatever they are.
  if (left >= kVectorBytes) return IsZero(Outside(p, low, span));
  for (size_t i = 0; i < step.size; ++i) {
    if (static_cast<uint8_t>(p[i] - low[i]) > static_cast<uint8_t>(span[i])) return false;
  }
  return true;
}

bool MessageLayout::Match(std::string_view json, std::span<JsonToken> tokens, bool settled) const {
  const char* p = json.data();
  const char* const end = p + json.size();
  JsonToken ignored;
  size_t captured = 0;
  for (const Step& step : steps_) {
    if (!MatchRun(step, p, static_cast<size_t>(end - p))) return false;
    for (; captured < step.captures_end; ++captured) {
      const Capture& capture = captures_[captured];
      scan::Set(tokens[capture.slot], {p + capture.offset, capture.size}, capture.kind,
                capture.plain);
    }
    p += step.size;
    if (!step.scalar) continue;
    JsonToken& token = step.slot == kNoSlot ? ignored : tokens[step.slot];
    p = ScanScalar(p, end, token);
    if (p == nullptr) return false;
    if (step.slot == kOperationSlot && !IsRowOperation(token)) return false;
  }
  if (p != end) return false;
  if (!settled) {
    for (const auto& [slot, token] : constant_slots_) tokens[slot] = token;
  }
  for (const auto& [slot, other] : alias_slots_) tokens[slot] = tokens[other];
  return true;
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
    if (!scalars_[i].loose) scalars_[i].loose = !Fits(json, scalars[i], scalars_[i]);
  }
  Compile();
  return true;
}

bool MessageLayout::Fits(std::string_view json, const LayoutScalar& theirs,
                         const LayoutScalar& mine) const {
  if (theirs.end - theirs.begin != mine.end - mine.begin) return false;
  for (uint32_t i = 0; i < mine.end - mine.begin; ++i) {
    const auto above = static_cast<uint8_t>(json[theirs.begin + i] - lows_[mine.begin + i]);
    if (above > static_cast<uint8_t>(spans_[mine.begin + i])) return false;
  }
  return true;
}

const MessageLayout* LayoutCache::Match(std::string_view json, std::span<JsonToken> tokens) {
  for (size_t i = 0; i < entries_.size(); ++i) {
    const MessageLayout* const layout = entries_[i].layout.get();
    if (!layout->Match(json, tokens, layout == settled_)) {
      settled_ = nullptr;
      continue;
    }
    settled_ = layout;
    CountHit(i);
    return layout;
  }
  settled_ = nullptr;
  if (++misses_ % kMissesPerCredit == 0) credit_ = std::min(credit_ + 1, kMaxCredit);
  return nullptr;
}

void LayoutCache::CountHit(size_t index) {
  ++entries_[index].hits;
  if (index > 0 && entries_[index].hits > entries_[index - 1].hits) {
    std::swap(entries_[index], entries_[index - 1]);
  }
  ++hits_;
  if (hits_ % kHitsPerCredit == 0) credit_ = std::min(credit_ + 1, kMaxCredit);
  if (hits_ % kHitsPerAging == 0) {
    for (Entry& entry : entries_) entry.hits /= 2;
  }
}

void LayoutCache::Learn(std::string_view json, const JsonTape& tape,
                        const PlannedMessage& message) {
  if (max_layouts_ == 0 || credit_ == 0 || json.size() > kMaxMessageBytes) return;
  --credit_;
  scalars_.clear();
  CollectScalars(json, tape, message, scalars_);
  if (scalars_.size() > kMaxScalars) return;
  for (Entry& entry : entries_) {
    if (entry.layout->Widen(json, scalars_)) return;
  }
  if (entries_.size() == max_layouts_) entries_.pop_back();
  entries_.push_back({std::make_unique<MessageLayout>(json, scalars_, tape, message), 0});
}

}  // namespace caracal::pipeline
