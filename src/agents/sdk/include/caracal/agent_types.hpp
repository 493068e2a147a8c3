#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <caracal/agent_abi.h>

/// What an agent written in C++ is given and gives; include caracal/agent.hpp.
namespace caracal {

using Reason = caracal_reason;
using Observed = caracal_observed;

/// An event, read through views. Valid inside Judge only.
class Event {
 public:
  /// `features`: those of this event; may be null when the rule asked for none.
  explicit Event(const caracal_event& raw, const caracal_feature* features = nullptr)
      : raw_(raw), features_(features) {}

  std::string_view key() const { return View(raw_.key); }
  std::string_view account() const { return View(raw_.account); }
  std::string_view id() const { return View(raw_.id); }
  std::string_view currency() const { return View(raw_.currency); }
  /// data() == nullptr means SQL NULL or absent. `slot` comes from Rule::AttributeSlot.
  std::string_view attribute(uint32_t slot) const { return View(raw_.attributes[slot]); }
  bool has_amount() const { return raw_.has_amount != 0; }
  int64_t amount() const { return raw_.amount; }  ///< minor units
  int64_t time_us() const { return raw_.event_time_us; }
  bool has_location() const { return raw_.has_location != 0; }
  int32_t latitude_udeg() const { return raw_.latitude_udeg; }
  int32_t longitude_udeg() const { return raw_.longitude_udeg; }
  /// A value of an earlier rule; nullopt when that rule did not see the event or had nothing to
  /// judge. `index` comes from Rule::Feature.
  std::optional<int64_t> feature(uint32_t index) const {
    const caracal_feature& feature = features_[index];
    return feature.is_present != 0 ? std::optional<int64_t>(feature.value) : std::nullopt;
  }
  /// The same for a value of kind CARACAL_REAL.
  std::optional<double> real_feature(uint32_t index) const {
    const std::optional<int64_t> bits = feature(index);
    if (!bits.has_value()) return std::nullopt;
    double value;
    std::memcpy(&value, &*bits, sizeof(value));
    return value;
  }
  const caracal_event& raw() const { return raw_; }

 private:
  static std::string_view View(const caracal_text& text) { return {text.data, text.size}; }

  const caracal_event& raw_;
  const caracal_feature* features_;
};

/// What the agent says of one event.
class Verdict {
 public:
  explicit Verdict(caracal_verdict& raw) : raw_(raw) {}

  /// `reason` is an index into kReasons.
  void Raise(uint16_t reason) {
    raw_.fired = 1;
    raw_.reason = reason;
  }
  void Observe(size_t slot, int64_t value) { raw_.observed[slot] = value; }
  void ObserveReal(size_t slot, double value) {
    std::memcpy(&raw_.observed[slot], &value, sizeof(value));
  }
  void MarkAtLeast() { raw_.flags |= CARACAL_AT_LEAST; }
  void MarkLate() { raw_.flags |= CARACAL_LATE; }
  void MarkInactive() { raw_.flags |= CARACAL_INACTIVE; }
  /// An error with this event; `code` is not 0. Not for an agent whose Judge is noexcept.
  void Fail(int32_t code) { raw_.status = code; }

 private:
  caracal_verdict& raw_;
};

/// The events of one call, for an agent that judges them together (JudgeBatch). Valid inside
/// JudgeBatch only.
class Batch {
 public:
  Batch(const caracal_batch& raw, caracal_verdict* verdicts) : raw_(raw), verdicts_(verdicts) {}

  /// At least 1.
  size_t size() const { return raw_.count; }
  /// In the order of the log.
  Event event(size_t i) const {
    return Event(*raw_.events[i], raw_.features + i * raw_.feature_count);
  }
  Verdict verdict(size_t i) const { return Verdict(verdicts_[i]); }
  /// Of the event's key. Several events may have one.
  template <typename State>
  State& state(size_t i) const {
    return *static_cast<State*>(raw_.states[i]);
  }

 private:
  const caracal_batch& raw_;
  caracal_verdict* verdicts_;
};

/// Counts something for people to read: caracal_plugin_events_total{agent,counter}. Replayed and
/// repeated events count again. Copyable; any thread.
class Counter {
 public:
  Counter(const caracal_host& host, int32_t counter) : host_(&host), counter_(counter) {}
  void Add(uint64_t amount = 1) const noexcept { host_->count(host_, counter_, amount); }

 private:
  const caracal_host* host_;
  int32_t counter_;
};

/// A rule's parameters and stream. Valid inside the constructor only; copy what is kept.
class Rule {
 public:
  Rule(const caracal_host& host, const caracal_rule& raw) : host_(host), raw_(raw) {}

