#include "pipeline/tools/generate_command.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <csignal>
#include <string>
#include <vector>

#include "agents/api/status_macros.h"
#include "pipeline/generate/generate_plan.h"
#include "tests/unit/pipeline_generate/temporary_directory.h"

namespace caracal::pipeline {
namespace {

struct Outcome {
  int exit_code = 0;
  std::string out;
  std::string error;
};

// `caracal generate` with these arguments, in this process.
Outcome Generate(std::vector<std::string> arguments) {
  CLI::App app("caracal");
  CommandResult result;
  AddGenerateCommand(app, result);
  std::vector<const char*> argv = {"caracal", "generate"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Outcome outcome;
  try {
    app.parse(static_cast<int>(argv.size()), argv.data());
    outcome.exit_code = result.exit_code;
  } catch (const CLI::ParseError& error) {
    outcome.exit_code = app.exit(error);
  }
  std::fflush(stdout);
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.error = testing::internal::GetCapturedStderr();
  return outcome;
}

TEST(GenerateCommandTest, WritesFileLabelsAndPlaces) {
  const TemporaryDirectory directory;
  const Outcome outcome =
      Generate({"--count", "5000", "--output", directory.File("events"), "--malformed", "0.01",
                "--labels", directory.File("labels"), "--places", directory.File("places")});
  EXPECT_EQ(outcome.exit_code, kExitOk) << outcome.error;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.error.substr(0, 15), "5,000 records (");
  EXPECT_EQ(ReadLines(directory.File("events")).size(), 5000u);
  EXPECT_GT(ReadLines(directory.File("labels")).size(), 20u);
  EXPECT_EQ(ReadLines(directory.File("places")).size(), 5001u);
}

TEST(GenerateCommandTest, WritesDataToStandardOutputAndNothingElse) {
  const Outcome outcome = Generate({"--count", "3", "--output", "-", "--output-format", "kcat-json",
                                    "--profile", "reference", "--seed", "9"});
  EXPECT_EQ(outcome.exit_code, kExitOk) << outcome.error;
  size_t lines = 0;
  std::istringstream text(outcome.out);
  for (std::string line; std::getline(text, line); ++lines) {
    EXPECT_EQ(boost::json::parse(line).at("topic").as_string(), "bank.public.transactions");
  }
  EXPECT_EQ(lines, 3u);
}

TEST(GenerateCommandTest, PrintsTheTable) {
  const Outcome outcome = Generate({"--create-table", "--table", "shop.payments"});
  EXPECT_EQ(outcome.exit_code, kExitOk);
  EXPECT_EQ(outcome.out.substr(0, 46), "CREATE TABLE IF NOT EXISTS \"shop\".\"payments\" (");
  EXPECT_EQ(outcome.error, "");
}

TEST(GenerateCommandTest, ShowsTwoExamplesLast) {
  const Outcome outcome = Generate({"--help"});
  EXPECT_EQ(outcome.exit_code, 0);
  const size_t examples = outcome.out.find("Examples:");
  ASSERT_NE(examples, std::string::npos);
  EXPECT_NE(outcome.out.find("caracal generate --count", examples), std::string::npos);
  EXPECT_NE(outcome.out.find("caracal generate --create-table", examples), std::string::npos);
}

TEST(GenerateCommandTest, RefusesBadOptionsWithASentence) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{}, "--output FILE"},
      {{"--output", "-", "--brokers", "b:1"}, "exclude each other"},
      {{"--output", "-", "--profile", "cars"}, "choose one of cards, reference"},
      {{"--output", "-", "--format", "avro"}, "wrapped, bare, flat"},
      {{"--output", "-", "--decimals", "x"}, "string, base64, double"},
      {{"--output", "-", "--key", "x"}, "account, id"},
      {{"--output", "-", "--output-format", "x"}, "ndjson, kcat-json"},
      {{"--output", "-", "--duration", "10"}, "with its unit"},
      {{"--output", "-", "--late-max", "soon"}, "--late-max"},
      {{"--output", "-", "--start-time", "yesterday"}, "2026-01-05T09:00:00Z"},
      {{"--output", "-", "--rate", "0"}, "--rate is 0"},
      {{"--output", "-", "--count", "0"}, "--count is 0"},
      {{"--output", "-", "--realtime"}, "needs --rate"},
      {{"--output", "-", "--late", "2"}, "--late is 2"},
      {{"--output", "-", "--partitions", "0"}, "--partitions"},
      {{"--output", "-", "--partition", "6"}, "there are 6 partitions"},
      {{"--output", "-", "--profile", "reference", "--zipf", "1"}, "belong to --profile cards"},
      {{"--output", "-", "--event-rate", "1000000"}, "raise --accounts"},
      {{"--output", "-", "--create-table"}, "--create-table"},
      {{"--brokers", "b:1", "--kafka-property", "acks"}, "NAME=VALUE"},
      {{"--brokers", "b:1", "--partitions", "3"}, "the topic knows"},
      {{"--brokers", "b:1", "--record-time", "x"}, "now, event"},
      {{"--postgres", "host=x", "--malformed", "0.1"}, "not rows of a table"},
  };
  for (const auto& [arguments, text] : cases) {
    const Outcome outcome = Generate(arguments);
    EXPECT_EQ(outcome.exit_code, kExitUsage) << text;
    EXPECT_EQ(outcome.error.substr(0, 18), "caracal generate: ") << outcome.error;
    EXPECT_NE(outcome.error.find(text), std::string::npos) << outcome.error;
    EXPECT_EQ(outcome.out, "");
  }
}

