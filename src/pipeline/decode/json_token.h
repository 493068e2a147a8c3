#pragma once

#include <cstdint>
#include <string_view>

#include "pipeline/types/arena.h"

namespace caracal::pipeline {

enum class JsonKind : uint8_t { kAbsent, kNull, kBool, kNumber, kString, kObject, kArray };

/// One JSON value as it stands in a record: a view, nothing is converted yet.
///
/// IMPORTANT: `text` points into the record's value (or is static) and lives as long as that.
struct JsonToken {
  /// String: what is between the quotes, still escaped. Number, true, false, null: the token.
  /// Containers and absent values: empty.
  std::string_view text;
  JsonKind kind = JsonKind::kAbsent;
  /// String: no backslash in it. Number: no point and no exponent. True for everything else.
  bool plain = true;
};

/// Outcome of reading a token as text.
enum class TextStatus : uint8_t {
  kText,
  kNull,        ///< null, absent, or Debezium's placeholder for an unchanged TOAST value
  kUnreadable,  ///< an object, an array, or a string with half a surrogate pair
};

/// Canonical text of a token, the form in which keys, accounts, ids and attributes are compared:
/// a string is its unescaped content; a number is its JSON text, except that -0 is 0; a boolean is
/// true or false. So 1042 and "1042" are one key, while 1042.0 and 1e3 stay what they are: no
/// conversion, no loss. `text` points into the record, or into `arena` when unescaping was needed;
/// it is unset but for kText.
[[nodiscard]] inline TextStatus ReadText(const JsonToken& token, Arena& arena,
                                         std::string_view& text);

/// ReadText of what is text as it stands, which is nearly all. False says nothing and leaves
/// `text`.
[[nodiscard]] inline bool ReadPlainText(const JsonToken& token, std::string_view& text);

/// The cases of ReadText that need a closer look.
[[nodiscard]] TextStatus ReadRareText(const JsonToken& token, Arena& arena, std::string_view& text);

/// What Debezium writes for a value that PostgreSQL has not sent, as it did not change.
inline constexpr std::string_view kToastPlaceholder = "__debezium_unavailable_value";

[[gnu::always_inline]] inline bool ReadPlainText(const JsonToken& token, std::string_view& text) {
  const bool is_plain = token.kind == JsonKind::kString
                            ? token.plain && token.text.size() != kToastPlaceholder.size()
                            : token.kind == JsonKind::kNumber && token.text != "-0";
  if (is_plain) text = token.text;
  return is_plain;
}

inline TextStatus ReadText(const JsonToken& token, Arena& arena, std::string_view& text) {
  return ReadPlainText(token, text) ? TextStatus::kText : ReadRareText(token, arena, text);
}

/// The integer in `token`; false when it is no number without point and exponent, or needs more
/// than 64 bits.
[[nodiscard]] bool ReadInt64(const JsonToken& token, int64_t& value);

/// The token is a string whose unescaped content is `text`.
bool IsText(const JsonToken& token, std::string_view text);

/// Unescapes the content of a valid JSON string to `to`, which has room for `escaped.size()` bytes.
/// Returns the number of bytes written, -1 when a surrogate is unpaired.
[[nodiscard]] int64_t UnescapeString(std::string_view escaped, char* to);

}  // namespace caracal::pipeline