  bool Has(const char* path) const {
    caracal_parameter value;
    return host_.parameter(&raw_, path, &value) == 0;
  }
  /// Each throws std::invalid_argument when the parameter is absent or of another type.
  bool Bool(const char* path) const { return Get(path, CARACAL_PARAMETER_BOOL).number != 0; }
  int64_t Integer(const char* path) const { return Get(path, CARACAL_PARAMETER_INTEGER).number; }
  /// A parameter of type number.
  double Real(const char* path) const {
    const caracal_parameter value = Get(path, CARACAL_PARAMETER_DECIMAL);
    double divisor = 1;
    for (uint32_t i = 0; i < value.scale; ++i) divisor *= 10;
    return static_cast<double>(value.number) / divisor;
  }
  /// Of a file: its path.
  std::string Text(const char* path) const {
    const caracal_parameter value = Get(path, CARACAL_PARAMETER_TEXT);
    return {value.texts->data, value.texts->size};
  }
  std::vector<std::string> Texts(const char* path) const {
    const caracal_parameter value = Get(path, CARACAL_PARAMETER_TEXTS);
    std::vector<std::string> texts;
    for (uint64_t i = 0; i < value.count; ++i) {
      texts.emplace_back(value.texts[i].data, value.texts[i].size);
    }
    return texts;
  }
  /// The bytes of a file that a parameter of format "file" names; `index`: of the file in an array.
  /// Valid inside the constructor only. Throws std::invalid_argument when the parameter names no
  /// such file, or it cannot be read.
  std::string_view File(const char* path, uint64_t index = 0) const {
    caracal_text content = {};
    CheckFile(path, host_.file(&raw_, path, index, &content, nullptr));
    return {content.data, content.size};
  }
  /// The SHA-256 of these bytes, 64 lower-case hex digits; the file is not read.
  std::string FileSha256(const char* path, uint64_t index = 0) const {
    caracal_text sha256 = {};
    CheckFile(path, host_.file(&raw_, path, index, nullptr, &sha256));
    return {sha256.data, sha256.size};
  }
  /// All parameters as a JSON object.
  std::string_view Json() const { return {raw_.parameters_json.data, raw_.parameters_json.size}; }

  /// nullopt when the stream does not map the attribute.
  std::optional<uint32_t> FindAttribute(const char* name) const {
    const int32_t slot = host_.attribute_slot(&raw_, name);
    return slot < 0 ? std::nullopt : std::optional<uint32_t>(static_cast<uint32_t>(slot));
  }
  /// Throws std::invalid_argument when the stream does not map it.
  uint32_t AttributeSlot(const std::string& name) const {
    const std::optional<uint32_t> slot = FindAttribute(name.c_str());
    if (slot.has_value()) return *slot;
    throw std::invalid_argument("stream '" + std::string(raw_.topic.data, raw_.topic.size) +
                                "' maps no attribute '" + name +
                                "'; map it under the stream's fields or use another one");
  }
  /// Asks for a value of an earlier rule of the ruleset, "rule_id.value"; the index is for
  /// Event::feature. Throws std::invalid_argument when there is none.
  uint32_t Feature(const std::string& name) const {
    uint32_t kind;
    return Feature(name, kind);
  }
  /// The same; `kind` becomes that of the value (enum caracal_value_kind).
  uint32_t Feature(const std::string& name, uint32_t& kind) const {
    const int32_t index = host_.feature(&raw_, name.c_str(), &kind);
    if (index >= 0) return static_cast<uint32_t>(index);
    throw std::invalid_argument("no earlier rule observes '" + name + "'");
  }
  /// Lower-case letters, digits and '_'; the same name is the same counter in all agents of the
  /// library. Throws std::invalid_argument for another name, or more than CARACAL_COUNTERS_MAX.
  caracal::Counter Counter(const std::string& name) const {
    const int32_t counter = host_.counter(&host_, name.c_str());
    if (counter >= 0) return {host_, counter};
    throw std::invalid_argument("there can be no counter '" + name + "'");
  }
  uint32_t amount_scale() const { return raw_.amount_scale; }
  bool has_amount() const { return raw_.has_amount != 0; }
  bool has_location() const { return raw_.has_location != 0; }

 private:
  static void CheckFile(const char* path, int32_t result) {
    if (result == 0) return;
    throw std::invalid_argument(std::string(path) +
                                (result == 1 ? ": names no such file" : ": cannot be read"));
  }
  caracal_parameter Get(const char* path, uint32_t type) const {
    caracal_parameter value;
    if (host_.parameter(&raw_, path, &value) != 0) {
      throw std::invalid_argument(std::string(path) + ": is needed");
    }
    if (value.type != type) throw std::invalid_argument(std::string(path) + ": has another type");
    return value;
  }

  const caracal_host& host_;
  const caracal_rule& raw_;
};

}  // namespace caracal
