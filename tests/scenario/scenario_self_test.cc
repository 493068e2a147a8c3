#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/scenario/scenario_check.h"
#include "tests/scenario/scenario_files.h"

/// A scenario that says something wrong fails, and says where.
namespace caracal::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// Two payments within a minute alert; then a tombstone, a snapshot row and bytes that are no JSON.
constexpr const char* kScenario = R"(about: A scenario that holds.
config:
  streams:
    - topic: payments
      fields: {id: id, account: user_id, amount: amount, time: created_at}
      currency: EUR
rulesets:
  - name: burst
    alert_above: 0
    rules:
      - {id: many, agent: velocity, window: 60s, max_count: 1, score: 10}
defaults: {id: $record, user_id: 7, amount: "1.00", created_at: 2026-03-04T10:00:00Z}
records:
  - row: {}
  - {name: second, row: {amount: "2.50"}}
  - tombstone: true
  - {op: r, row: {user_id: 8}}
  - value: nonsense
alerts:
  - {record: second, score: 10, amount: "2.50", reasons: [{rule: many, observed: {count: 2}}]}
skips: {tombstone: 1}
warmed: 1
dead_letters: {malformed_json: [4]}
rules: {burst/many: {evaluations: 2, fired: 1, late: 0}}
)";

std::vector<std::string> Problems(const std::string& text) {
  return ProblemsOf("/case.yaml", text, ".");
}

/// What is wrong once `from` in the scenario reads `to`.
std::vector<std::string> ProblemsWith(const std::string& from, const std::string& to) {
  std::string text = kScenario;
  const size_t place = text.find(from);
  EXPECT_NE(place, std::string::npos) << from;
  return Problems(text.replace(place, from.size(), to));
}

TEST(ScenarioSelfTest, HoldsWhenEverythingIsAsExpected) {
  EXPECT_THAT(Problems(kScenario), IsEmpty());
}

TEST(ScenarioSelfTest, FailsOnAWrongExpectation) {
  EXPECT_THAT(ProblemsWith("count: 2", "count: 3"),
              ElementsAre("/case.yaml:20: record 1: reasons[0].observed.count should be 3, is 2"));
  EXPECT_THAT(ProblemsWith("score: 10, amount", "score: 11, amount"),
              ElementsAre("/case.yaml:20: record 1: score should be 11, is 10"));
  EXPECT_THAT(ProblemsWith(R"(amount: "2.50", reasons)", "amount: null, reasons"),
              ElementsAre(HasSubstr("/case.yaml:20: record 1: amount should be absent, is ")));
  EXPECT_THAT(ProblemsWith("reasons: [{", "reasons: [{rule: many}, {"),
              ElementsAre(HasSubstr("/case.yaml:20: record 1: reasons should be ")));
  EXPECT_THAT(ProblemsWith("score: 10, amount", "scores: 10, amount"),
              ElementsAre("/case.yaml:20: record 1: scores should be 10, is nothing"));
  EXPECT_THAT(ProblemsWith("count: 2", "count: \"2\""), ElementsAre(HasSubstr("should be")));
}

TEST(ScenarioSelfTest, FailsOnAMissingAlert) {
  EXPECT_THAT(ProblemsWith("record: second", "record: 0"),
              UnorderedElementsAre("/case.yaml:20: record 0: missing alert",
                                   HasSubstr("record 1: unexpected alert {\"alert_id\"")));
  EXPECT_THAT(ProblemsWith("score: 10, amount", "ruleset: other, amount"),
              UnorderedElementsAre("/case.yaml:20: record 1: missing alert",
                                   HasSubstr("record 1: unexpected alert")));
}

TEST(ScenarioSelfTest, FailsOnAnUnexpectedAlert) {
  EXPECT_THAT(ProblemsWith("alerts:\n  - {record: second", "alerts: []\n#  - {record: second"),
              ElementsAre(HasSubstr("record 1: unexpected alert {\"alert_id\"")));
}

TEST(ScenarioSelfTest, FailsOnDeadLettersThatDiffer) {
  EXPECT_THAT(ProblemsWith("malformed_json: [4]", "invalid_utf8: [4]"),
              ElementsAre("/case.yaml:23: record 4: dead letter should be invalid_utf8, is "
                          "malformed_json"));
  EXPECT_THAT(ProblemsWith("dead_letters: {malformed_json: [4]}", ""),
              ElementsAre("record 4: unexpected dead letter malformed_json"));
  EXPECT_THAT(
      ProblemsWith("malformed_json: [4]", "malformed_json: [4, 3]"),
      ElementsAre("/case.yaml:23: record 3: dead letter should be malformed_json, is none"));
}

