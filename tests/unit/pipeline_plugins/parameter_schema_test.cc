#include "pipeline/plugins/parameter_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "agents/api/status_macros.h"

namespace caracal::pipeline {
namespace {

using agents::ParameterSpec;
using agents::ParameterType;

std::string ErrorOf(std::string_view schema) {
  const auto specs = ParseParameterSchema(schema);
  return specs.ok() ? std::string() : agents::MessageOf(specs.status());
}

std::string WithProperty(std::string_view property) {
  return fmt::format(R"({{"type": "object", "properties": {{"p": {}}}}})", property);
}

TEST(ParameterSchemaTest, TurnsEveryTypeIntoAParameter) {
  const auto specs = ParseParameterSchema(R"({
    "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "t", "type": "object",
    "additionalProperties": false, "required": ["count"],
    "properties": {
      "on": {"type": "boolean", "default": true, "description": "Whether."},
      "count": {"type": "integer", "minimum": 1, "maximum": 10},
      "ratio": {"type": "number", "minimum": -0.5, "default": 1.25},
      "mode": {"type": "string", "enum": ["fast", "slow"], "default": "slow"},
      "names": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
      "inner": {"type": "object", "required": ["x"], "properties": {"x": {"type": "integer"}}}}})");
  ASSERT_TRUE(specs.ok()) << specs.status();
  ASSERT_EQ(specs->size(), 6U);
  const std::vector<ParameterSpec>& all = *specs;
  EXPECT_EQ(all[0].type, ParameterType::kBool);
  EXPECT_EQ(all[0].default_text, "true");
  EXPECT_EQ(all[0].doc, "Whether.");
  EXPECT_EQ(all[1].type, ParameterType::kInteger);
  EXPECT_TRUE(all[1].required);
  EXPECT_EQ(all[1].min_text, "1");
  EXPECT_EQ(all[1].max_text, "10");
  EXPECT_EQ(all[2].type, ParameterType::kDecimal);
  EXPECT_EQ(all[2].min_text, "-0.5");
  EXPECT_EQ(all[2].default_text, "1.25");
  EXPECT_EQ(all[3].choices, (std::vector<std::string>{"fast", "slow"}));
  EXPECT_EQ(all[4].type, ParameterType::kTextList);
  EXPECT_EQ(all[4].choices.size(), 2U);
  ASSERT_EQ(all[5].fields.size(), 1U);
  EXPECT_TRUE(all[5].fields[0].required);
}

TEST(ParameterSchemaTest, TakesTextsThatNameFiles) {
  const auto specs = ParseParameterSchema(R"({"type": "object", "required": ["model"],
    "properties": {
      "model": {"type": "string", "format": "file", "pattern": "json$"},
      "lists": {"type": "array", "items": {"type": "string", "format": "file"}}}})");
  ASSERT_TRUE(specs.ok()) << specs.status();
  EXPECT_EQ((*specs)[0].type, ParameterType::kFile);
  EXPECT_TRUE((*specs)[0].required);
  ASSERT_NE((*specs)[0].pattern, nullptr);
  EXPECT_TRUE((*specs)[0].pattern->Matches("/m.json"));
  EXPECT_EQ((*specs)[1].type, ParameterType::kFileList);
}

TEST(ParameterSchemaTest, RefusesFormatsItDoesNotCheck) {
  EXPECT_EQ(ErrorOf(WithProperty(R"({"type": "string", "format": "date"})")),
            "properties.p.format: 'date' is not known here; the one format is file, leave another "
            "out and check the value in create");
  EXPECT_EQ(ErrorOf(WithProperty(R"({"type": "string", "format": 1})")),
            "properties.p.format: must be a text, not a number");
  EXPECT_EQ(
      ErrorOf(WithProperty(R"({"type": "array", "items": {"type": "string", "format": "uri"}})")),
      "properties.p.items.format: 'uri' is not known here; the one format is file, leave another "
      "out and check the value in create");
  EXPECT_EQ(ErrorOf(WithProperty(R"({"type": "string", "format": "file", "default": "/x"})")),
            "properties.p.default: a file has none: each rule names its own");
  EXPECT_EQ(ErrorOf(WithProperty(R"({"type": "string", "format": "file", "enum": ["/x"]})")),
            "properties.p.enum: a file has none: each rule names its own");
  EXPECT_EQ(ErrorOf(WithProperty(R"({"type": "integer", "format": "file"})")),
            "properties.p.format: this keyword is not known here; leave it out and check the value "
            "in create");
}

