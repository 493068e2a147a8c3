#pragma once

#include <string>
#include <string_view>

namespace caracal::pipeline {

/// Appends `text` to `out` as a JSON string, quotes included. The result is printable UTF-8
/// whatever the bytes of `text` are: quote, backslash and control characters (C0, DEL, C1) are
/// escaped, bytes that are not UTF-8 become U+FFFD. Everything else is copied as it is.
void AppendJsonString(std::string_view text, std::string& out);

/// The same as a value, for cold paths.
std::string JsonString(std::string_view text);

}  // namespace caracal::pipeline
