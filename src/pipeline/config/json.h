#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace caracal::pipeline {

/// Holds a JSON document and writes it: the canonical text of a ruleset, schemas, listings. Its
/// bytes are part of a contract (ruleset versions are hashes of them), so they depend on no
/// library's taste: no white space in Dump, integers only, `"`, `\` and control characters escaped,
/// other bytes as they are (texts are UTF-8).
///
/// A value type; one thread at a time. Keys of an object keep the order they were added in; the
/// caller adds each once.
class Json {
 public:
  struct Member;
  using Array = std::vector<Json>;
  using Object = std::vector<Member>;

  Json();  ///< null
  Json(bool value);
  Json(int value);
  Json(int64_t value);
  Json(std::string value);
  Json(std::string_view value);
  Json(const char* value);
  Json(Array value);
  Json(const std::vector<std::string>& values);

  static Json MakeObject();
  static Json MakeArray();

  /// Adds a member. Requires an object (CHECK).
  Json& Set(std::string key, Json value);
  /// Adds an item. Requires an array (CHECK).
  Json& Append(Json value);
  /// True for an object or array without entries.
  bool empty() const;

  const Object* object() const { return std::get_if<Object>(&value_); }
  const Array* array() const { return std::get_if<Array>(&value_); }
  const std::string* text() const { return std::get_if<std::string>(&value_); }

  /// The same document with the keys of every object in byte order.
  Json Sorted() const;
  /// Without white space.
  std::string Dump() const;
  /// Indented by two spaces, for people; without a final newline.
  std::string DumpIndented() const;

 private:
  void Write(std::string& out, int indent, int depth) const;

  std::variant<std::monostate, bool, int64_t, std::string, Array, Object> value_;
};

struct Json::Member {
  std::string key;
  Json value;
};

}  // namespace caracal::pipeline
