#include "pipeline/config/text_form.h"

#include <gtest/gtest.h>

#include "pipeline/base/sha256.h"

namespace caracal::pipeline {
namespace {

namespace v1 = ::caracal::config::v1;

struct FormCase {
  v1::TextForm form;
  std::string text;
  bool good;
};

TEST(TextFormTest, AcceptsAndRefuses) {
  const std::vector<FormCase> cases = {
      {v1::TEXT_FORM_ANY, "any text", true},
      {v1::TEXT_FORM_ANY, "", false},
      {v1::TEXT_FORM_ANY, "two\nlines", false},
      {v1::TEXT_FORM_ANY, std::string(4097, 'x'), false},
      {v1::TEXT_FORM_PROSE, "two\nlines", true},
      {v1::TEXT_FORM_PROSE, std::string("a\0b", 3), false},
      {v1::TEXT_FORM_TOPIC, "bank.public.transactions", true},
      {v1::TEXT_FORM_TOPIC, "..", false},
      {v1::TEXT_FORM_TOPIC, "a/b", false},
      {v1::TEXT_FORM_TOPIC, std::string(250, 'x'), false},
      {v1::TEXT_FORM_HOST_PORT, "127.0.0.1:9464", true},
      {v1::TEXT_FORM_HOST_PORT, "[::1]:9464", true},
      {v1::TEXT_FORM_HOST_PORT, "[]:9464", false},
      {v1::TEXT_FORM_HOST_PORT, "localhost", false},
      {v1::TEXT_FORM_HOST_PORT, ":80", false},
      {v1::TEXT_FORM_HOST_PORT, "host:70000", false},
      {v1::TEXT_FORM_HOST_PORT, "host:65535", true},
      {v1::TEXT_FORM_HOST_PORTS, "a:1, b:2", true},
      {v1::TEXT_FORM_HOST_PORTS, "a:1,", false},
      {v1::TEXT_FORM_CURRENCY, "EUR", true},
      {v1::TEXT_FORM_CURRENCY, "eur", false},
      {v1::TEXT_FORM_NAME, "card-risk_2", true},
      {v1::TEXT_FORM_NAME, "2fast", false},
      {v1::TEXT_FORM_ATTRIBUTE, "card_type", true},
      {v1::TEXT_FORM_ATTRIBUTE, "card-type", false},
      {v1::TEXT_FORM_TIME, "2026-01-31T00:00:00Z", true},
      {v1::TEXT_FORM_TIME, "2026-01-31T00:00:00.25+01:00", true},
      {v1::TEXT_FORM_TIME, "yesterday", false},
      {v1::TEXT_FORM_IDENTITY, "pod-0.Zone_1", true},
      {v1::TEXT_FORM_IDENTITY, "pod 0", false},
      {v1::TEXT_FORM_PROPERTY, "sasl.username", true},
      {v1::TEXT_FORM_PROPERTY, std::string("debug\0", 6), false},
  };
  for (const FormCase& item : cases) {
    EXPECT_EQ(!TextFormProblem(item.form, item.text).has_value(), item.good)
        << v1::TextForm_Name(item.form) << " '" << item.text << "'";
  }
}

TEST(TextFormTest, KnowsWhichAddressesAreOfThisMachineOnly) {
  EXPECT_TRUE(IsLoopback("127.0.0.1:9464"));
  EXPECT_TRUE(IsLoopback("localhost:9464"));
  EXPECT_TRUE(IsLoopback("[::1]:9464"));
  EXPECT_FALSE(IsLoopback("0.0.0.0:9464"));
  EXPECT_FALSE(IsLoopback("[::]:9464"));
}

TEST(TextFormTest, ReadsTimesInMicroseconds) {
  EXPECT_EQ(*ParseTimestamp("1970-01-01T00:00:01.5Z"), 1'500'000);
  EXPECT_FALSE(ParseTimestamp("1970-01-01").ok());
}

TEST(Sha256Test, AgreesWithThePublishedVectors) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex("abc", 12), "ba7816bf8f01");
}

}  // namespace
}  // namespace caracal::pipeline
