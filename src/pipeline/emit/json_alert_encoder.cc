#include "pipeline/emit/json_alert_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "agents/api/check.h"
#include "pipeline/base/digits.h"
#include "pipeline/base/json_string.h"
#include "pipeline/base/rfc3339.h"
#include "pipeline/emit/alert_id.h"
#include "pipeline/emit/value_text.h"

namespace caracal::pipeline {
namespace {

constexpr int kSchemaVersion = 1;
/// Holds an alert of three or four reasons; longer ones grow.
constexpr size_t kUsualAlertBytes = 1024;

/// Empty for the mapped field, which the alert does not mention.
std::string_view TimeSourceText(agents::TimeSource source) {
  switch (source) {
    case agents::TimeSource::kField:
      return {};
    case agents::TimeSource::kSourceCommit:
      return R"(,"time_source":"source_commit")";
    case agents::TimeSource::kRecord:
      return R"(,"time_source":"record")";
  }
  return {};
}

void AppendSource(const PartitionLease& lease, int64_t offset, std::string& out) {
  out += R"(,"source":{"topic":)";
  AppendJsonString(lease.topic(), out);
  out += R"(,"partition":)";
  AppendInteger(lease.partition(), out);
  out += R"(,"offset":)";
  AppendInteger(offset, out);
  out += "}}";
}

}  // namespace

JsonAlertEncoder::JsonAlertEncoder(int amount_scale,
                                   const std::vector<agents::RulesetInfo>& rulesets)
    : amount_scale_(amount_scale) {
  CHECK(amount_scale >= 0 && amount_scale <= kMaxAmountScale);
  rulesets_.reserve(rulesets.size());
  for (const agents::RulesetInfo& ruleset : rulesets) rulesets_.push_back(TextOf(ruleset));
}

OutputRecord JsonAlertEncoder::EncodeAlert(const Event& event,
                                           const agents::Judgement& judgement) const {
  CHECK(judgement.ruleset < rulesets_.size());
  CHECK(!judgement.fired.empty());
  const RulesetText& ruleset = rulesets_[judgement.ruleset];

  OutputRecord alert;
  alert.kind = OutputKind::kAlert;
  alert.offset = event.offset;
  alert.sequence = judgement.ruleset;
  alert.key = event.transaction.account;

  std::string& json = alert.value;
  json.reserve(kUsualAlertBytes);
  json += R"({"alert_id":")";
  json += AlertId({ruleset.name, ruleset.version, event.lease->topic(), event.lease->partition(),
                   event.offset});
  json += ruleset.identity;
  json += agents::SeverityName(judgement.severity);
  json += ruleset.mode;
  AppendInteger(judgement.score, json);
  json += ruleset.alert_above;
  AppendTransaction(event.transaction, json);
  if (judgement.state_truncated) json += R"(,"state_truncated":true)";
  AppendFailed(ruleset, judgement.failed, json);
  AppendReasons(ruleset, judgement.fired, json);
  AppendSource(*event.lease, event.offset, json);

  alert.headers.emplace_back("content-type", "application/json");
  alert.headers.emplace_back("caracal-ruleset", ruleset.name);
  if (!event.traceparent.empty()) alert.headers.emplace_back("traceparent", event.traceparent);
  return alert;
}

void JsonAlertEncoder::AppendTransaction(const agents::Transaction& transaction,
                                         std::string& out) const {
  AppendJsonString(transaction.account, out);
  if (!transaction.id.empty()) {
    out += R"(,"transaction_id":)";
    AppendJsonString(transaction.id, out);
  }
  if (transaction.has_amount) {
    out += R"(,"amount":")";
    AppendDecimal(transaction.amount, amount_scale_, out);
    out += '"';
  }
  if (!transaction.currency.empty()) {
    out += R"(,"currency":)";
    AppendJsonString(transaction.currency, out);
  }
  out += R"(,"event_time":")";
  AppendRfc3339(transaction.event_time_us, FractionDigits::kMicros, out);
  out += '"';
  out += TimeSourceText(transaction.time_source);
}

void JsonAlertEncoder::AppendFailed(const RulesetText& ruleset, const std::vector<uint16_t>& failed,
                                    std::string& out) {
  if (failed.empty()) return;
  out += R"(,"agent_errors":[)";
  for (const uint16_t& rule : failed) {
    if (&rule != &failed.front()) out += ',';
    out += ruleset.rules[rule].id;
  }
  out += ']';
}

void JsonAlertEncoder::AppendReasons(const RulesetText& ruleset,
                                     const std::vector<agents::FiredRule>& fired,
                                     std::string& out) const {
  out += R"(,"reasons":[)";
  for (const agents::FiredRule& reason : fired) {
    CHECK(reason.rule < ruleset.rules.size());
    if (&reason != &fired.front()) out += ',';
    AppendReason(ruleset.rules[reason.rule], reason.verdict, out);
  }
  out += ']';
}

void JsonAlertEncoder::AppendReason(const RuleText& rule, const agents::Verdict& verdict,
                                    std::string& out) const {
  CHECK(verdict.reason < rule.reasons.size());
  out += rule.head;
  out += rule.reasons[verdict.reason];
  out += rule.score;
  for (const ObservedText& observed : rule.observed) {
    if (&observed != &rule.observed.front()) out += ',';
    out += observed.key;
    if (observed.field.kind == agents::ValueKind::kConstant) {
      out += observed.field.constant_json;
    } else {
      AppendObserved(observed.field.kind, verdict.observed[observed.field.slot], amount_scale_,
                     out);
    }
  }
  if ((verdict.flags & agents::kAtLeast) != 0) {
    out += rule.observed.empty() ? R"("at_least":true)" : R"(,"at_least":true)";
  }
  out += rule.tail;
}

JsonAlertEncoder::ObservedText JsonAlertEncoder::TextOf(const agents::ObservedField& field) {
  CHECK(field.slot < agents::kMaxObserved);
  return {JsonString(field.name) + ':', field};
}

JsonAlertEncoder::RuleText JsonAlertEncoder::TextOf(const agents::RuleInfo& rule) {
  RuleText text;
  text.id = JsonString(rule.id);
  text.head = fmt::format(R"({{"rule":{})", text.id);
  if (rule.version != 1) text.head += fmt::format(R"(,"version":{})", rule.version);
  text.head += fmt::format(R"(,"agent":{},"reason":)", JsonString(rule.agent));
  for (const std::string& reason : rule.reasons) text.reasons.push_back(JsonString(reason));
  text.score = fmt::format(R"(,"score":{},"observed":{{)", rule.score);
  for (const agents::ObservedField& field : rule.observed) text.observed.push_back(TextOf(field));
  const bool has_limit = !rule.limit_json.empty();
  text.tail = fmt::format(R"(}},"limit":{}}})", has_limit ? rule.limit_json : "{}");
  return text;
}

JsonAlertEncoder::RulesetText JsonAlertEncoder::TextOf(const agents::RulesetInfo& ruleset) {
  RulesetText text;
  text.name = ruleset.name;
  text.version = ruleset.version;
  text.identity =
      fmt::format(R"(","schema_version":{},"ruleset":{},"ruleset_version":{},"severity":")",
                  kSchemaVersion, JsonString(ruleset.name), JsonString(ruleset.version));
  text.mode = fmt::format(R"(","mode":"{}","score":)", agents::ModeName(ruleset.mode));
  text.alert_above = fmt::format(R"(,"alert_above":{},"account":)", ruleset.alert_above);
  for (const agents::RuleInfo& rule : ruleset.rules) text.rules.push_back(TextOf(rule));
  return text;
}

}  // namespace caracal::pipeline
