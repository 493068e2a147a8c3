#include "pipeline/config/diagnostics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "pipeline/config/diagnostics_format.h"

namespace caracal::pipeline {
namespace {

using ::testing::HasSubstr;

/// Two findings in a file of three lines, the later one first.
Diagnostics Sample() {
  Diagnostics diagnostics;
  const int32_t source = diagnostics.AddSource("a.yaml", "kafka:\n\tgrüup: x\npassword: hunter2\n");
  diagnostics.Add(DiagnosticCode::kNoRowIdentity, {source, 3, 1, 8}, "no 100% good: a, b");
  diagnostics.Add(DiagnosticCode::kUnknownKey, {source, 2, 2, 6}, "unknown key 'grüup'",
                  "did you mean 'group'?");
  return diagnostics;
}

TEST(DiagnosticsTest, CodesAreUniqueAndExplained) {
  std::set<std::string_view> names;
  for (const DiagnosticInfo& info : AllDiagnostics()) {
    EXPECT_EQ(&InfoOf(info.code), &info);
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_FALSE(info.meaning.empty()) << info.name;
    EXPECT_FALSE(info.remedy.empty()) << info.name;
  }
}

TEST(DiagnosticsTest, CountsErrorsAndWarningsAndRepetitionsOnce) {
  Diagnostics diagnostics = Sample();
  EXPECT_EQ(diagnostics.errors(), 1U);
  EXPECT_EQ(diagnostics.warnings(), 1U);
  EXPECT_FALSE(diagnostics.ok());
  diagnostics.Add(DiagnosticCode::kUnknownKey, {0, 2, 2, 6}, "unknown key 'grüup'");
  EXPECT_EQ(diagnostics.errors(), 1U);
}

TEST(DiagnosticsTest, KeepsTheFirstThousandAndCountsTheRest) {
  Diagnostics diagnostics;
  const int32_t source = diagnostics.AddSource("a.yaml", "");
  for (int i = 1; i <= 1'500; ++i) {
    diagnostics.Add(DiagnosticCode::kUnknownKey, {source, i, 1, 1}, "unknown");
  }
  EXPECT_EQ(diagnostics.errors(), 1'500U);
  EXPECT_EQ(diagnostics.Sorted().size(), 1'000U);
  EXPECT_THAT(FormatDiagnostics(diagnostics, DiagnosticFormat::kText),
              HasSubstr("... and 500 more\n1500 problems (1500 errors, 0 warnings)"));
}

TEST(DiagnosticsTest, FindsLinesHoweverTheyEnd) {
  Diagnostics diagnostics;
  const int32_t source = diagnostics.AddSource("f", "one\r\ntwo\nthree");
  EXPECT_EQ(diagnostics.SourceLine(source, 1), "one");
  EXPECT_EQ(diagnostics.SourceLine(source, 2), "two");
  EXPECT_EQ(diagnostics.SourceLine(source, 3), "three");
  EXPECT_EQ(diagnostics.SourceLine(source, 4), "");
  EXPECT_EQ(diagnostics.SourceLine(-1, 1), "");
}

TEST(DiagnosticsFormatTest, TextQuotesTheLineInOrderOfPlace) {
  EXPECT_EQ(FormatDiagnostics(Sample(), DiagnosticFormat::kText),
            "a.yaml:2:2: error[CFG012]: unknown key 'grüup'\n"
            "    2 | \tgrüup: x\n"
            "      | \t^^^^^ did you mean 'group'?\n"
            "a.yaml:3:1: warning[CFG055]: no 100% good: a, b\n"
            "    3 | password: hunter2\n"
            "      | ^^^^^^^^\n"
            "2 problems (1 error, 1 warning); `caracal list errors` explains the codes\n");
}

TEST(DiagnosticsFormatTest, TextDoesWithoutALineWhereThereIsNone) {
  Diagnostics diagnostics;
  const int32_t source = diagnostics.AddSource("--set a.b", "");
  diagnostics.Add(DiagnosticCode::kOverrideUnknown, {source, 0, 0, 1}, "message", "hint");
  EXPECT_EQ(FormatDiagnostics(diagnostics, DiagnosticFormat::kText),
            "--set a.b: error[CFG031]: message\n"
            "       hint\n"
            "1 problem (1 error, 0 warnings); `caracal list errors` explains the codes\n");
}

TEST(DiagnosticsFormatTest, TextDoesNotQuoteVeryLongLines) {
  Diagnostics diagnostics;
  const int32_t source = diagnostics.AddSource("f", std::string(500, 'x'));
  diagnostics.Add(DiagnosticCode::kUnknownKey, {source, 1, 1, 500}, "message");
  EXPECT_EQ(FormatDiagnostics(diagnostics, DiagnosticFormat::kText),
            "f:1:1: error[CFG012]: message\n"
            "1 problem (1 error, 0 warnings); `caracal list errors` explains the codes\n");
}

TEST(DiagnosticsFormatTest, JsonHoldsEverythingApart) {
  EXPECT_EQ(FormatDiagnostics(Sample(), DiagnosticFormat::kJson),
            R"({
  "errors": 1,
  "warnings": 1,
  "problems": [
    {
      "code": "CFG012",
      "severity": "error",
      "file": "a.yaml",
      "line": 2,
      "column": 2,
      "length": 6,
      "message": "unknown key 'grüup'",
      "hint": "did you mean 'group'?"
    },
    {
      "code": "CFG055",
      "severity": "warning",
      "file": "a.yaml",
      "line": 3,
      "column": 1,
      "length": 8,
      "message": "no 100% good: a, b"
    }
  ]
}
)");
}

TEST(DiagnosticsFormatTest, GithubCommandsAreEscaped) {
  EXPECT_EQ(FormatDiagnostics(Sample(), DiagnosticFormat::kGithub),
            "::error file=a.yaml,line=2,col=2,title=CFG012::unknown key 'grüup' (did you mean "
            "'group'?)\n"
            "::warning file=a.yaml,line=3,col=1,title=CFG055::no 100%25 good: a, b\n");
}

TEST(DiagnosticsFormatTest, MasksSecretsEverywhere) {
  Diagnostics diagnostics = Sample();
  diagnostics.Add(DiagnosticCode::kNotAChoice, {0, 3, 11, 7}, "'hunter2' is wrong", "not hunter2");
  diagnostics.AddSecret("hunter2");
  diagnostics.AddSecret("x");  // too short to be told from other text
  const std::string text = FormatDiagnostics(diagnostics, DiagnosticFormat::kText);
  EXPECT_THAT(text, HasSubstr("'*******' is wrong"));
  EXPECT_THAT(text, HasSubstr("password: *******\n"));
  EXPECT_THAT(text, HasSubstr("not *******"));
  for (const DiagnosticFormat format :
       {DiagnosticFormat::kText, DiagnosticFormat::kJson, DiagnosticFormat::kGithub}) {
    EXPECT_EQ(FormatDiagnostics(diagnostics, format).find("hunter2"), std::string::npos);
  }
}

TEST(DiagnosticsFormatTest, SaysNothingWhenNothingIsWrong) {
  EXPECT_EQ(FormatDiagnostics({}, DiagnosticFormat::kText), "");
  EXPECT_EQ(FormatDiagnostics({}, DiagnosticFormat::kGithub), "");
  EXPECT_EQ(FormatDiagnostics({}, DiagnosticFormat::kJson),
            "{\n  \"errors\": 0,\n  \"warnings\": 0,\n  \"problems\": []\n}\n");
}

TEST(DiagnosticsFormatTest, KnowsItsNames) {
  EXPECT_EQ(ParseDiagnosticFormat("text"), DiagnosticFormat::kText);
  EXPECT_EQ(ParseDiagnosticFormat("json"), DiagnosticFormat::kJson);
  EXPECT_EQ(ParseDiagnosticFormat("github"), DiagnosticFormat::kGithub);
  EXPECT_EQ(ParseDiagnosticFormat("xml"), std::nullopt);
}

}  // namespace
}  // namespace caracal::pipeline
