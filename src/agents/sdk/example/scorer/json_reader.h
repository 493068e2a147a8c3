#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace scorer {

/// Says why a model cannot be used: a sentence for the author of the rule.
class ModelError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// Reads JSON (RFC 8259) from front to back, without building a tree of it: a model is mostly long
/// arrays of numbers, and most of them are skipped. XGBoost also writes NaN and Infinity where JSON
/// has no number.
///
/// One thread. The text must outlive the reader. Every function reads the next value and throws
/// ModelError with line and column when it is of another type, or no JSON. Values nest at most
/// kMaxDepth deep.
///
///     reader.ReadObject([&](std::string_view name) {
///       if (name == "trees") reader.ReadArray([&] { trees.push_back(reader.ReadInteger()); });
///       else reader.Skip();
///     });
class JsonReader {
 public:
  static constexpr size_t kMaxDepth = 64;

  explicit JsonReader(std::string_view text) : text_(text) {}

  /// Calls `member(name)` for every member, to read its value. `name` is valid during the call.
  template <typename Member>
  void ReadObject(Member&& member) {
    Open('{', "an object");
    for (bool first = true; NextIn('}', first); first = false) {
      const std::string name = ReadText();
      Expect(':', "a ':' after the name of a member");
      member(std::string_view(name));
    }
  }
  /// Calls `element()` for every element, to read it.
  template <typename Element>
  void ReadArray(Element&& element) {
    Open('[', "an array");
    for (bool first = true; NextIn(']', first); first = false) element();
  }
  std::string ReadText();
  /// The float nearest to the decimal text, as XGBoost reads its models; may be NaN or infinite.
  float ReadFloat();
  /// Finite.
  double ReadDouble();
  int64_t ReadInteger();
  /// true, false, 0 or 1: XGBoost has written flags in both ways.
  bool ReadFlag();
  void Skip();
  /// Throws unless nothing follows.
  void ReadEnd();

  /// The first character of the next value; 0 at the end.
  char Peek();
  [[noreturn]] void Refuse(const std::string& what) const;

 private:
  void SkipSpace();
  void Open(char bracket, const char* what);
  void Expect(char expected, const char* what);
  /// True when another element follows; reads the comma before it, or the closing bracket.
  bool NextIn(char bracket, bool first);
  std::string_view ReadNumber();
  void SkipDigits();
  void AppendEscape(std::string& text);
  uint32_t ReadHex4();
  void ReadWord(std::string_view word);

  std::string_view text_;
  size_t at_ = 0;
  size_t depth_ = 0;
};

}  // namespace scorer
