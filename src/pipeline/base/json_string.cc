#include "pipeline/base/json_string.h"

#include <fmt/format.h>

#include "pipeline/base/utf8.h"

namespace caracal::pipeline {
namespace {

bool IsPlain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}

void AppendCodeUnit(unsigned unit, std::string& out) { out += fmt::format("\\u{:04x}", unit); }

void AppendEscapedAscii(char c, std::string& out) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      AppendCodeUnit(static_cast<unsigned char>(c), out);
  }
}

/// Appends what `text`, which starts with no plain character, starts with; returns its bytes.
size_t AppendSpecial(std::string_view text, std::string& out) {
  const size_t length = Utf8Length(text);
  if (length == 0) {
    out += kReplacementCharacter;
    return 1;
  }
  if (length == 1) {
    AppendEscapedAscii(text[0], out);
    return 1;
  }
  const auto second = static_cast<unsigned char>(text[1]);
  // U+0080..U+009F: terminals act on some of them.
  const bool is_c1 = text[0] == '\xC2' && second < 0xA0;
  if (is_c1) {
    AppendCodeUnit(second, out);
  } else {
    out.append(text.substr(0, length));
  }
  return length;
}

}  // namespace

void AppendJsonString(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    size_t plain = 0;
    while (plain < text.size() && IsPlain(text[plain])) ++plain;
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (!text.empty()) text.remove_prefix(AppendSpecial(text, out));
  }
  out += '"';
}

std::string JsonString(std::string_view text) {
  std::string out;
  AppendJsonString(text, out);
  return out;
}

}  // namespace caracal::pipeline
