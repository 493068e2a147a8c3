#include "json_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

namespace scorer {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

void AppendUtf8(uint32_t point, std::string& text) {
  if (point < 0x80) {
    text += static_cast<char>(point);
    return;
  }
  if (point < 0x800) {
    text += static_cast<char>(0xC0 | point >> 6);
  } else if (point < 0x10000) {
    text += static_cast<char>(0xE0 | point >> 12);
    text += static_cast<char>(0x80 | (point >> 6 & 0x3F));
  } else {
    text += static_cast<char>(0xF0 | point >> 18);
    text += static_cast<char>(0x80 | (point >> 12 & 0x3F));
    text += static_cast<char>(0x80 | (point >> 6 & 0x3F));
  }
  text += static_cast<char>(0x80 | (point & 0x3F));
}

}  // namespace

void JsonReader::Refuse(const std::string& what) const {
  const std::string_view before = text_.substr(0, at_);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 = 0
  throw ModelError("line " + std::to_string(line) + ", column " +
                   std::to_string(at_ - line_start + 1) + ": " + what);
}

void JsonReader::SkipSpace() {
  while (at_ < text_.size() &&
         (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
    ++at_;
  }
}

char JsonReader::Peek() {
  SkipSpace();
  return at_ < text_.size() ? text_[at_] : '\0';
}

void JsonReader::Expect(char expected, const char* what) {
  const char found = Peek();
  if (found == expected && at_ < text_.size()) {
    ++at_;
    return;
  }
  if (at_ == text_.size()) Refuse(std::string("the text ends where ") + what + " should be");
  Refuse(std::string("there should be ") + what);
}

void JsonReader::Open(char bracket, const char* what) {
  Expect(bracket, what);
  if (++depth_ > kMaxDepth) {
    Refuse("values nest more than " + std::to_string(kMaxDepth) + " deep");
  }
}

bool JsonReader::NextIn(char bracket, bool first) {
  if (Peek() == bracket) {
    ++at_;
    --depth_;
    return false;
  }
  if (!first) Expect(',', bracket == '}' ? "a ',' or '}'" : "a ',' or ']'");
  return true;
}

std::string JsonReader::ReadText() {
  Expect('"', "a string");
  std::string text;
  while (true) {
    if (at_ == text_.size()) Refuse("the text ends within a string");
    const char c = text_[at_];
    if (static_cast<unsigned char>(c) < 0x20) Refuse("a control character within a string");
    ++at_;
    if (c == '"') return text;
    if (c == '\\') {
      AppendEscape(text);
    } else {
      text += c;
    }
  }
}

void JsonReader::AppendEscape(std::string& text) {
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kCharacters = "\"\\/\b\f\n\r\t";
  const char name = at_ < text_.size() ? text_[at_] : '\0';
  if (const size_t i = kNames.find(name); i != std::string_view::npos) {
    ++at_;
    text += kCharacters[i];
    return;
  }
  if (name != 'u') Refuse("an unknown escape within a string");
  ++at_;
  uint32_t point = ReadHex4();
  if (point >= 0xD800 && point < 0xDC00 && text_.substr(at_, 2) == "\\u") {
    at_ += 2;
    const uint32_t low = ReadHex4();
    if (low < 0xDC00 || low > 0xDFFF) Refuse("half a surrogate pair within a string");
    point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
  }
  if (point >= 0xD800 && point < 0xE000) Refuse("half a surrogate pair within a string");
  AppendUtf8(point, text);
}

uint32_t JsonReader::ReadHex4() {
  const std::string_view digits = text_.substr(at_, 4);
  uint32_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc() || digits.size() != 4 || end != digits.data() + 4) {
    Refuse("\\u without four hexadecimal digits");
  }
  at_ += 4;
  return value;
}

void JsonReader::SkipDigits() {
  if (at_ == text_.size() || !IsDigit(text_[at_])) Refuse("there should be a number");
  while (at_ < text_.size() && IsDigit(text_[at_])) ++at_;
}

std::string_view JsonReader::ReadNumber() {
  Peek();
  for (const std::string_view word : {"NaN", "Infinity", "-Infinity"}) {
    if (text_.substr(at_, word.size()) != word) continue;
    at_ += word.size();
    return word;
  }
  const size_t begin = at_;
  if (Peek() == '-') ++at_;
  const size_t integer = at_;
  SkipDigits();
  if (text_[integer] == '0' && at_ - integer > 1) Refuse("a number begins with a needless 0");
  if (at_ < text_.size() && text_[at_] == '.') {
    ++at_;
    SkipDigits();
  }
  if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
    ++at_;
    if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
    SkipDigits();
  }
  return text_.substr(begin, at_ - begin);
}

double JsonReader::ReadDouble() {
  const std::string_view number = ReadNumber();
  double value = 0;
  if (std::from_chars(number.data(), number.data() + number.size(), value).ec != std::errc()) {
    Refuse("the number does not fit into 64 bits");
  }
  if (!std::isfinite(value)) Refuse("NaN and Infinity are no numbers");
  return value;
}

float JsonReader::ReadFloat() {
  const std::string_view number = ReadNumber();
  const char* end = number.data() + number.size();
  float value = 0;
  if (std::from_chars(number.data(), end, value).ec == std::errc()) return value;
  // Out of range: too large, or so small that the nearest float is 0.
  double wide = 0;
  if (std::from_chars(number.data(), end, wide).ec != std::errc() || wide > 1 || wide < -1) {
    Refuse("the number does not fit into 32 bits");
  }
  return static_cast<float>(wide);
}

int64_t JsonReader::ReadInteger() {
  const std::string_view number = ReadNumber();
  const char* end = number.data() + number.size();
  int64_t value = 0;
  const auto [rest, error] = std::from_chars(number.data(), end, value);
  if (error != std::errc() || rest != end) Refuse("there should be an integer");
  return value;
}

bool JsonReader::ReadFlag() {
  const char first = Peek();
  if (first == 't' || first == 'f') {
    ReadWord(first == 't' ? "true" : "false");
    return first == 't';
  }
  const int64_t value = ReadInteger();
  if (value != 0 && value != 1) Refuse("there should be true, false, 0 or 1");
  return value == 1;
}

void JsonReader::ReadWord(std::string_view word) {
  if (text_.substr(at_, word.size()) != word) Refuse("there should be a value");
  at_ += word.size();
}

void JsonReader::Skip() {
  switch (Peek()) {
    case '{':
      return ReadObject([this](std::string_view) { Skip(); });
    case '[':
      return ReadArray([this] { Skip(); });
    case '"':
      ReadText();
      return;
    case 't':
      return ReadWord("true");
    case 'f':
      return ReadWord("false");
    case 'n':
      return ReadWord("null");
    default:
      ReadNumber();
  }
}

void JsonReader::ReadEnd() {
  SkipSpace();
  if (at_ != text_.size()) Refuse("something follows the end of the model");
}

}  // namespace scorer
