#include "pipeline/config/reference_docs.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "caracal/config/v1/config.pb.h"
#include "caracal/config/v1/rules.pb.h"
#include "pipeline/config/diagnostics.h"
#include "pipeline/config/json.h"
#include "pipeline/config/overrides.h"
#include "pipeline/config/parameter_binder.h"
#include "pipeline/config/settings.h"

namespace caracal::pipeline {
namespace {

/// One line of a reference: a setting or a parameter.
struct Row {
  std::string name;
  std::string type;
  std::string default_text;
  std::string bounds;
  std::string variable;
  std::string doc;
  bool required = false;
  bool secret = false;
  /// Choice and what it means.
  std::vector<std::pair<std::string, std::string>> choices;
};

std::string BoundsText(const std::string& min, const std::string& max) {
  if (min.empty() && max.empty()) return "";
  if (max.empty()) return ">= " + min;
  return min.empty() ? "<= " + max : fmt::format("{} to {}", min, max);
}

std::vector<std::pair<std::string, std::string>> ChoiceDocs(const FieldDescriptor& field) {
  std::vector<std::pair<std::string, std::string>> docs;
  for (const std::string& text : ChoicesOf(field)) {
    std::string doc;
    for (int i = 0; field.enum_type() != nullptr && i < field.enum_type()->value_count(); ++i) {
      const v1::Choice& choice = ChoiceOf(*field.enum_type()->value(i));
      if (choice.text() != text) continue;
      doc = choice.unavailable().empty() ? choice.doc() : choice.unavailable();
    }
    docs.emplace_back(text, doc);
  }
  return docs;
}

Row SettingRow(const FieldDescriptor& field, const std::string& path,
               const std::string& variable_path) {
  const v1::Setting& setting = SettingOf(field);
  Row row;
  row.name = field.is_map() ? path + ".<name>" : path;
  row.type = TypeText(field);
  if (field.is_map()) {
    row.type = field.message_type()->map_value()->message_type() == nullptr ? "text" : "list";
  }
  row.default_text = setting.auto_() ? "auto" : setting.default_();
  row.bounds = BoundsText(setting.min(), setting.max());
  if (!variable_path.empty()) {
    row.variable = EnvironmentName(field.is_map() ? variable_path + ".<name>" : variable_path);
  }
  row.doc = setting.doc();
  row.required = setting.required();
  row.secret = setting.secret();
  row.choices = ChoiceDocs(field);
  return row;
}

/// Adds the settings of a section. `variables`: they may come from the environment.
void AddSettings(const MessageDescriptor& section, const std::string& path, bool variables,
                 const std::string& variable_path, std::vector<Row>& rows) {
  for (int i = 0; i < section.field_count(); ++i) {
    const FieldDescriptor& field = *section.field(i);
    const std::string dot = path.empty() ? "" : ".";
    const std::string name = path + dot + field.name();
    const std::string variable = variable_path + dot + field.name();
    if (field.message_type() == nullptr || field.is_map()) {
      rows.push_back(SettingRow(field, name, variables ? variable : ""));
    } else if (field.is_repeated()) {
      AddSettings(*field.message_type(), name + "[]", variables, variable + "[0]", rows);
    } else {
      AddSettings(*field.message_type(), name, variables, variable, rows);
    }
  }
}

void AddParameters(const std::vector<agents::ParameterSpec>& specs, const std::string& prefix,
                   std::vector<Row>& rows) {
  for (const agents::ParameterSpec& spec : specs) {
    Row row;
    row.name = prefix + spec.name;
    row.type = TypeText(spec);
    row.default_text = spec.default_text.value_or("");
    row.bounds = BoundsText(spec.min_text.value_or(""), spec.max_text.value_or(""));
    row.doc = spec.doc;
    row.required = spec.required;
    rows.push_back(std::move(row));
    AddParameters(spec.fields, prefix + spec.name + ".", rows);
  }
}

Json RowJson(const Row& row) {
  Json json = Json::MakeObject();
  json.Set("name", row.name).Set("type", row.type).Set("required", row.required);
  if (!row.default_text.empty()) json.Set("default", row.default_text);
  if (!row.bounds.empty()) json.Set("bounds", row.bounds);
  if (!row.variable.empty()) json.Set("environment", row.variable);
  if (row.secret) json.Set("secret", true);
  json.Set("doc", row.doc);
  Json choices = Json::MakeObject();
  for (const auto& [text, doc] : row.choices) choices.Set(text, doc);
  if (!choices.empty()) json.Set("choices", std::move(choices));
  return json;
}

std::string RowText(const Row& row) {
  std::string facts = row.type;
  if (row.required) facts += ", required";
  if (!row.default_text.empty()) facts += ", default " + row.default_text;
  if (!row.bounds.empty()) facts += ", " + row.bounds;
  if (row.secret) facts += ", secret";
  std::string text = fmt::format("{} ({})\n    {}\n", row.name, facts, row.doc);
  for (const auto& [choice, doc] : row.choices) {
    if (!doc.empty()) text += fmt::format("      {}: {}\n", choice, doc);
  }
  if (!row.variable.empty()) text += fmt::format("    {}\n", row.variable);
  return text;
}

/// Keeps a cell in one cell.
std::string Cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|' || c == '<') cell.push_back('\\');
    cell.push_back(c == '\n' ? ' ' : c);
  }
  return cell;
}

