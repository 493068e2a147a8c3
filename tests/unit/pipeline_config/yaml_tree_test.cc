#include "pipeline/config/yaml_tree.h"

#include <gtest/gtest.h>

#include "pipeline/config/diagnostics_format.h"

namespace caracal::pipeline {
namespace {

struct Parsed {
  std::optional<YamlNode> root;
  Diagnostics diagnostics;
};

Parsed Parse(const std::string& text, const YamlLimits& limits = {}) {
  Parsed parsed;
  const int32_t source = parsed.diagnostics.AddSource("f", text);
  parsed.root = ParseYaml(text, source, parsed.diagnostics, limits);
  return parsed;
}

DiagnosticCode OnlyCode(const Parsed& parsed) {
  const std::vector<Diagnostic> items = parsed.diagnostics.Sorted();
  EXPECT_EQ(items.size(), 1U);
  return items.empty() ? DiagnosticCode::kFileUnreadable : items.front().code;
}

TEST(YamlTreeTest, KeepsTextsAndPlaces) {
  const Parsed parsed = Parse("a: 4000.00\nb:\n  - 'no'\n  - {c: \"x y\"}\n");
  ASSERT_TRUE(parsed.root.has_value());
  const YamlNode* a = parsed.root->Find("a");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->text, "4000.00");
  EXPECT_FALSE(a->quoted);
  EXPECT_EQ(a->span, (SourceSpan{0, 1, 4, 7}));
  const YamlNode* b = parsed.root->Find("b");
  ASSERT_EQ(b->items.size(), 2U);
  EXPECT_EQ(b->items[0].text, "no");
  EXPECT_TRUE(b->items[0].quoted);
  EXPECT_EQ(b->items[0].span, (SourceSpan{0, 3, 5, 4}));
  EXPECT_EQ(b->items[1].Find("c")->span, (SourceSpan{0, 4, 9, 5}));
  EXPECT_EQ(b->items[1].entries[0].key_span, (SourceSpan{0, 4, 6, 1}));
}

TEST(YamlTreeTest, AnEmptyDocumentIsAnEmptyMap) {
  for (const char* text : {"", "\n", "# only a comment\n", "---\n", "~"}) {
    const Parsed parsed = Parse(text);
    ASSERT_TRUE(parsed.root.has_value()) << text;
    EXPECT_EQ(parsed.root->kind, YamlNode::Kind::kMap) << text;
    EXPECT_TRUE(parsed.diagnostics.ok());
  }
}

TEST(YamlTreeTest, ReportsDuplicateKeysAndKeepsTheFirst) {
  const Parsed parsed = Parse("a: 1\nb: {c: 1, c: 2}\na: 2\n");
  ASSERT_TRUE(parsed.root.has_value());
  EXPECT_EQ(parsed.diagnostics.errors(), 2U);
  EXPECT_EQ(parsed.root->Find("a")->text, "1");
  EXPECT_EQ(parsed.root->Find("b")->Find("c")->text, "1");
}

TEST(YamlTreeTest, ExpandsAliases) {
  const Parsed parsed = Parse("a: &x {k: v}\nb: *x\nc: &y text\nd: [*y, *y]\n");
  ASSERT_TRUE(parsed.root.has_value());
  EXPECT_TRUE(parsed.diagnostics.ok());
  EXPECT_EQ(parsed.root->Find("b")->Find("k")->text, "v");
  EXPECT_EQ(parsed.root->Find("d")->items[1].text, "text");
}

TEST(YamlTreeTest, StopsAnAliasBomb) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 9; ++j) text += (j > 0 ? ", *a" : "*a") + std::to_string(i - 1);
    text += "]\n";
  }
  const Parsed parsed = Parse(text);
  EXPECT_FALSE(parsed.root.has_value());
  EXPECT_EQ(OnlyCode(parsed), DiagnosticCode::kYamlTooLarge);
}

TEST(YamlTreeTest, StopsAnAliasBombOfOneLongText) {
  std::string text = "a: &a " + std::string(100'000, 'x') + "\nb: [";
  for (int i = 0; i < 100; ++i) text += "*a, ";
  const Parsed parsed = Parse(text + "x]\n");
  EXPECT_FALSE(parsed.root.has_value());
  EXPECT_EQ(OnlyCode(parsed), DiagnosticCode::kYamlTooLarge);
}

TEST(YamlTreeTest, RefusesAnAliasInsideItself) {
  const Parsed parsed = Parse("a: &a [1, *a]\n");
  EXPECT_FALSE(parsed.root.has_value());
  EXPECT_EQ(OnlyCode(parsed), DiagnosticCode::kYamlTooLarge);
}

TEST(YamlTreeTest, BoundsDepthAndCount) {
  EXPECT_TRUE(Parse(std::string(3, '[') + std::string(3, ']'), {.depth = 3}).root.has_value());
  EXPECT_FALSE(Parse(std::string(4, '[') + std::string(4, ']'), {.depth = 3}).root.has_value());
  EXPECT_TRUE(Parse("[a, b]", {.nodes = 3}).root.has_value());
  EXPECT_FALSE(Parse("[a, b, c]", {.nodes = 3}).root.has_value());
  EXPECT_FALSE(Parse(std::string(100'000, '[')).root.has_value());
}

TEST(YamlTreeTest, RefusesWhatConfigurationsDoNotUse) {
  EXPECT_EQ(OnlyCode(Parse("a: 1\n---\nb: 2\n")), DiagnosticCode::kYamlFeature);
  EXPECT_EQ(OnlyCode(Parse("a: !!python/object:os.system x\n")), DiagnosticCode::kYamlFeature);
  EXPECT_EQ(OnlyCode(Parse("{[a]: b}")), DiagnosticCode::kYamlFeature);
  EXPECT_EQ(OnlyCode(Parse("a: \xc3\x28\n")), DiagnosticCode::kFileNotText);
  EXPECT_EQ(OnlyCode(Parse(std::string("a: \0\n", 5))), DiagnosticCode::kFileNotText);
}

TEST(YamlTreeTest, KeepsSecretsOutOfQuotedLines) {
  for (const char* text :
       {"sasl.password: hunter2\nsasl.password: hunter2\n", "{sasl.password: hunter2, [x]: y}",
        "sasl.password: [hunter2\n: x", "sasl.password: hunter2: x"}) {
    const Parsed parsed = Parse(text);
    EXPECT_FALSE(parsed.diagnostics.ok()) << text;
    const std::string printed = FormatDiagnostics(parsed.diagnostics, DiagnosticFormat::kText);
    EXPECT_EQ(printed.find("hunter2"), std::string::npos) << printed;
  }
}

TEST(YamlTreeTest, PointsAtSyntaxErrors) {
  const Parsed parsed = Parse("a: 1\nb: [1, 2\nc: 3\n");
  EXPECT_FALSE(parsed.root.has_value());
  EXPECT_EQ(OnlyCode(parsed), DiagnosticCode::kYamlSyntax);
  EXPECT_GE(parsed.diagnostics.Sorted().front().span.line, 2);
}

}  // namespace
}  // namespace caracal::pipeline
