#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace caracal::pipeline {

/// A JSON value as a test builds it: a raw token (number, true, null), a string, or a container.
struct JsonValue {
  enum class Kind { kRaw, kString, kObject, kArray };

  Kind kind = Kind::kRaw;
  std::string text = "null";
  std::vector<std::pair<std::string, JsonValue>> members;
  std::vector<JsonValue> elements;

  static JsonValue Raw(std::string token) { return {Kind::kRaw, std::move(token), {}, {}}; }
  static JsonValue Number(int64_t value) { return Raw(std::to_string(value)); }
  static JsonValue String(std::string content) {
    return {Kind::kString, std::move(content), {}, {}};
  }
  static JsonValue Object(std::vector<std::pair<std::string, JsonValue>> members) {
    return {Kind::kObject, "", std::move(members), {}};
  }
  static JsonValue Array(std::vector<JsonValue> elements) {
    return {Kind::kArray, "", {}, std::move(elements)};
  }
};

/// Writes JSON in one of its many legal spellings.
class JsonWriter {
 public:
  struct Style {
    bool whitespace = false;
    bool escapes = false;
    bool shuffle = false;
  };

  JsonWriter(std::mt19937_64& random, Style style) : random_(random), style_(style) {}

  std::string Write(JsonValue value) {
    std::string out;
    Append(std::move(value), out);
    return out;
  }

 private:
  bool Sometimes() { return random_() % 4 == 0; }

  void Space(std::string& out) {
    constexpr std::string_view kSpaces = " \t\n\r";
    while (style_.whitespace && Sometimes()) out += kSpaces[random_() % kSpaces.size()];
  }

  void AppendEscaped(unsigned char c, std::string& out) {
    constexpr std::string_view kHex = "0123456789abcdef";
    out += "\\u00";
    out += kHex[c >> 4];
    out += kHex[c & 15];
  }

  void AppendString(std::string_view content, std::string& out) {
    out += '"';
    for (const char c : content) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20 || (byte < 0x80 && style_.escapes && Sometimes())) {
        AppendEscaped(byte, out);
      } else if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
      } else {
        out += c;
      }
    }
    out += '"';
  }

  void Append(JsonValue value, std::string& out) {
    Space(out);
    switch (value.kind) {
      case JsonValue::Kind::kRaw:
        out += value.text;
        break;
      case JsonValue::Kind::kString:
        AppendString(value.text, out);
        break;
      case JsonValue::Kind::kObject:
        AppendObject(std::move(value.members), out);
        break;
      case JsonValue::Kind::kArray:
        AppendArray(std::move(value.elements), out);
        break;
    }
    Space(out);
  }

  void AppendObject(std::vector<std::pair<std::string, JsonValue>> members, std::string& out) {
    if (style_.shuffle) std::shuffle(members.begin(), members.end(), random_);
    out += '{';
    for (size_t i = 0; i < members.size(); ++i) {
      if (i > 0) out += ',';
      Space(out);
      AppendString(members[i].first, out);
      Space(out);
      out += ':';
      Append(std::move(members[i].second), out);
    }
    if (members.empty()) Space(out);
    out += '}';
  }

  void AppendArray(std::vector<JsonValue> elements, std::string& out) {
    out += '[';
    for (size_t i = 0; i < elements.size(); ++i) {
      if (i > 0) out += ',';
      Append(std::move(elements[i]), out);
    }
    if (elements.empty()) Space(out);
    out += ']';
  }

  std::mt19937_64& random_;
  const Style style_;
};

}  // namespace caracal::pipeline