TEST(ParameterSchemaTest, TakesPatternsOfTexts) {
  const auto specs = ParseParameterSchema(R"({"type": "object", "properties": {
      "code": {"type": "string", "pattern": "^[A-Z]{2}$", "default": "FR"},
      "codes": {"type": "array", "items": {"type": "string", "pattern": "[0-9]"}}}})");
  ASSERT_TRUE(specs.ok()) << specs.status();
  ASSERT_EQ(specs->size(), 2U);
  ASSERT_NE((*specs)[0].pattern, nullptr);
  EXPECT_TRUE((*specs)[0].pattern->Matches("DE"));
  EXPECT_FALSE((*specs)[0].pattern->Matches("DEU"));
  ASSERT_NE((*specs)[1].pattern, nullptr);
  EXPECT_TRUE((*specs)[1].pattern->Matches("a1b")) << "a pattern matches anywhere";
}

TEST(ParameterSchemaTest, RefusesPatternsThatCannotBe) {
  EXPECT_EQ(ErrorOf(WithProperty(R"({"type": "string", "pattern": 1})")),
            "properties.p.pattern: must be a text, not a number");
  EXPECT_THAT(ErrorOf(WithProperty(R"({"type": "string", "pattern": "(a"})")),
              ::testing::StartsWith("properties.p.pattern: is no regular expression of RE2: "));
  EXPECT_EQ(ErrorOf(WithProperty(R"({"type": "string", "pattern": "(a)\\1"})")),
            "properties.p.pattern: is no regular expression of RE2: invalid escape sequence: \\1");
  EXPECT_EQ(
      ErrorOf(WithProperty(R"({"type": "integer", "pattern": "1"})")),
      "properties.p.pattern: this keyword is not known here; leave it out and check the value "
      "in create");
  EXPECT_EQ(ErrorOf(WithProperty(R"({"type": "string", "pattern": "^b", "default": "a"})")),
            "properties.p.default: does not match pattern");
  const std::string longest(1'000, 'a');
  EXPECT_EQ(ErrorOf(WithProperty(fmt::format(R"({{"type": "string", "pattern": "{}"}})", longest))),
            "");
  EXPECT_EQ(
      ErrorOf(WithProperty(fmt::format(R"({{"type": "string", "pattern": "{}b"}})", longest))),
      "properties.p.pattern: has 1001 bytes, at most 1000 are allowed");
}

TEST(ParameterSchemaTest, TakesAnAgentWithoutParameters) {
  const auto specs = ParseParameterSchema(R"({"type": "object"})");
  ASSERT_TRUE(specs.ok());
  EXPECT_TRUE(specs->empty());
}

TEST(ParameterSchemaTest, RefusesWhatItWouldNotCheck) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[]", "type: must be"},
      {R"({"type": "object", "oneOf": []})", "oneOf: this keyword is not known"},
      {R"({"type": "object", "additionalProperties": true})",
       "additionalProperties: must be false"},
      {R"({"type": "object", "properties": []})", "properties: must be an object, not an array"},
      {R"({"type": "object", "required": ["x"]})", "required: 'x' is no property"},
      {WithProperty(R"({"type": "string", "oneOf": []})"), "properties.p.oneOf: this keyword"},
      {WithProperty(R"({"type": "string", "minimum": 1})"), "properties.p.minimum: this keyword"},
      {WithProperty(R"({"type": "null"})"), "properties.p.type: 'null' is none of"},
      {WithProperty(R"({"type": ["string"]})"), "properties.p.type: must be a text"},
      {WithProperty("{}"), "properties.p: has no type"},
      {WithProperty("true"), "properties.p: must be an object, not a boolean"},
      {WithProperty(R"({"type": "integer", "minimum": 1.5})"), "minimum: must be a whole number"},
      {WithProperty(R"({"type": "integer", "minimum": "1"})"),
       "minimum: must be a number, not a text"},
      {WithProperty(R"({"type": "number", "maximum": 1e3})"),
       "maximum: must be a number of at most"},
      {WithProperty(R"({"type": "string", "default": 1})"), "default: must be a text"},
      {WithProperty(R"({"type": "string", "enum": ["a"], "default": "b"})"),
       "default: is not in enum"},
      {WithProperty(R"({"type": "string", "enum": []})"), "enum: lists no value"},
      {WithProperty(R"({"type": "string", "enum": [1]})"), "enum: must be a text"},
      {WithProperty(R"({"type": "array"})"), "properties.p: an array needs items"},
      {WithProperty(R"({"type": "array", "items": {"type": "integer"}})"),
       "items: must have type string"},
      {WithProperty(R"({"type": "object", "properties": {"Q": {"type": "string"}}})"),
       "properties.p.properties.Q: a name has lower-case letters"},
      {R"({"type": "object", "required": ["p"],
           "properties": {"p": {"type": "string", "default": "x"}}})",
       "required: 'p' has a default"},
  };
  for (const auto& [schema, message] : cases) {
    EXPECT_NE(ErrorOf(schema).find(message), std::string::npos)
        << schema << "\n  says: " << ErrorOf(schema) << "\n  not:  " << message;
  }
}

}  // namespace
}  // namespace caracal::pipeline
