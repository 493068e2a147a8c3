#include "pipeline/config/diagnostics.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "agents/api/check.h"

namespace caracal::pipeline {
namespace {

using Code = DiagnosticCode;
constexpr DiagnosticSeverity kError = DiagnosticSeverity::kError;
constexpr DiagnosticSeverity kWarning = DiagnosticSeverity::kWarning;

constexpr size_t kMaxKept = 1'000;
constexpr size_t kMinSecretBytes = 4;

constexpr auto kInfos = std::to_array<DiagnosticInfo>({
    {Code::kFileUnreadable, "CFG001", kError, "a file cannot be read",
     "check the path and the permissions"},
    {Code::kFileNotText, "CFG002", kError, "a file is too long, or a text is not UTF-8",
     "configuration and rule files are UTF-8 text of at most 1 MiB"},
    {Code::kYamlSyntax, "CFG003", kError, "the file is not valid YAML",
     "check indentation, quotes and brackets at the place shown"},
    {Code::kYamlTooLarge, "CFG004", kError, "the document nests or expands too far",
     "nest at most 24 deep and keep to 20,000 values, aliases counted as often as they are used"},
    {Code::kYamlFeature, "CFG005", kError, "a feature of YAML that configurations do not use",
     "write plain keys and values: no tags, no merge keys, one document per file"},
    {Code::kWrongType, "CFG010", kError, "a value has the wrong type",
     "`caracal list config` shows the type of every key"},
    {Code::kDuplicateKey, "CFG011", kError, "a key is given twice", "remove one of the two"},
    {Code::kUnknownKey, "CFG012", kError, "a key does not exist",
     "`caracal list config` shows all keys"},
    {Code::kMissingKey, "CFG013", kError, "a required key is missing", "add the key"},
    {Code::kMissingUnit, "CFG014", kError, "a duration or size has no unit",
     "write the unit: 250ms, 60s, 64KiB, 512MiB"},
    {Code::kOutOfBounds, "CFG015", kError, "a value is out of bounds",
     "`caracal list config` shows the bounds of every key"},
    {Code::kNotAChoice, "CFG016", kError, "a value is not one of the allowed ones",
     "choose one of those the message names"},
    {Code::kMalformedText, "CFG017", kError, "a text does not have the form of its key",
     "follow the form the message describes"},
    {Code::kEmptyValue, "CFG018", kError, "a key has no value", "give a value or remove the key"},
    {Code::kReferenceSyntax, "CFG020", kError, "a ${...} reference is malformed",
     "write ${env:NAME}, ${env:NAME:-default} or ${file:PATH}; $${ stands for a literal ${"},
    {Code::kVariableUnset, "CFG021", kError, "a referenced environment variable is not set",
     "set the variable or give a default: ${env:NAME:-default}"},
    {Code::kSecretUnreadable, "CFG022", kError, "a referenced file cannot be read",
     "check the path and the permissions; the file may have at most 64 KiB"},
    {Code::kReferenceNewline, "CFG023", kError, "a substituted value contains a line break",
     "substituted values are single lines; one line break at the end of a file is left out"},
    {Code::kSecretExposed, "CFG024", kWarning, "everybody on the machine can read a secret file",
     "chmod o-r the file"},
    {Code::kOverrideSyntax, "CFG030", kError, "an override is malformed",
     "write --set path=value, for example --set kafka.group_id=test or streams[0].topic=t"},
    {Code::kOverrideUnknown, "CFG031", kError, "an override names a key that does not exist",
     "`caracal list config` shows all keys and their environment variables"},
    {Code::kPropertyOwned, "CFG040", kError, "a Kafka property is decided by the engine",
     "remove it; the message names the key that takes its place, if there is one"},
    {Code::kPropertyUnsafe, "CFG041", kError,
     "a Kafka property would run code or switch verification off", "remove it"},
    {Code::kPropertyForeign, "CFG042", kError, "a Kafka property of the Java client",
     "use librdkafka's property that the message names"},
    {Code::kPropertyIneffective, "CFG043", kWarning,
     "Kafka properties that have no effect together", "set security.protocol to SASL_SSL or SSL"},
    {Code::kPropertyRefused, "CFG044", kError, "the Kafka client refuses a property",
     "correct the name or the value; CONFIGURATION.md of librdkafka describes every property"},
    {Code::kUnavailable, "CFG050", kError, "this version cannot do what is configured",
     "follow the message"},
    {Code::kTopicClash, "CFG051", kError, "one topic is named for two purposes",
     "give each purpose its own topic"},
    {Code::kFieldConflict, "CFG052", kError, "settings contradict each other",
     "follow the message"},
    {Code::kCurrencyUndeclared, "CFG053", kError, "the currency of a stream's amounts is unknown",
     "declare currency: EUR, or map the column with fields.currency"},
    {Code::kPlaceTable, "CFG054", kError, "the place table cannot be used",
     "CSV with the header merchant,latitude,longitude and, if wanted, country"},
    {Code::kNoRowIdentity, "CFG055", kWarning, "rows that are delivered twice are judged twice",
     "map the row's identity with fields.id"},
    {Code::kAdminExposed, "CFG056", kWarning, "the admin listener is reachable from other machines",
     "listen on 127.0.0.1, or let only the metrics scraper reach the port"},
    {Code::kRuleFileMissing, "RUL001", kError, "no rule file matches", "check rule_files"},
    {Code::kRulesetTwice, "RUL010", kError, "two rulesets have one name", "rename one"},
    {Code::kRuleTwice, "RUL011", kError, "two rules of a ruleset have one id", "rename one"},
    {Code::kAgentUnknown, "RUL012", kError, "a rule names an agent that does not exist",
     "`caracal list agents` shows all agents"},
    {Code::kParameterUnknown, "RUL013", kError, "a rule has a key that its agent does not know",
     "`caracal list agents` shows the parameters of every agent"},
    {Code::kParameterRefused, "RUL014", kError, "an agent refuses the parameters of a rule",
     "follow the message"},
    {Code::kRuleKey, "RUL015", kError, "a rule counts by a key the stream is not partitioned by",
     "begin the rule's key with the stream's key, or read a topic that is keyed by the other "
     "field"},
    {Code::kAttributeUnknown, "RUL016", kError, "a rule uses an attribute the stream does not map",
     "map its column under the stream's fields"},
    {Code::kMixedCurrencies, "RUL017", kError, "a rule adds up amounts of different currencies",
     "declare the stream's currency, or key or filter the rule by currency"},
    {Code::kStreamUnknown, "RUL018", kError, "a ruleset names a stream that does not exist",
     "use the topic of a stream of the configuration"},
    {Code::kListUnknown, "RUL019", kError, "a rule names a list that does not exist",
     "declare it under lists in the same file"},
    {Code::kNeverAlerts, "RUL030", kWarning, "a ruleset can never alert",
     "lower alert_above, or raise the scores of its enforced rules"},
    {Code::kListUnused, "RUL031", kWarning, "no rule uses a list", "remove the list"},
});

auto SortKey(const Diagnostic& item) {
  return std::make_tuple(item.span.source, item.span.line, item.span.column);
}

}  // namespace

std::span<const DiagnosticInfo> AllDiagnostics() { return kInfos; }

const DiagnosticInfo& InfoOf(DiagnosticCode code) {
  const auto index = static_cast<size_t>(code);
  CHECK(index < kInfos.size() && kInfos[index].code == code);
  return kInfos[index];
}

int32_t Diagnostics::AddSource(std::string name, std::string text) {
  sources_.push_back({std::move(name), std::move(text)});
  return static_cast<int32_t>(sources_.size()) - 1;
}

void Diagnostics::Add(DiagnosticCode code, SourceSpan span, std::string message, std::string hint) {
  for (const Diagnostic& item : items_) {
    if (item.code == code && item.span == span && item.message == message) return;
  }
  (InfoOf(code).severity == kError ? errors_ : warnings_) += 1;
  if (items_.size() < kMaxKept) {
    items_.push_back({code, span, std::move(message), std::move(hint)});
  }
}

void Diagnostics::AddSecret(const std::string& secret) {
  if (secret.size() >= kMinSecretBytes) secrets_.push_back(secret);
}

std::vector<Diagnostic> Diagnostics::Sorted() const {
  std::vector<Diagnostic> sorted = items_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return SortKey(a) < SortKey(b);
  });
  return sorted;
}

const std::string& Diagnostics::SourceName(int32_t source) const {
  static const std::string& nowhere = *new std::string();
  return source < 0 ? nowhere : sources_[static_cast<size_t>(source)].name;
}

std::string_view Diagnostics::SourceLine(int32_t source, int32_t line) const {
  if (source < 0 || line < 1) return {};
  std::string_view rest = sources_[static_cast<size_t>(source)].text;
  for (int32_t skipped = 1; skipped < line; ++skipped) {
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos) return {};
    rest.remove_prefix(end + 1);
  }
  rest = rest.substr(0, rest.find('\n'));
  if (!rest.empty() && rest.back() == '\r') rest.remove_suffix(1);
  return rest;
}

std::string Diagnostics::Masked(std::string_view text) const {
  std::string masked(text);
  for (const std::string& secret : secrets_) {
    for (size_t at = masked.find(secret); at != std::string::npos; at = masked.find(secret, at)) {
      masked.replace(at, secret.size(), secret.size(), '*');
      at += secret.size();
    }
  }
  return masked;
}

}  // namespace caracal::pipeline
