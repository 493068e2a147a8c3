#include "pipeline/config/json.h"

#include <algorithm>

#include <fmt/format.h>

#include "agents/api/check.h"

namespace caracal::pipeline {
namespace {

void WriteText(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back('"');
}

void NewLine(std::string& out, int indent, int depth) {
  if (indent == 0) return;
  out.push_back('\n');
  out.append(static_cast<size_t>(indent * depth), ' ');
}

}  // namespace

Json::Json() = default;
Json::Json(bool value) : value_(value) {}
Json::Json(int value) : value_(static_cast<int64_t>(value)) {}
Json::Json(int64_t value) : value_(value) {}
Json::Json(std::string value) : value_(std::move(value)) {}
Json::Json(std::string_view value) : value_(std::string(value)) {}
Json::Json(const char* value) : value_(std::string(value)) {}
Json::Json(Array value) : value_(std::move(value)) {}
Json::Json(const std::vector<std::string>& values) : value_(Array(values.begin(), values.end())) {}

Json Json::MakeObject() {
  Json json;
  json.value_ = Object();
  return json;
}

Json Json::MakeArray() { return Json(Array()); }

Json& Json::Set(std::string key, Json value) {
  auto* members = std::get_if<Object>(&value_);
  CHECK(members != nullptr);
  members->push_back({std::move(key), std::move(value)});
  return *this;
}

Json& Json::Append(Json value) {
  auto* items = std::get_if<Array>(&value_);
  CHECK(items != nullptr);
  items->push_back(std::move(value));
  return *this;
}

bool Json::empty() const {
  if (const Object* members = object()) return members->empty();
  if (const Array* items = array()) return items->empty();
  return false;
}

Json Json::Sorted() const {
  if (const Object* members = object()) {
    Object sorted;
    for (const Member& member : *members) sorted.push_back({member.key, member.value.Sorted()});
    std::sort(sorted.begin(), sorted.end(),
              [](const Member& a, const Member& b) { return a.key < b.key; });
    Json json;
    json.value_ = std::move(sorted);
    return json;
  }
  if (const Array* items = array()) {
    Json json = MakeArray();
    for (const Json& item : *items) json.Append(item.Sorted());
    return json;
  }
  return *this;
}

std::string Json::Dump() const {
  std::string out;
  Write(out, 0, 0);
  return out;
}

std::string Json::DumpIndented() const {
  std::string out;
  Write(out, 2, 0);
  return out;
}

void Json::Write(std::string& out, int indent, int depth) const {
  if (const Object* members = object()) {
    out.push_back('{');
    for (const Member& member : *members) {
      if (&member != members->data()) out.push_back(',');
      NewLine(out, indent, depth + 1);
      WriteText(out, member.key);
      out += indent == 0 ? ":" : ": ";
      member.value.Write(out, indent, depth + 1);
    }
    if (!members->empty()) NewLine(out, indent, depth);
    out.push_back('}');
  } else if (const Array* items = array()) {
    out.push_back('[');
    for (const Json& item : *items) {
      if (&item != items->data()) out.push_back(',');
      NewLine(out, indent, depth + 1);
      item.Write(out, indent, depth + 1);
    }
    if (!items->empty()) NewLine(out, indent, depth);
    out.push_back(']');
  } else if (const std::string* value = text()) {
    WriteText(out, *value);
  } else if (const auto* number = std::get_if<int64_t>(&value_)) {
    out += fmt::to_string(*number);
  } else if (const auto* boolean = std::get_if<bool>(&value_)) {
    out += *boolean ? "true" : "false";
  } else {
    out += "null";
  }
}

}  // namespace caracal::pipeline
