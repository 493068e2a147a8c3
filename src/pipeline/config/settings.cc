#include "pipeline/config/settings.h"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "agents/api/check.h"
#include "agents/api/parameters.h"
#include "agents/api/status_macros.h"
#include "pipeline/config/suggestion.h"
#include "pipeline/config/text_form.h"

namespace caracal::pipeline {
namespace {

struct ByteUnit {
  std::string_view name;
  int64_t bytes;
};

// Binary units largest first: the order in which FormatByteSize tries them.
constexpr std::array<ByteUnit, 9> kByteUnits = {{{"TiB", int64_t{1} << 40},
                                                 {"GiB", int64_t{1} << 30},
                                                 {"MiB", int64_t{1} << 20},
                                                 {"KiB", int64_t{1} << 10},
                                                 {"B", 1},
                                                 {"TB", 1'000'000'000'000},
                                                 {"GB", 1'000'000'000},
                                                 {"MB", 1'000'000},
                                                 {"kB", 1'000}}};
constexpr size_t kCanonicalByteUnits = 5;

using Problem = std::optional<ValueProblem>;

Problem WrongType(const FieldDescriptor& field, const std::string& text,
                  std::string_view expected) {
  return ValueProblem{DiagnosticCode::kWrongType,
                      fmt::format("'{}' must be {}, not '{}'", field.name(), expected, text)};
}

bool IsNumber(std::string_view text) { return ParseInteger(text).has_value(); }

/// Parses a number in the unit of the setting.
Problem ParseNumber(const FieldDescriptor& field, const std::string& text, int64_t& value) {
  switch (SettingOf(field).unit()) {
    case v1::UNIT_DURATION: {
      if (IsNumber(text)) {
        return ValueProblem{DiagnosticCode::kMissingUnit,
                            fmt::format("'{}' needs a unit", field.name()),
                            fmt::format("write {0}ms, {0}s, {0}m or {0}h", text)};
      }
      const absl::StatusOr<int64_t> micros = agents::ParseDuration(text);
      if (!micros.ok()) return WrongType(field, text, "a duration like 500ms, 60s or 1h30m");
      value = *micros;
      return std::nullopt;
    }
    case v1::UNIT_BYTES: {
      if (IsNumber(text)) {
        return ValueProblem{DiagnosticCode::kMissingUnit,
                            fmt::format("'{}' needs a unit", field.name()),
                            fmt::format("write {0}B, {0}KiB, {0}MiB or {0}GiB", text)};
      }
      const std::optional<int64_t> bytes = ParseByteSize(text);
      if (!bytes.has_value()) return WrongType(field, text, "a size like 64KiB, 512MiB or 1GB");
      value = *bytes;
      return std::nullopt;
    }
    default: {
      const std::optional<int64_t> number = ParseInteger(text);
      if (!number.has_value()) return WrongType(field, text, "a whole number");
      value = *number;
      return std::nullopt;
    }
  }
}

Problem CheckBound(const FieldDescriptor& field, const std::string& text, int64_t value,
                   const std::string& bound_text, bool is_min) {
  int64_t bound = 0;
  CHECK(!ParseNumber(field, bound_text, bound).has_value());
  if (is_min ? value >= bound : value <= bound) return std::nullopt;
  return ValueProblem{DiagnosticCode::kOutOfBounds,
                      fmt::format("'{}' must be at {} {}, not {}", field.name(),
                                  is_min ? "least" : "most", bound_text, text)};
}

Problem SetNumber(const FieldDescriptor& field, const std::string& text, ProtoMessage& message) {
  int64_t value = 0;
  if (Problem problem = ParseNumber(field, text, value)) return problem;
  const v1::Setting& setting = SettingOf(field);
  if (setting.has_min()) {
    if (Problem problem = CheckBound(field, text, value, setting.min(), true)) return problem;
  }
  if (setting.has_max()) {
    if (Problem problem = CheckBound(field, text, value, setting.max(), false)) return problem;
  }
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_INT32) {
    CHECK(value >= std::numeric_limits<int32_t>::min());
    CHECK(value <= std::numeric_limits<int32_t>::max());
    message.GetReflection()->SetInt32(&message, &field, static_cast<int32_t>(value));
  } else {
    CHECK(field.cpp_type() == FieldDescriptor::CPPTYPE_INT64);
    message.GetReflection()->SetInt64(&message, &field, value);
  }
  return std::nullopt;
}

Problem SetBool(const FieldDescriptor& field, const std::string& text, ProtoMessage& message) {
  if (text != "true" && text != "false") return WrongType(field, text, "true or false");
  message.GetReflection()->SetBool(&message, &field, text == "true");
  return std::nullopt;
}

Problem NotAChoice(const FieldDescriptor& field, const std::string& text) {
  const std::vector<std::string> choices = ChoicesOf(field);
  return ValueProblem{
      DiagnosticCode::kNotAChoice,
      fmt::format("'{}' must be {}, not '{}'", field.name(), ListText(choices), text),
      DidYouMean(text, choices)};
}

Problem SetEnum(const FieldDescriptor& field, const std::string& text, ProtoMessage& message) {
  const std::vector<std::string> choices = ChoicesOf(field);
  if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
    return NotAChoice(field, text);
  }
  for (int i = 0; i < field.enum_type()->value_count(); ++i) {
    const auto& value = *field.enum_type()->value(i);
    const v1::Choice& choice = ChoiceOf(value);
    if (choice.text() != text) continue;
    if (!choice.unavailable().empty()) {
      return ValueProblem{DiagnosticCode::kUnavailable, choice.unavailable()};
    }
    message.GetReflection()->SetEnum(&message, &field, &value);
  }
  return std::nullopt;
}

Problem CheckLength(const FieldDescriptor& field, const std::string& text) {
  const v1::Setting& setting = SettingOf(field);
  const auto length = static_cast<int64_t>(text.size());
  const bool too_short = setting.has_min() && length < *ParseInteger(setting.min());
  const bool too_long = setting.has_max() && length > *ParseInteger(setting.max());
  if (!too_short && !too_long) return std::nullopt;
  return ValueProblem{DiagnosticCode::kOutOfBounds,
                      fmt::format("'{}' must have {} {} characters, not {}", field.name(),
                                  too_short ? "at least" : "at most",
                                  too_short ? setting.min() : setting.max(), length)};
}

Problem SetText(const FieldDescriptor& field, const std::string& text, ProtoMessage& message) {
  const v1::Setting& setting = SettingOf(field);
  const std::vector<std::string> choices = ChoicesOf(field);
  const bool chosen = std::find(choices.begin(), choices.end(), text) != choices.end();
  if (!choices.empty() && !chosen && setting.form() == v1::TEXT_FORM_ANY) {
    return NotAChoice(field, text);
  }
  if (!chosen) {
    if (const std::optional<std::string> problem = TextFormProblem(setting.form(), text)) {
      const std::string shown = setting.secret() ? "the value" : fmt::format("'{}'", text);
      std::string hint = DidYouMean(text, choices);
      if (hint.empty() && !choices.empty()) hint = fmt::format("or write {}", ListText(choices));
      return ValueProblem{DiagnosticCode::kMalformedText,
                          fmt::format("'{}': {} {}", field.name(), shown, *problem), hint};
    }
    if (Problem problem = CheckLength(field, text)) return problem;
  }
  const auto* reflection = message.GetReflection();
  if (field.is_repeated()) {
    reflection->AddString(&message, &field, text);
  } else {
    reflection->SetString(&message, &field, text);
  }
  return std::nullopt;
}

std::string ScalarTypeText(const FieldDescriptor& field) {
  const v1::Setting& setting = SettingOf(field);
  const std::vector<std::string> choices = ChoicesOf(field);
  if (!choices.empty() && setting.form() == v1::TEXT_FORM_ANY) {
    return "one of " + fmt::to_string(fmt::join(choices, ", "));
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return "bool";
    case FieldDescriptor::CPPTYPE_STRING:
      return "text";
    default:
      if (setting.unit() == v1::UNIT_DURATION) return "duration";
      return setting.unit() == v1::UNIT_BYTES ? "size" : "integer";
  }
}

}  // namespace

const v1::Setting& SettingOf(const FieldDescriptor& field) {
  return field.options().GetExtension(v1::setting);
}

const v1::Section& SectionOf(const MessageDescriptor& message) {
  return message.options().GetExtension(v1::section);
}

const v1::Choice& ChoiceOf(const ::google::protobuf::EnumValueDescriptor& value) {
  return value.options().GetExtension(v1::choice);
}

std::vector<std::string> KeysOf(const MessageDescriptor& message) {
  std::vector<std::string> keys;
  for (int i = 0; i < message.field_count(); ++i) keys.push_back(message.field(i)->name());
  return keys;
}

std::vector<std::string> ChoicesOf(const FieldDescriptor& field) {
  const v1::Setting& setting = SettingOf(field);
  std::vector<std::string> choices(setting.choices().begin(), setting.choices().end());
  if (!choices.empty() || field.cpp_type() != FieldDescriptor::CPPTYPE_ENUM) return choices;
  for (int i = 0; i < field.enum_type()->value_count(); ++i) {
    choices.push_back(ChoiceOf(*field.enum_type()->value(i)).text());
  }
  return choices;
}

bool IsOptionalSection(const FieldDescriptor& field) {
  if (field.message_type() == nullptr || field.is_repeated()) return false;
  for (int i = 0; i < field.message_type()->field_count(); ++i) {
    if (SettingOf(*field.message_type()->field(i)).required()) return false;
  }
  return true;
}

std::string TypeText(const FieldDescriptor& field) {
  if (field.is_map()) return "map of text";
  if (field.message_type() != nullptr) return field.is_repeated() ? "list" : "section";
  return field.is_repeated() ? "list of " + ScalarTypeText(field) : ScalarTypeText(field);
}

std::optional<ValueProblem> SetScalar(const FieldDescriptor& field, const std::string& text,
                                      ProtoMessage& message) {
  if (SettingOf(field).auto_() && text == "auto") {
    message.GetReflection()->ClearField(&message, &field);
    return std::nullopt;
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return SetBool(field, text, message);
    case FieldDescriptor::CPPTYPE_ENUM:
      return SetEnum(field, text, message);
    case FieldDescriptor::CPPTYPE_STRING:
      return SetText(field, text, message);
    default:
      return SetNumber(field, text, message);
  }
}

std::string ScalarText(const ProtoMessage& message, const FieldDescriptor& field, int index) {
  const auto* reflection = message.GetReflection();
  if (SettingOf(field).auto_() && !reflection->HasField(message, &field)) return "auto";
  int64_t number = 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->GetBool(message, &field) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return ChoiceOf(*reflection->GetEnum(message, &field)).text();
    case FieldDescriptor::CPPTYPE_STRING:
      return index < 0 ? reflection->GetString(message, &field)
                       : reflection->GetRepeatedString(message, &field, index);
    case FieldDescriptor::CPPTYPE_INT32:
      number = reflection->GetInt32(message, &field);
      break;
    default:
      number = reflection->GetInt64(message, &field);
  }
  if (SettingOf(field).unit() == v1::UNIT_DURATION) return agents::FormatDuration(number);
  if (SettingOf(field).unit() == v1::UNIT_BYTES) return FormatByteSize(number);
  return fmt::to_string(number);
}

std::optional<int64_t> ParseInteger(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.size() > 18) return std::nullopt;
  int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return negative ? -value : value;
}

std::optional<int64_t> ParseByteSize(std::string_view text) {
  size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  const std::optional<int64_t> number = ParseInteger(text.substr(0, digits));
  if (!number.has_value()) return std::nullopt;
  for (const ByteUnit& unit : kByteUnits) {
    if (text.substr(digits) != unit.name) continue;
    if (*number > std::numeric_limits<int64_t>::max() / unit.bytes) return std::nullopt;
    return *number * unit.bytes;
  }
  return std::nullopt;
}

std::string FormatByteSize(int64_t bytes) {
  for (size_t i = 0; i < kCanonicalByteUnits; ++i) {
    const ByteUnit& unit = kByteUnits[i];
    if (bytes != 0 && bytes % unit.bytes == 0) {
      return fmt::format("{}{}", bytes / unit.bytes, unit.name);
    }
  }
  return fmt::format("{}B", bytes);
}

std::string ListText(const std::vector<std::string>& texts) {
  std::string out;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out += i + 1 == texts.size() ? " or " : ", ";
    out += fmt::format("'{}'", texts[i]);
  }
  return out;
}

}  // namespace caracal::pipeline
