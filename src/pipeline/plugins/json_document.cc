#include "pipeline/plugins/json_document.h"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "absl/status/status.h"
#include "agents/api/status_macros.h"
#include "pipeline/base/utf8.h"

namespace caracal::pipeline {
namespace {

using Kind = JsonDocument::Kind;

constexpr int kMaxDepth = 32;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

void AppendUtf8(uint32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
    return;
  }
  if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
  } else {
    if (code < 0x10000) {
      out += static_cast<char>(0xE0 | code >> 12);
    } else {
      out += static_cast<char>(0xF0 | code >> 18);
      out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    }
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
  }
  out += static_cast<char>(0x80 | (code & 0x3F));
}

/// Reads one document from the front of a text.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  absl::StatusOr<JsonDocument> Document() {
    JsonDocument document;
    RETURN_IF_ERROR(Value(document, 0));
    SkipBlanks();
    if (at_ < text_.size()) return Error("text after the end of the document");
    return document;
  }

 private:
  absl::Status Error(std::string_view what) const {
    const std::string_view before = text_.substr(0, at_);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const size_t start = before.rfind('\n');
    const size_t column = start == std::string_view::npos ? at_ + 1 : at_ - start;
    return absl::InvalidArgumentError(
        fmt::format("is no JSON: line {}, column {}: {}", line, column, what));
  }

  void SkipBlanks() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos) ++at_;
  }
  bool Take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool TakeWord(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  absl::Status Value(JsonDocument& value, int depth) {
    if (depth > kMaxDepth) return Error("nested too deep");
    SkipBlanks();
    const char first = at_ < text_.size() ? text_[at_] : '\0';
    if (first == '{') return Object(value, depth);
    if (first == '[') return Array(value, depth);
    if (first == '"') {
      value.kind = Kind::kText;
      return Text(value.text);
    }
    if (first == '-' || IsDigit(first)) return Number(value);
    for (const std::string_view word : {"true", "false", "null"}) {
      if (!TakeWord(word)) continue;
      value.kind = word == "null" ? Kind::kNull : Kind::kBool;
      value.text = word;
      return absl::OkStatus();
    }
    return Error("a value is missing");
  }

  absl::Status Object(JsonDocument& value, int depth) {
    value.kind = Kind::kObject;
    ++at_;
    SkipBlanks();
    if (Take('}')) return absl::OkStatus();
    do {
      SkipBlanks();
      std::string key;
      if (at_ == text_.size() || text_[at_] != '"') return Error("a key in quotes is missing");
      RETURN_IF_ERROR(Text(key));
      if (value.Find(key) != nullptr) return Error(fmt::format("the key '{}' comes twice", key));
      SkipBlanks();
      if (!Take(':')) return Error("':' is missing");
      JsonDocument member;
      RETURN_IF_ERROR(Value(member, depth + 1));
      value.members.emplace_back(std::move(key), std::move(member));
      SkipBlanks();
    } while (Take(','));
    return Take('}') ? absl::OkStatus() : Error("',' or '}' is missing");
  }

  absl::Status Array(JsonDocument& value, int depth) {
    value.kind = Kind::kArray;
    ++at_;
    SkipBlanks();
    if (Take(']')) return absl::OkStatus();
    do {
      RETURN_IF_ERROR(Value(value.items.emplace_back(), depth + 1));
      SkipBlanks();
    } while (Take(','));
    return Take(']') ? absl::OkStatus() : Error("',' or ']' is missing");
  }

  absl::Status Number(JsonDocument& value) {
    const size_t start = at_;
    Take('-');
    if (!Take('0') && !Digits()) return Error("a digit is missing");
    if (Take('.') && !Digits()) return Error("a digit is missing");
    if (Take('e') || Take('E')) {
      if (!Take('+')) Take('-');
      if (!Digits()) return Error("a digit is missing");
    }
    value.kind = Kind::kNumber;
    value.text = text_.substr(start, at_ - start);
    return absl::OkStatus();
  }
  bool Digits() {
    const size_t start = at_;
    while (at_ < text_.size() && IsDigit(text_[at_])) ++at_;
    return at_ > start;
  }

  absl::Status Text(std::string& out) {
    ++at_;
    while (true) {
      if (at_ == text_.size()) return Error("a text does not end");
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) < 0x20) return Error("a control character in a text");
      ++at_;
      if (c == '"') return absl::OkStatus();
      if (c != '\\') {
        out += c;
        continue;
      }
      RETURN_IF_ERROR(Escape(out));
    }
  }

  absl::Status Escape(std::string& out) {
    static constexpr std::string_view kEscapes = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    if (const size_t i = kEscapes.find(c); c != '\0' && i != kEscapes.npos) {
      ++at_;
      out += kMeanings[i];
      return absl::OkStatus();
    }
    if (!Take('u')) return Error("an unknown escape in a text");
    uint32_t code = 0;
    if (!Hex(code)) return Error("four hex digits are missing");
    if (code >= 0xD800 && code < 0xDC00) {
      uint32_t low = 0;
      if (!TakeWord("\\u") || !Hex(low) || low < 0xDC00 || low > 0xDFFF) {
        return Error("half a surrogate pair");
      }
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code <= 0xDFFF) {
      return Error("half a surrogate pair");
    }
    AppendUtf8(code, out);
    return absl::OkStatus();
  }

  bool Hex(uint32_t& code) {
    if (text_.size() - at_ < 4) return false;
    for (int i = 0; i < 4; ++i) {
      const char c = text_[at_ + i];
      const size_t digit =
          std::string_view("0123456789abcdef").find(c >= 'A' && c <= 'F' ? c + 32 : c);
      if (digit == std::string_view::npos) return false;
      code = code << 4 | static_cast<uint32_t>(digit);
    }
    at_ += 4;
    return true;
  }

  const std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

const JsonDocument* JsonDocument::Find(std::string_view key) const {
  const auto it = std::find_if(members.begin(), members.end(),
                               [key](const auto& member) { return member.first == key; });
  return it == members.end() ? nullptr : &it->second;
}

std::string_view KindText(Kind kind) {
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return "a boolean";
    case Kind::kNumber:
      return "a number";
    case Kind::kText:
      return "a text";
    case Kind::kArray:
      return "an array";
    case Kind::kObject:
      return "an object";
  }
  return "nothing";
}

absl::StatusOr<JsonDocument> ParseJson(std::string_view text) {
  if (ValidUtf8Prefix(text) != text.size()) {
    return absl::InvalidArgumentError("is no JSON: it is not UTF-8 text");
  }
  return Parser(text).Document();
}

}  // namespace caracal::pipeline