std::string TableText(const std::vector<Row>& rows) {
  std::string text = "| key | type | default | bounds | meaning |\n|---|---|---|---|---|\n";
  for (const Row& row : rows) {
    text += fmt::format("| `{}` | {} | {} | {} | {} |\n", row.name, Cell(row.type),
                        row.required ? "required" : Cell(row.default_text), Cell(row.bounds),
                        Cell(row.doc));
  }
  return text;
}

Json RowsJson(const std::vector<Row>& rows) {
  Json json = Json::MakeArray();
  for (const Row& row : rows) json.Append(RowJson(row));
  return json;
}

Json AgentJson(const agents::AgentInfo& info, const std::vector<Row>& rows) {
  Json reasons = Json::MakeArray();
  for (const agents::ReasonSpec& reason : info.reasons) {
    reasons.Append(std::move(Json::MakeObject().Set("name", reason.name).Set("doc", reason.doc)));
  }
  Json json = Json::MakeObject();
  json.Set("name", info.name).Set("version", info.version).Set("description", info.description);
  json.Set("parameters", RowsJson(rows)).Set("reasons", std::move(reasons));
  if (!info.path.empty()) json.Set("licence", info.licence).Set("path", info.path);
  return json;
}

std::string AgentText(const agents::AgentInfo& info, const std::vector<Row>& rows) {
  std::string text = fmt::format("{} {}\n  {}\n", info.name, info.version, info.description);
  if (!info.path.empty()) text += fmt::format("  plugin {}, licence {}\n", info.path, info.licence);
  for (const Row& row : rows) {
    const std::string block = RowText(row);
    size_t start = 0;
    while (start < block.size()) {
      const size_t end = block.find('\n', start);
      text += "  " + block.substr(start, end - start) + "\n";
      start = end + 1;
    }
  }
  for (const agents::ReasonSpec& reason : info.reasons) {
    text += fmt::format("  reason {}\n      {}\n", reason.name, reason.doc);
  }
  return text;
}

std::string AgentMarkdown(const agents::AgentInfo& info, const std::vector<Row>& rows) {
  std::string text = fmt::format("## {}\n\n{}\n\n{}\n| reason | meaning |\n|---|---|\n", info.name,
                                 info.description, TableText(rows));
  for (const agents::ReasonSpec& reason : info.reasons) {
    text += fmt::format("| `{}` | {} |\n", reason.name, Cell(reason.doc));
  }
  return text + "\n";
}

std::string_view SeverityText(const DiagnosticInfo& info) {
  return info.severity == DiagnosticSeverity::kError ? "error" : "warning";
}

Json RulesetJson(const LoadedRuleset& ruleset, const std::string& topic) {
  Json rules = Json::MakeArray();
  for (const agents::RuleSpec& rule : ruleset.spec.rules) {
    Json json = Json::MakeObject();
    json.Set("id", rule.id).Set("version", rule.version).Set("agent", rule.agent);
    json.Set("score", rule.score).Set("severity", agents::SeverityName(rule.severity));
    json.Set("mode", agents::ModeName(rule.mode));
    rules.Append(std::move(json));
  }
  Json json = Json::MakeObject();
  json.Set("name", ruleset.spec.name).Set("version", ruleset.spec.version).Set("stream", topic);
  json.Set("mode", agents::ModeName(ruleset.spec.mode));
  json.Set("alert_above", ruleset.spec.alert_above).Set("rules", std::move(rules));
  return json;
}

std::string RulesetText(const LoadedRuleset& ruleset, const std::string& topic) {
  std::string text =
      fmt::format("{} {} on {}: {}, alerts above {}\n", ruleset.spec.name, ruleset.spec.version,
                  topic, agents::ModeName(ruleset.spec.mode), ruleset.spec.alert_above);
  for (const agents::RuleSpec& rule : ruleset.spec.rules) {
    text +=
        fmt::format("    {} version {}: {}, score {}, {}, {}\n", rule.id, rule.version, rule.agent,
                    rule.score, agents::SeverityName(rule.severity), agents::ModeName(rule.mode));
  }
  return text;
}