TEST(GenerateCommandTest, TellsUnreachableFromUnwritable) {
  EXPECT_EQ(Generate({"--postgres", "host=127.0.0.1 port=1 connect_timeout=2"}).exit_code,
            kExitUnavailable);
  EXPECT_EQ(Generate({"--count", "5", "--output", "/no/such/directory/file"}).exit_code, kExitIo);
  EXPECT_EQ(Generate({"--count", "5000", "--output", "/dev/full"}).exit_code, kExitIo);
}

TEST(GenerateCommandTest, RestoresSignalHandlers) {
  struct sigaction before = {};
  sigaction(SIGINT, nullptr, &before);
  EXPECT_EQ(Generate({"--count", "5", "--output", "/dev/null"}).exit_code, kExitOk);
  struct sigaction after = {};
  sigaction(SIGINT, nullptr, &after);
  EXPECT_EQ(before.sa_handler, after.sa_handler);
}

TEST(GeneratePlanTest, TurnsArgumentsIntoOptions) {
  GenerateArguments arguments;
  arguments.brokers = "b1:9092,b2:9092";
  arguments.table = "shop.payments";
  arguments.source_name = "erp";
  arguments.format = "wrapped";
  arguments.decimals = "base64";
  arguments.key = "id";
  arguments.duration = "1m30s";
  arguments.start_time = "2026-03-01T12:00:00+01:00";
  arguments.kafka_properties = {"security.protocol=ssl", "ssl.ca.location=a=b"};
  arguments.record_time = "event";
  arguments.partition = 2;
  const auto plan = MakeGeneratePlan(arguments, 0);
  ASSERT_TRUE(plan.ok()) << agents::MessageOf(plan.status());
  EXPECT_EQ(plan->sink, SinkChoice::kKafka);
  EXPECT_EQ(plan->kafka.topic, "erp.shop.payments");
  EXPECT_EQ(plan->kafka.brokers, "b1:9092,b2:9092");
  EXPECT_TRUE(plan->kafka.event_timestamps);
  EXPECT_EQ(plan->kafka.properties, (std::vector<std::pair<std::string, std::string>>{
                                        {"security.protocol", "ssl"}, {"ssl.ca.location", "a=b"}}));
  EXPECT_EQ(plan->generator.message.shape, MessageShape::kWrapped);
  EXPECT_EQ(plan->generator.message.decimals, DecimalForm::kBase64);
  EXPECT_EQ(plan->generator.message.key, MessageKey::kId);
  EXPECT_EQ(plan->generator.message.schema, "shop");
  EXPECT_EQ(plan->generator.message.table, "payments");
  EXPECT_EQ(plan->generator.fixed_partition, 2);
  EXPECT_EQ(plan->generator.time.start_us, 1'772'362'800'000'000);
  EXPECT_EQ(plan->limits.duration_us, 90'000'000);
}

TEST(GeneratePlanTest, TakesRealTimeFromTheRate) {
  GenerateArguments arguments;
  arguments.output = "-";
  arguments.realtime = true;
  arguments.rate = 500;
  const auto plan = MakeGeneratePlan(arguments, 1'780'000'000'000'000);
  ASSERT_TRUE(plan.ok());
  EXPECT_TRUE(plan->generator.time.realtime);
  EXPECT_EQ(plan->generator.time.start_us, 1'780'000'000'000'000);
  EXPECT_EQ(plan->generator.time.event_rate, 500);
  EXPECT_FALSE(plan->generator.time.diurnal);
}

}  // namespace
}  // namespace caracal::pipeline
