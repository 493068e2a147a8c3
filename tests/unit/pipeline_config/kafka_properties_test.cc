#include "pipeline/config/kafka_properties.h"

#include <gtest/gtest.h>

#include "pipeline/config/secret_name.h"
#include "tests/unit/pipeline_config/config_fixture.h"

namespace caracal::pipeline {
namespace {

std::string CodeOf(std::string_view name, std::string_view value) {
  const std::optional<PropertyProblem> problem = CheckKafkaProperty(name, value);
  return problem.has_value() ? std::string(InfoOf(problem->code).name) : "fine";
}

TEST(KafkaPropertiesTest, RefusesWhatTheEngineDecides) {
  for (const char* name :
       {"enable.auto.commit", "enable.auto.offset.store", "group.id", "bootstrap.servers",
        "metadata.broker.list", "auto.offset.reset", "isolation.level",
        "partition.assignment.strategy", "transactional.id", "enable.idempotence", "acks",
        "request.required.acks", "rebalance_cb", "log_cb"}) {
    EXPECT_EQ(CodeOf(name, "x"), "CFG040") << name;
  }
}

TEST(KafkaPropertiesTest, RefusesWhatRunsCodeOrLeaks) {
  for (const char* name : {"plugin.library.paths", "sasl.kerberos.kinit.cmd", "ssl.engine.location",
                           "ssl.providers", "debug", "Debug"}) {
    EXPECT_EQ(CodeOf(name, "x"), "CFG041") << name;
  }
}

TEST(KafkaPropertiesTest, RefusesToSwitchVerificationOff) {
  EXPECT_EQ(CodeOf("enable.ssl.certificate.verification", "false"), "CFG041");
  EXPECT_EQ(CodeOf("enable.ssl.certificate.verification", "F"), "CFG041");
  EXPECT_EQ(CodeOf("enable.ssl.certificate.verification", "0"), "CFG041");
  EXPECT_EQ(CodeOf("enable.ssl.certificate.verification", "True"), "fine");
  EXPECT_EQ(CodeOf("ssl.endpoint.identification.algorithm", "none"), "CFG041");
  EXPECT_EQ(CodeOf("ssl.endpoint.identification.algorithm", ""), "CFG041");
  EXPECT_EQ(CodeOf("ssl.endpoint.identification.algorithm", "HTTPS"), "fine");
}

TEST(KafkaPropertiesTest, TranslatesTheJavaClient) {
  const auto problem = CheckKafkaProperty("sasl.jaas.config", "...");
  ASSERT_TRUE(problem.has_value());
  EXPECT_EQ(problem->code, DiagnosticCode::kPropertyForeign);
  EXPECT_EQ(problem->hint, "write sasl.username and sasl.password");
  EXPECT_EQ(CodeOf("ssl.truststore.location", "x"), "CFG042");
  EXPECT_EQ(CodeOf("key.deserializer", "x"), "CFG042");
}

TEST(KafkaPropertiesTest, LeavesTheRestToLibrdkafka) {
  for (const char* name : {"security.protocol", "sasl.username", "ssl.ca.location",
                           "fetch.wait.max.ms", "session.timeout.ms", "no.such.property"}) {
    EXPECT_EQ(CodeOf(name, "x"), "fine") << name;
  }
}

TEST(KafkaPropertiesTest, PassesOnWhatTheClientRefuses) {
  const KafkaClientProperties client = FakeKafkaClient();
  const auto misspelt = CheckKafkaProperty("fetch.wait.max.mss", "5", &client);
  ASSERT_TRUE(misspelt.has_value());
  EXPECT_EQ(misspelt->code, DiagnosticCode::kPropertyRefused);
  EXPECT_EQ(misspelt->message, "librdkafka refuses 'fetch.wait.max.mss': no such property");
  EXPECT_EQ(misspelt->hint, "did you mean 'fetch.wait.max.ms'?");
  EXPECT_FALSE(CheckKafkaProperty("linger.ms", "5", &client).has_value());
  const auto owned = CheckKafkaProperty("acks", "a while", &client);
  ASSERT_TRUE(owned.has_value());
  EXPECT_EQ(owned->code, DiagnosticCode::kPropertyOwned) << "our own reason comes first";
}

TEST(KafkaPropertiesTest, KnowsWhichValuesAreSecret) {
  for (const char* name :
       {"sasl.password", "ssl.key.password", "ssl.keystore.password",
        "sasl.oauthbearer.client.secret", "ssl.key.pem", "sasl.oauthbearer.config"}) {
    EXPECT_TRUE(IsSecretName(name)) << name;
  }
  EXPECT_FALSE(IsSecretName("sasl.username"));
  EXPECT_FALSE(IsSecretName("ssl.ca.location"));
}

}  // namespace
}  // namespace caracal::pipeline