std::string RulesetMarkdown(const LoadedRuleset& ruleset, const std::string& topic) {
  std::string text;
  for (const agents::RuleSpec& rule : ruleset.spec.rules) {
    text += fmt::format("| {} | `{}` | {} | {} | {} | {} | {} |\n", ruleset.spec.name,
                        ruleset.spec.version, topic, rule.id, rule.agent, rule.score,
                        agents::ModeName(rule.mode));
  }
  return text;
}

}  // namespace

std::optional<ListFormat> ParseListFormat(std::string_view name) {
  if (name == "text") return ListFormat::kText;
  if (name == "json") return ListFormat::kJson;
  if (name == "markdown") return ListFormat::kMarkdown;
  return std::nullopt;
}

std::string ListSettings(ListFormat format) {
  std::vector<Row> settings;
  AddSettings(*v1::Config::descriptor(), "", true, "", settings);
  std::vector<Row> rules;
  AddSettings(*v1::RuleFile::descriptor(), "", false, "", rules);
  switch (format) {
    case ListFormat::kJson: {
      Json json = Json::MakeObject();
      json.Set("config", RowsJson(settings)).Set("rules", RowsJson(rules));
      return json.DumpIndented() + "\n";
    }
    case ListFormat::kMarkdown:
      return "## Configuration file\n\n" + TableText(settings) + "\n## Rule files\n\n" +
             TableText(rules);
    case ListFormat::kText:
      break;
  }
  std::string text = "Configuration file\n\n";
  for (const Row& row : settings) text += RowText(row);
  text += "\nRule files\n\n";
  for (const Row& row : rules) text += RowText(row);
  return text;
}

std::string ListAgents(const agents::AgentRegistry& registry, ListFormat format) {
  Json all = Json::MakeArray();
  std::string text;
  for (const std::string& name : registry.names()) {
    const agents::AgentInfo& info = registry.Find(name)->info();
    std::vector<Row> rows;
    AddParameters(info.parameters, "", rows);
    if (format == ListFormat::kJson) all.Append(AgentJson(info, rows));
    if (format == ListFormat::kText) text += AgentText(info, rows);
    if (format == ListFormat::kMarkdown) text += AgentMarkdown(info, rows);
  }
  return format == ListFormat::kJson ? all.DumpIndented() + "\n" : text;
}

std::string ListErrors(ListFormat format) {
  Json all = Json::MakeArray();
  std::string text = format == ListFormat::kMarkdown
                         ? "| code | severity | meaning | what to do |\n|---|---|---|---|\n"
                         : "";
  for (const DiagnosticInfo& info : AllDiagnostics()) {
    if (format == ListFormat::kJson) {
      Json json = Json::MakeObject();
      json.Set("code", info.name).Set("severity", SeverityText(info));
      json.Set("meaning", info.meaning).Set("remedy", info.remedy);
      all.Append(std::move(json));
    } else if (format == ListFormat::kMarkdown) {
      text += fmt::format("| {} | {} | {} | {} |\n", info.name, SeverityText(info),
                          Cell(info.meaning), Cell(info.remedy));
    } else {
      text += fmt::format("{} ({}): {}\n    {}\n", info.name, SeverityText(info), info.meaning,
                          info.remedy);
    }
  }
  return format == ListFormat::kJson ? all.DumpIndented() + "\n" : text;
}

std::string ListRulesets(const LoadedConfig& loaded, ListFormat format) {
  Json all = Json::MakeArray();
  std::string text = format == ListFormat::kMarkdown
                         ? "| ruleset | version | stream | rule | agent | score | mode |\n"
                           "|---|---|---|---|---|---|---|\n"
                         : "";
  for (const LoadedRuleset& ruleset : loaded.rulesets) {
    const std::string& topic = loaded.streams[ruleset.stream].context.topic;
    if (format == ListFormat::kJson) all.Append(RulesetJson(ruleset, topic));
    if (format == ListFormat::kText) text += RulesetText(ruleset, topic);
    if (format == ListFormat::kMarkdown) text += RulesetMarkdown(ruleset, topic);
  }
  return format == ListFormat::kJson ? all.DumpIndented() + "\n" : text;
}

std::string ListCanonicalRulesets(const LoadedConfig& loaded) {
  std::string text;
  for (const LoadedRuleset& ruleset : loaded.rulesets) text += ruleset.canonical_json + "\n";
  return text;
}

}  // namespace caracal::pipeline
