#include "agents/plugin/parameter_json.h"

#include <iterator>
#include <memory>
#include <type_traits>
#include <variant>
#include <vector>

#include <fmt/format.h>

namespace caracal::agents {
namespace {

template <typename T>
constexpr bool IsList =
    std::is_same_v<T, std::vector<std::string>> || std::is_same_v<T, std::vector<ParameterFile>>;

std::string ItemJson(const std::string& text, FileForm /*files*/) { return QuotedJson(text); }
std::string ItemJson(const ParameterFile& file, FileForm files) {
  return QuotedJson(files == FileForm::kPath ? file.path : file.sha256);
}

}  // namespace

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

void AppendParameterJson(const ParameterValue& value, FileForm files, std::string& out) {
  std::visit(
      [files, &out](const auto& held) {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, bool>) {
          out += held ? "true" : "false";
        } else if constexpr (std::is_same_v<Held, int64_t>) {
          out += fmt::to_string(held);
        } else if constexpr (std::is_same_v<Held, Decimal>) {
          out += FormatDecimal(held);
        } else if constexpr (std::is_same_v<Held, std::shared_ptr<const Parameters>>) {
          out += ParametersJson(*held, files);
        } else if constexpr (IsList<Held>) {
          out += '[';
          for (const auto& item : held) {
            if (&item != &held.front()) out += ',';
            out += ItemJson(item, files);
          }
          out += ']';
        } else {
          out += ItemJson(held, files);
        }
      },
      value);
}

std::string ParametersJson(const Parameters& parameters, FileForm files) {
  std::string out = "{";
  for (const auto& [name, value] : parameters.values()) {
    if (out.size() > 1) out += ',';
    out += QuotedJson(name);
    out += ':';
    AppendParameterJson(value, files, out);
  }
  out += '}';
  return out;
}

}  // namespace caracal::agents
