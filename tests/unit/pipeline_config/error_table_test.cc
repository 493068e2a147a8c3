#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "pipeline/config/diagnostics.h"
#include "tests/unit/pipeline_config/config_fixture.h"

namespace caracal::pipeline {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

/// One thing that is wrong, and what must be said of it: nothing else may be.
struct ErrorCase {
  std::string name;
  /// Replaces `from` in the configuration (or in the rules, when it is found there).
  std::string from;
  std::string to;
  std::vector<std::string> findings;
  /// Part of the message or hint.
  std::string says;
};

ConfigCase Apply(const ErrorCase& item) {
  ConfigCase config = MinimalCase();
  bool replaced = false;
  for (auto& [path, text] : config.files) {
    const size_t at = text.find(item.from);
    if (replaced || at == std::string::npos) continue;
    text.replace(at, item.from.size(), item.to);
    replaced = true;
  }
  EXPECT_TRUE(replaced) << item.name;
  return config;
}

const std::vector<ErrorCase> kConfigCases = {
    {"NotUtf8", "{topic: a}", "{topic: \xff}", {"caracal.yaml:4:17 CFG002"}, "0xff"},
    {"Syntax", "{topic: a}", "{topic: a", {"caracal.yaml:5:13 CFG003"}, ""},
    {"TooDeep",
     "{topic: a}",
     std::string(30, '['),
     {"caracal.yaml:4:21 CFG004"},
     "more than 24 deep"},
    {"Tag", "{topic: a}", "{topic: !!int a}", {"caracal.yaml:4:17 CFG005"}, "tag"},
    {"MergeKey", "{topic: a}", "{topic: a, <<: {}}", {"caracal.yaml:4:20 CFG005"}, "merge"},
    {"KeyIsAList", "{topic: a}", "{topic: a, [b]: c}", {"caracal.yaml:4:20 CFG005"}, "a list"},
    {"ListForSection",
     "alerts: {topic: a}",
     "alerts: [a]",
     {"caracal.yaml:4:9 CFG010"},
     "'alerts' must be a map, not a list"},
    {"MapForText",
     "{topic: a}",
     "{topic: {x: y}}",
     {"caracal.yaml:4:17 CFG010"},
     "'alerts.topic' must be a single value"},
    {"TextForList", "[rules.yaml]", "rules.yaml", {"caracal.yaml:7:13 CFG010"}, "must be a list"},
    {"TextForNumber",
     "{topic: s}",
     "{topic: s, buckets: many}",
     {"caracal.yaml:6:28 CFG010"},
     "a whole number"},
    {"TextForBool",
     "dead_letters:",
     "admin: {allow_remote_mutations: yes}\ndead_letters:",
     {"caracal.yaml:5:33 CFG010"},
     "true or false"},
    {"MalformedDuration",
     "dead_letters:",
     "engine: {commit_interval: 1 s}\ndead_letters:",
     {"caracal.yaml:5:27 CFG010"},
     "a duration like"},
    {"DuplicateKey",
     "alerts: {topic: a}",
     "alerts: {topic: a, topic: b}",
     {"caracal.yaml:4:20 CFG011"},
     "first given in line 4"},
    {"UnknownKey",
     "bootstrap_servers",
     "boostrap_servers",
     {"caracal.yaml:1:9 CFG012"},
     "did you mean 'bootstrap_servers'?"},
    {"UnknownSection",
     "dead_letters:",
     "colour: red\ndead_letters:",
     {"caracal.yaml:5:1 CFG012"},
     "unknown key 'colour' in the configuration"},
    {"MisspeltSecret",
     "{topic: s}",
     "{topic: s, hash_sede: 0123456789abcdef}",
     {"caracal.yaml:6:19 CFG012"},
     "did you mean 'hash_seed'?"},
    {"MissingKey",
     "alerts: {topic: a}",
     "alerts: {}",
     {"caracal.yaml:4:1 CFG013"},
     "required key 'topic' is missing in 'alerts'"},
    {"MissingSection", "alerts: {topic: a}\n", "", {"caracal.yaml:1:1 CFG013"}, "'alerts'"},
    {"MissingUnit",
     "dead_letters:",
     "engine: {commit_interval: 250}\ndead_letters:",
     {"caracal.yaml:5:27 CFG014"},
     "250ms"},
    {"MissingSizeUnit",
     "{topic: s}",
     "{topic: s, max_bytes_per_partition: 512}",
     {"caracal.yaml:6:44 CFG014"},
     "512MiB"},
    {"TooSmall",
     "{topic: s}",
     "{topic: s, buckets: 0}",
     {"caracal.yaml:6:28 CFG015"},
     "at least 1, not 0"},
    {"TooLarge",
     "dead_letters:",
     "engine: {commit_interval: 1h}\ndead_letters:",
     {"caracal.yaml:5:27 CFG015"},
     "at most 10s, not 1h"},
    {"TooShort",
     "{topic: s}",
     "{topic: s, hash_seed: secret}",
     {"caracal.yaml:6:30 CFG015"},
     "at least 16 characters, not 6"},
    {"NoEntries", "[rules.yaml]", "[]", {"caracal.yaml:7:13 CFG015"}, "at least one entry"},
    {"NotAChoice",
     "{topic: d}",
     "{topic: d, on_storm: pauze}",
     {"caracal.yaml:5:36 CFG016"},
     "did you mean 'pause'?"},
    {"StaticWithoutName",
     "\"localhost:9092\"",
     "\"localhost:9092\", static_membership: true",
     {"caracal.yaml:1:46 CFG013"},
     "'instance_id' is missing"},
    {"BadTopic", "{topic: a}", "{topic: a b}", {"caracal.yaml:4:17 CFG017"}, "topic name"},
    {"BadStart",
     "{topic: t,",
     "{topic: t, start: {from: soon},",
     {"caracal.yaml:3:30 CFG017"},
     "'earliest' or 'latest'"},
    {"BadAttributeName",
     "id: id,",
     "id: id, attributes: {Channel: c},",
     {"caracal.yaml:3:61 CFG017"},
     "'Channel' is not a name"},
    {"BadProperty",
     "\"localhost:9092\"",
     "\"localhost:9092\", properties: {\"a b\": c}",
     {"caracal.yaml:1:59 CFG017"},
     "librdkafka property"},
    {"NulInProperty",
     "\"localhost:9092\"",
     "\"localhost:9092\", properties: {a: \"x\\0\"}",
     {"caracal.yaml:1:62 CFG017"},
     "NUL"},
    {"NoValue",
     "alerts: {topic: a}",
     "alerts:\n  topic:",
     {"caracal.yaml:5:3 CFG018"},
     "has no value"},
    {"ReferenceWithoutScheme",
     "{topic: a}",
     "{topic: \"${TOPIC}\"}",
     {"caracal.yaml:4:17 CFG020"},
     "write ${env:NAME}"},
    {"VariableUnset",
     "{topic: a}",
     "{topic: \"${env:TOPIC}\"}",
     {"caracal.yaml:4:17 CFG021"},
     "TOPIC is not set"},
    {"SecretMissing",
     "{topic: a}",
     "{topic: \"${file:topic}\"}",
     {"caracal.yaml:4:17 CFG022"},
     "cannot read 'topic'"},
    {"OwnedProperty",
     "\"localhost:9092\"",
     "\"localhost:9092\", properties: {acks: 1}",
     {"caracal.yaml:1:59 CFG040"},
     "decided by the engine"},
    {"UnsafeProperty",
     "\"localhost:9092\"",
     "\"localhost:9092\", consumer: {properties: {debug: all}}",
     {"caracal.yaml:1:70 CFG041"},
     "not allowed"},
    {"JavaProperty",
     "\"localhost:9092\"",
     "\"localhost:9092\", producer: {properties: {max.block.ms: 1}}",
     {"caracal.yaml:1:70 CFG042"},
     "Java"},
    {"PlaintextPassword",
     "\"localhost:9092\"",
     "\"localhost:9092\", properties: {sasl.username: me}",
     {"caracal.yaml:1:59 CFG043"},
     "plaintext"},
    {"MisspeltProperty",
     "\"localhost:9092\"",
     "\"localhost:9092\", properties: {fetch.wait.max.mss: 5}",
     {"caracal.yaml:1:59 CFG044"},
     "no such property"},
    {"PropertyValue",
     "\"localhost:9092\"",
     "\"localhost:9092\", producer: {properties: {linger.ms: a while}}",
     {"caracal.yaml:1:70 CFG044"},
     "no number"},
    {"Avro",
     "{topic: t,",
     "{topic: t, format: confluent-avro,",
     {"caracal.yaml:3:24 CFG050"},
     "not built into this version"},
    {"TopicTwice",
     "{topic: d}",
     "{topic: a}",
     {"caracal.yaml:5:23 CFG051"},
     "it is the alert topic already"},
    {"StateIsSource", "{topic: s}", "{topic: t}", {"caracal.yaml:6:16 CFG051"}, "a source already"},
    {"HalfALocation",
     "id: id,",
     "id: id, latitude: lat,",
     {"caracal.yaml:3:58 CFG052"},
     "together or not at all"},
    {"FixedAttribute",
     "id: id,",
     "id: id, attributes: {device: d},",
     {"caracal.yaml:3:61 CFG052"},
     "write it as fields.device"},
    {"PlacesWithoutMerchant",
     "{topic: t,",
     "{topic: t, places: {file: rules.yaml},",
     {"caracal.yaml:3:24 CFG052"},
     "map fields.merchant"},
    {"NoCurrency", "currency: EUR, ", "", {"caracal.yaml:3:51 CFG053"}, "declare currency: EUR"},
    {"NoIdentity", "id: id, ", "", {"caracal.yaml:3:31 CFG055"}, "map fields.id"},
    {"OpenAdmin",
     "dead_letters:",
     "admin: {listen: \"0.0.0.0:9464\"}\ndead_letters:",
     {"caracal.yaml:5:17 CFG056"},
     "no password"},
    {"NoRuleFile",
     "[rules.yaml]",
     "[nothing/*.yaml]",
     {"caracal.yaml:7:14 RUL001"},
     "no file matches 'nothing/*.yaml'"},
};

const std::vector<ErrorCase> kRuleCases = {
    {"Version", "version: 1", "version: 2", {"rules.yaml:1:10 CFG015"}, "at most 1"},
    {"RulesetTwice",
     "  - name: burst",
     "  - {name: burst, alert_above: 0, rules: [{id: r, agent: geo, score: 1}]}\n  - name: burst",
     {"rules.yaml:4:11 RUL010"},
     "exists already in rules.yaml"},
    {"RuleTwice",
     "    rules:\n",
     "    rules:\n      - {id: many, agent: geo, score: 1}\n",
     {"rules.yaml:7:14 RUL011"},
     "'many' exists already"},
    {"AgentUnknown",
     "agent: velocity",
     "agent: velocty",
     {"rules.yaml:6:27 RUL012"},
     "did you mean 'velocity'?"},
    {"ParameterUnknown",
     "max_count: 5",
     "max_cuont: 5",
     {"rules.yaml:6:50 RUL013"},
     "did you mean 'max_count'?"},
    {"RequiredParameterMisspelt",
     "window: 60s",
     "windw: 60s",
     {"rules.yaml:6:37 RUL013"},
     "did you mean 'window'?"},
    {"ParameterMissing", "window: 60s, ", "", {"rules.yaml:6:9 CFG013"}, "needs 'window'"},
    {"ParameterType",
     "max_count: 5",
     "max_count: five",
     {"rules.yaml:6:61 CFG010"},
     "a whole number"},
    {"ParameterUnit", "window: 60s", "window: 60", {"rules.yaml:6:45 CFG014"}, "write 60s"},
    {"ParameterBound", "max_count: 5", "max_count: 101", {"rules.yaml:6:61 CFG015"}, "at most 100"},
    {"ParameterChoice",
     "max_count: 5",
     "max_count: 5, refunds: includ",
     {"rules.yaml:6:73 CFG016"},
     "did you mean 'include'?"},
    {"ParameterEmpty", "max_count: 5", "max_count: ", {"rules.yaml:6:50 CFG018"}, "no value"},
    {"ParameterKind",
     "max_count: 5",
     "max_count: 5, distinct: [x]",
     {"rules.yaml:6:74 CFG010"},
     "must be a map, not a list"},
    {"NestedUnknown",
     "max_count: 5",
     "distinct: {attribute: card_type, mx: 3}",
     {"rules.yaml:6:83 RUL013"},
     "did you mean 'max'?"},
    {"NestedMissing",
     "max_count: 5",
     "distinct: {max: 3}",
     {"rules.yaml:6:60 CFG013"},
     "needs 'distinct.attribute'"},
    {"AgentRefuses",
     "max_count: 5",
     "distinct: {attribute: device}",
     {"rules.yaml:6:72 RUL014"},
     "rule 'many' on stream 't': distinct.attribute: not mapped"},
    {"AgentRefusesTheRule", ", max_count: 5", "", {"rules.yaml:6:9 RUL014"}, "give max_count"},
    {"MoneyScale",
     "agent: velocity, window: 60s, max_count: 5",
     "agent: amount, profile: {ratio: 3, floor: \"5.001\"}",
     {"rules.yaml:6:62 RUL014"},
     "amount_scale"},
    {"BadAgentSpecs",
     "agent: velocity, window: 60s, max_count: 5",
     "agent: broken, limit: 5",
     {"rules.yaml:6:9 RUL014", "rules.yaml:6:9 RUL014", "rules.yaml:6:42 RUL014"},
     "report it to the author"},
    {"KeyOfAnotherField",
     "score: 40",
     "score: 40, key: card_type",
     {"rules.yaml:6:80 RUL015"},
     "write key: [account, card_type], or read a topic"},
    {"KeyIsTheColumn",
     "score: 40",
     "score: 40, key: [user_id]",
     {"rules.yaml:6:80 RUL015"},
     "rules call the column 'user_id' by its field: account"},
    {"KeyTwice",
     "score: 40",
     "score: 40, key: [account, account]",
     {"rules.yaml:6:80 RUL015", "rules.yaml:6:90 RUL016"},
     "names 'account' twice"},
    {"KeyUnknown",
     "score: 40",
     "score: 40, key: [account, cardtype]",
     {"rules.yaml:6:90 RUL016"},
     "did you mean 'card_type'?"},
    {"FilterUnknown",
     "score: 40",
     "score: 40, when: {country: FR}",
     {"rules.yaml:6:82 RUL016"},
     "maps no attribute 'country'"},
    {"FilterEmpty",
     "score: 40",
     "score: 40, when: {card_type: []}",
     {"rules.yaml:6:82 CFG052"},
     "needs values or a list"},
    {"StreamUnknown",
     "    rules:",
     "    streams: [tt]\n    rules:",
     {"rules.yaml:5:15 RUL018"},
     "there is no stream 'tt'"},
    {"ListUnknown",
     "score: 40",
     "score: 40, when: {card_type: {list: cards}}",
     {"rules.yaml:6:100 RUL019"},
     "no list 'cards'"},
    {"ListUnused",
     "rulesets:",
     "lists: {cards: [VISA]}\nrulesets:",
     {"rules.yaml:2:9 RUL031"},
     "no rule uses list 'cards'"},
    {"ListFileMissing",
     "rulesets:",
     "lists: {cards: {file: cards.txt}}\nrulesets:",
     {"rules.yaml:2:9 RUL031", "rules.yaml:2:23 CFG001"},
     "cannot read 'cards.txt'"},
    {"NeverAlerts",
     "alert_above: 10",
     "alert_above: 40",
     {"rules.yaml:4:18 RUL030"},
     "add up to 40, which is not above 40"},
};

class ErrorTableTest : public ::testing::TestWithParam<ErrorCase> {};

TEST_P(ErrorTableTest, ReportsExactlyWhatIsWrongAndWhere) {
  const LoadResult result = Load(Apply(GetParam()));
  EXPECT_THAT(Findings(result), ElementsAreArray(GetParam().findings)) << FindingText(result);
  EXPECT_THAT(FindingText(result), HasSubstr(GetParam().says));
  EXPECT_EQ(result.config.has_value(), result.diagnostics.ok());
}

std::string NameOf(const ::testing::TestParamInfo<ErrorCase>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Config, ErrorTableTest, ::testing::ValuesIn(kConfigCases), NameOf);
INSTANTIATE_TEST_SUITE_P(Rules, ErrorTableTest, ::testing::ValuesIn(kRuleCases), NameOf);

TEST(ErrorTableTest, TheMinimalConfigurationIsFine) {
  const LoadResult result = Load(MinimalCase());
  EXPECT_EQ(FindingText(result), "");
  EXPECT_TRUE(result.config.has_value());
}

TEST(ErrorTableTest, EveryCodeHasACase) {
  std::set<std::string> covered = {
      // In tests of their own: they need more than one edit of the minimal files.
      "CFG001", "CFG023", "CFG024", "CFG030", "CFG031", "CFG054", "RUL017",
      // In tests/unit/pipeline_plugins: they need plugins.
      "PLG001", "PLG002", "PLG003", "PLG004", "PLG005", "PLG006", "PLG010", "PLG011", "PLG012",
      "PLG013"};
  for (const auto* cases : {&kConfigCases, &kRuleCases}) {
    for (const ErrorCase& item : *cases) {
      for (const std::string& finding : item.findings) {
        covered.insert(finding.substr(finding.rfind(' ') + 1));
      }
    }
  }
  for (const DiagnosticInfo& info : AllDiagnostics()) {
    EXPECT_EQ(covered.count(std::string(info.name)), 1U) << info.name;
  }
}

}  // namespace
}  // namespace caracal::pipeline
