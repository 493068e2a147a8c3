#include "tests/scenario/change_event.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "pipeline/base/json_string.h"

namespace caracal::pipeline {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Removes the digits at the front of `text`; false when there are none.
bool TakeDigits(std::string_view& text) {
  const size_t count = std::find_if_not(text.begin(), text.end(), IsDigit) - text.begin();
  text.remove_prefix(count);
  return count > 0;
}

/// A number as RFC 8259 writes it.
bool IsJsonNumber(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const bool leading_zero = text.size() > 1 && text[0] == '0' && IsDigit(text[1]);
  if (leading_zero || !TakeDigits(text)) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!TakeDigits(text)) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (!TakeDigits(text)) return false;
  }
  return text.empty();
}

void AppendScalar(const YAML::Node& node, std::string& out) {
  const std::string& text = node.Scalar();
  const bool quoted = node.Tag() == "!";
  if (!quoted && (text == "true" || text == "false" || IsJsonNumber(text))) {
    out += text;
  } else {
    AppendJsonString(text, out);
  }
}

void AppendMember(const std::string& name, std::string& out) {
  if (out.back() != '{') out += ',';
  AppendJsonString(name, out);
  out += ':';
}

void AppendColumns(const Columns& columns, std::string& out) {
  out += '{';
  for (const auto& [name, value] : columns) {
    AppendMember(name, out);
    AppendJson(value, out);
  }
  out += '}';
}

std::string Object(const Columns& columns) {
  std::string json;
  AppendColumns(columns, json);
  return json;
}

std::string CommitText(const ChangeEvent& event) {
  return event.commit_ms.has_value() ? std::to_string(*event.commit_ms) : "null";
}

std::string SourceOf(const ChangeEvent& event) {
  Columns source;
  for (const auto& [name, text] :
       {std::pair<std::string, std::string>{"version", "\"3.7.0.Final\""},
        {"connector", "postgresql"},
        {"name", "bank"},
        {"ts_ms", CommitText(event)},
        {"snapshot", fmt::format("\"{}\"", event.snapshot)},
        {"db", "bank"},
        {"schema", "public"},
        {"table", "transactions"}}) {
    source.emplace_back(name, YAML::Load(text));
  }
  for (const auto& [name, value] : event.source) Set(source, name, value);
  return Object(source);
}

std::string EnvelopeOf(const ChangeEvent& event) {
  const bool is_delete = event.operation == "d";
  const bool has_row = event.operation != "t" && event.operation != "m";
  const std::string row = has_row ? Object(event.row) : "null";
  const std::string before = event.before.has_value() ? Object(*event.before) : "null";
  return fmt::format(
      R"({{"before":{},"after":{},"source":{},"transaction":null,"op":"{}","ts_ms":{}}})",
      is_delete ? row : before, is_delete ? "null" : row, SourceOf(event), event.operation,
      CommitText(event));
}

/// The schema of a row's columns as the envelope's field `name`.
std::string RowSchemaOf(const Columns& schema, const std::string& name) {
  std::string fields;
  for (const auto& [column, type] : schema) {
    std::string field;
    AppendJson(type, field);
    field.pop_back();
    AppendMember("field", field);
    AppendJsonString(column, field);
    fields += fmt::format("{}{}}}", fields.empty() ? "" : ",", field);
  }
  return fmt::format(
      R"({{"type":"struct","fields":[{}],"optional":true,"name":"bank.public.transactions.Value","field":"{}"}})",
      fields, name);
}

}  // namespace

void AppendJson(const YAML::Node& node, std::string& out) {
  if (node.IsMap()) {
    out += '{';
    for (const auto& entry : node) {
      AppendMember(entry.first.Scalar(), out);
      AppendJson(entry.second, out);
    }
    out += '}';
  } else if (node.IsSequence()) {
    out += '[';
    for (size_t i = 0; i < node.size(); ++i) {
      if (i > 0) out += ',';
      AppendJson(node[i], out);
    }
    out += ']';
  } else if (node.IsScalar()) {
    AppendScalar(node, out);
  } else {
    out += "null";
  }
}

std::string MessageOf(const ChangeEvent& event) {
  if (event.shape == MessageShape::kFlat) return Object(event.row);
  const std::string envelope = EnvelopeOf(event);
  if (event.shape == MessageShape::kEnvelope) return envelope;
  return fmt::format(
      R"({{"schema":{{"type":"struct","fields":[{},{}],"optional":false,"name":"bank.public.transactions.Envelope"}},"payload":{}}})",
      RowSchemaOf(event.schema, "before"), RowSchemaOf(event.schema, "after"), envelope);
}

YAML::Node Find(const Columns& columns, const std::string& name) {
  for (const auto& [column, value] : columns) {
    if (column == name) return value;
  }
  return YAML::Node(YAML::NodeType::Undefined);
}

void Set(Columns& columns, const std::string& name, const YAML::Node& value) {
  for (auto& [column, old] : columns) {
    if (column != name) continue;
    old.reset(value);
    return;
  }
  columns.emplace_back(name, value);
}

}  // namespace caracal::pipeline
