#include "agents/plugin/parameter_json.h"

#include <iterator>
#include <memory>
#include <type_traits>
#include <variant>
#include <vector>

#include <fmt/format.h>

namespace caracal::agents {

std::string QuotedJson(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
  return out;
}

void AppendParameterJson(const ParameterValue& value, std::string& out) {
  std::visit(
      [&out](const auto& held) {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, bool>) {
          out += held ? "true" : "false";
        } else if constexpr (std::is_same_v<Held, int64_t>) {
          out += fmt::to_string(held);
        } else if constexpr (std::is_same_v<Held, Decimal>) {
          out += FormatDecimal(held);
        } else if constexpr (std::is_same_v<Held, std::string>) {
          out += QuotedJson(held);
        } else if constexpr (std::is_same_v<Held, std::vector<std::string>>) {
          out += '[';
          for (const std::string& text : held) {
            if (&text != &held.front()) out += ',';
            out += QuotedJson(text);
          }
          out += ']';
        } else {
          out += ParametersJson(*held);
        }
      },
      value);
}

std::string ParametersJson(const Parameters& parameters) {
  std::string out = "{";
  for (const auto& [name, value] : parameters.values()) {
    if (out.size() > 1) out += ',';
    out += QuotedJson(name);
    out += ':';
    AppendParameterJson(value, out);
  }
  out += '}';
  return out;
}

}  // namespace caracal::agents