TEST(ScenarioSelfTest, FailsOnCountsThatDiffer) {
  EXPECT_THAT(ProblemsWith("tombstone: 1}", "tombstone: 2}"),
              ElementsAre("/case.yaml:21: skips.tombstone should be 2, is 1"));
  EXPECT_THAT(ProblemsWith("skips: {tombstone: 1}", ""),
              ElementsAre("skips.tombstone is 1, the scenario does not say so"));
  EXPECT_THAT(ProblemsWith("warmed: 1", ""),
              ElementsAre("warmed is 1, the scenario does not say so"));
  EXPECT_THAT(ProblemsWith("late: 0", "late: 1"),
              ElementsAre("/case.yaml:24: rules.burst/many.late should be 1, is 0"));
  EXPECT_THAT(ProblemsWith("late: 0", "later: 0"),
              ElementsAre("/case.yaml:24: nothing is counted as rules.burst/many.later"));
}

TEST(ScenarioSelfTest, ReportsMistakesInTheFileWithTheirLine) {
  const std::vector<std::pair<std::pair<std::string, std::string>, std::string>> cases = {
      {{"about: A", "abuot: A"}, "/case.yaml:1: a scenario knows no 'abuot'"},
      {{"about:", "set: a=b\nabout:"}, "/case.yaml:1: a scenario: 'set' is not a list"},
      {{"tombstone: true", "tombstone: yes"}, "/case.yaml:16: a record: 'tombstone' can only be"},
      {{"row: {user_id: 8}", "rows: {}"}, "/case.yaml:17: a record knows no 'rows'"},
      {{"op: r, row", "row: {}, row"}, "/case.yaml:17: a record: 'row' is given twice"},
      {{"value: nonsense", "{}"}, "/case.yaml:18: a record has one of row, op, value, "},
      {{"value: nonsense", "base64: \"?\""}, "/case.yaml:18: not base64"},
      {{"value: nonsense", "{topic: other, value: x}"},
       "/case.yaml:18: there is no stream 'other'"},
      {{"record: second", "record: 5"}, "/case.yaml:20: there is no record 5"},
      {{"record: second", "record: third"}, "/case.yaml:20: 'third' is not an integer"},
      {{"warmed: 1", "warmed: one"}, "/case.yaml:22: 'one' is not an integer"},
      {{"warmed: 1", "warmed: [1"}, "/case.yaml:"},
      {{"currency: EUR", "curency: EUR"}, "/./case.yaml:6:7: error"},
      {{"max_count: 1", "max_cout: 1"}, "/case.yaml:11:"},
  };
  for (const auto& [change, expected] : cases) {
    const std::vector<std::string> problems = ProblemsWith(change.first, change.second);
    EXPECT_THAT(problems, testing::Contains(HasSubstr(expected))) << change.second;
  }
  EXPECT_THAT(Problems("about: x\nconfig: {}\n"),
              ElementsAre("/case.yaml:2: 'config' is neither a path nor settings"));
  EXPECT_THAT(Problems("about: x\nconfig: {streams: []}\n"),
              ElementsAre(HasSubstr("/case.yaml:2: write 'config' as a block")));
  EXPECT_THAT(Problems("about: x\nconfig: no/such/file.yaml\n"),
              ElementsAre(HasSubstr("./no/such/file.yaml")));
  EXPECT_THAT(Problems("- about"), ElementsAre(HasSubstr("/case.yaml:1: a scenario is a mapping")));
}

TEST(ScenarioSelfTest, FindsNoScenariosWhereThereAreNone) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "caracal_scenario_self_test";
  std::filesystem::remove_all(folder);
  EXPECT_THAT(ScenarioNames(folder.string()), IsEmpty());
  std::filesystem::create_directory(folder);
  EXPECT_THAT(ScenarioNames(folder.string()), IsEmpty());
  std::filesystem::create_directory(folder / "not-a-scenario.yaml");
  EXPECT_THAT(ScenarioNames(folder.string()), IsEmpty());
  EXPECT_THAT(StrangersIn(folder.string()), ElementsAre("not-a-scenario.yaml"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace caracal::pipeline
