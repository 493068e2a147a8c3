#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace caracal::pipeline {

/// A JSON value as a test builds it: a raw token (number, true, null), a string, or a container.
struct JsonValue {
  enum class Kind { kRaw, kString, kObject, kArray };
  using Members = std::vector<std::pair<std::string, JsonValue>>;

  Kind kind = Kind::kRaw;
  std::string text = "null";
  /// Of an object, one per element.
  std::vector<std::string> names;
  std::vector<JsonValue> elements;

  static JsonValue Raw(std::string token) { return Make(Kind::kRaw, std::move(token)); }
  static JsonValue Number(int64_t value) { return Raw(std::to_string(value)); }
  static JsonValue String(std::string content) { return Make(Kind::kString, std::move(content)); }
  static JsonValue Object(Members members);
  static JsonValue Array(std::vector<JsonValue> elements) {
    JsonValue value = Make(Kind::kArray, "");
    value.elements = std::move(elements);
    return value;
  }

 private:
  static JsonValue Make(Kind kind, std::string text) {
    JsonValue value;
    value.kind = kind;
    value.text = std::move(text);
    return value;
  }
};

inline JsonValue JsonValue::Object(Members members) {
  JsonValue value = Make(Kind::kObject, "");
  for (auto& [name, element] : members) {
    value.names.push_back(std::move(name));
    value.elements.push_back(std::move(element));
  }
  return value;
}

/// Writes JSON in one of its many legal spellings.
class JsonWriter {
 public:
  struct Style {
    bool whitespace = false;
    bool escapes = false;
    bool shuffle = false;
  };

  JsonWriter(std::mt19937_64& random, Style style) : random_(random), style_(style) {}

  std::string Write(const JsonValue& value) {
    std::string out;
    Append(value, out);
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

  void Append(const JsonValue& value, std::string& out) {
    Space(out);
    switch (value.kind) {
      case JsonValue::Kind::kRaw:
        out += value.text;
        break;
      case JsonValue::Kind::kString:
        AppendString(value.text, out);
        break;
      case JsonValue::Kind::kObject:
        AppendObject(value, out);
        break;
      case JsonValue::Kind::kArray:
        AppendArray(value, out);
        break;
    }
    Space(out);
  }

  void AppendObject(const JsonValue& object, std::string& out) {
    std::vector<size_t> order(object.elements.size());
    std::iota(order.begin(), order.end(), size_t{0});
    if (style_.shuffle) std::shuffle(order.begin(), order.end(), random_);
    out += '{';
    for (size_t i = 0; i < order.size(); ++i) {
      if (i > 0) out += ',';
      Space(out);
      AppendString(object.names[order[i]], out);
      Space(out);
      out += ':';
      Append(object.elements[order[i]], out);
    }
    if (order.empty()) Space(out);
    out += '}';
  }

  void AppendArray(const JsonValue& array, std::string& out) {
    out += '[';
    for (size_t i = 0; i < array.elements.size(); ++i) {
      if (i > 0) out += ',';
      Append(array.elements[i], out);
    }
    if (array.elements.empty()) Space(out);
    out += ']';
  }

  std::mt19937_64& random_;
  const Style style_;
};

}  // namespace caracal::pipeline
