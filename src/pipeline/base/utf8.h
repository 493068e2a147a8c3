#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
namespace caracal::pipeline {

/// Bytes of the code point that `text` starts with: 1 to 4, or 0 when it does not start with a
/// valid one (or is empty).
size_t Utf8Length(std::string_view text);

/// Bytes of `text` before the first one that is not well-formed; text.size() when all is well.
size_t ValidUtf8Prefix(std::string_view text);

/// U+FFFD REPLACEMENT CHARACTER.
inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

/// `text` with every byte that belongs to no valid code point replaced by U+FFFD.
std::string ReplaceInvalidUtf8(std::string_view text);

/// ReplaceInvalidUtf8, and every control character (C0, DEL, C1) becomes a space: one line that no
/// terminal acts on.
std::string PrintableLine(std::string_view text);

}  // namespace caracal::pipeline
