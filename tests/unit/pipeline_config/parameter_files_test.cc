#include "pipeline/config/parameter_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/base/sha256.h"
#include "tests/unit/pipeline_config/config_fixture.h"

namespace caracal::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// A rule of the agent "screen" with these parameters, and two files.
ConfigCase WithParameters(const std::string& parameters) {
  ConfigCase config = MinimalCase();
  config.files["/lists/a.txt"] = "1042\n";
  config.files["/lists/b.txt"] = "7\n";
  config.files["rules.yaml"] = fmt::format(
      "version: 1\nrulesets:\n  - name: r\n    alert_above: 0\n    rules:\n"
      "      - {{id: s, agent: screen, score: 1, {}}}\n",
      parameters);
  return config;
}

const agents::Parameters& ParametersOf(const LoadResult& result) {
  return result.config->rulesets[0].spec.rules[0].parameters;
}

std::string VersionOf(const ConfigCase& config) {
  const LoadResult result = Load(config);
  EXPECT_TRUE(result.config.has_value()) << FindingText(result);
  return result.config.has_value() ? result.config->rulesets[0].spec.version : "";
}

TEST(ParameterFilesTest, ARuleKnowsTheDigestsOfItsFiles) {
  const LoadResult result = Load(WithParameters(
      "model: /lists/a.txt, deny: {accounts: [/lists/b.txt, /lists/a.txt, /lists/b.txt]}"));
  ASSERT_TRUE(result.config.has_value()) << FindingText(result);
  const auto& model =
      std::get<agents::ParameterFile>(ParametersOf(result).values().find("model")->second);
  EXPECT_EQ(model.path, "/lists/a.txt");
  EXPECT_EQ(model.sha256, Sha256Hex("1042\n"));
  const auto& deny = ParametersOf(result).Object("deny").values();
  const auto& files = std::get<std::vector<agents::ParameterFile>>(deny.find("accounts")->second);
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[0].sha256, Sha256Hex("7\n"));
  EXPECT_EQ(files[1].path, "/lists/a.txt");
}

TEST(ParameterFilesTest, TheVersionIsOfTheBytesAndNotOfThePath) {
  const ConfigCase config = WithParameters("deny: {accounts: [/lists/a.txt]}");
  const std::string version = VersionOf(config);
  ConfigCase changed = config;
  changed.files["/lists/a.txt"] = "1043\n";
  EXPECT_NE(VersionOf(changed), version) << "same path, other bytes";
  ConfigCase moved = WithParameters("deny: {accounts: [/other/c.txt]}");
  moved.files["/other/c.txt"] = "1042\n";
  EXPECT_EQ(VersionOf(moved), version) << "same bytes, other path";
  EXPECT_NE(VersionOf(WithParameters("deny: {accounts: [/lists/a.txt, /lists/b.txt]}")), version);
}

TEST(ParameterFilesTest, TheCanonicalTextHoldsTheDigest) {
  const LoadResult result = Load(WithParameters("model: /lists/a.txt"));
  ASSERT_TRUE(result.config.has_value()) << FindingText(result);
  const std::string& text = result.config->rulesets[0].canonical_json;
  EXPECT_THAT(text, HasSubstr(fmt::format(R"("parameters":{{"model":{{"sha256":"{}"}}}})",
                                          Sha256Hex("1042\n"))));
  EXPECT_THAT(text, Not(HasSubstr("/lists")));
}

TEST(ParameterFilesTest, RefusalsSayWhere) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"model: a.txt",
       "rules.yaml:6:49 CFG017 'model' must be the absolute path of a file, not "
       "'a.txt' | begin it with '/'"},
      {"model: \"\"", "rules.yaml:6:49 CFG017"},
      {"model: /lists/none", "rules.yaml:6:49 CFG001 'model': cannot read '/lists/none': No such"},
      {"model: [/lists/a.txt]", "rules.yaml:6:49 CFG010 'model' must be a single value"},
      {"model: {x: y}", "rules.yaml:6:49 CFG010"},
      {"deny: {accounts: /lists/a.txt}", "CFG010 'deny.accounts' must be a list of files"},
      {"deny: {accounts: {list: x}}", "CFG010 'deny.accounts' must be a list of files"},
      {"deny: {accounts: [/lists/a.txt, /lists/none]}",
       "rules.yaml:6:74 CFG001 'deny.accounts': cannot read '/lists/none'"},
      {"deny: {accounts: [b.txt]}", "rules.yaml:6:60 CFG017 'deny.accounts' must be the absolute"},
  };
  for (const auto& [parameters, says] : cases) {
    SCOPED_TRACE(parameters);
    const LoadResult result = Load(WithParameters(parameters));
    EXPECT_FALSE(result.config.has_value());
    EXPECT_THAT(FindingText(result), HasSubstr(says));
  }
}

TEST(ParameterFilesTest, AListHasAtMostAHundredFiles) {
  std::string files;
  for (int i = 0; i < 101; ++i) files += "/lists/a.txt,";
  EXPECT_THAT(FindingText(Load(WithParameters("deny: {accounts: [" + files + "]}"))),
              HasSubstr("CFG015 'deny.accounts' may have at most 100 files"));
}

/// A folder of its own.
class ParameterFilesOnDiskTest : public ::testing::Test {
 protected:
  ParameterFilesOnDiskTest() {
    std::string pattern = ::testing::TempDir() + "/parameter-files-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~ParameterFilesOnDiskTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
    return folder_ + "/" + name;
  }
  std::string ProblemOf(const std::string& path) const {
    ParameterFiles files(disk_);
    std::optional<ValueProblem> problem;
    EXPECT_FALSE(files.Find(path, "model", problem).has_value());
    return problem.has_value() ? problem->message : "";
  }

  const DiskFileReader disk_;
  std::string folder_;
};

TEST_F(ParameterFilesOnDiskTest, OnlyRegularFilesAreTaken) {
  EXPECT_THAT(ProblemOf(folder_), HasSubstr("it is a folder, not a file"));
  const std::string fifo = folder_ + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_THAT(ProblemOf(fifo), HasSubstr("not a regular file"));
}

TEST_F(ParameterFilesOnDiskTest, RefusesMoreThanAGibibyteWithoutReadingIt) {
  const std::string path = Write("huge", "");
  ASSERT_EQ(truncate(path.c_str(), static_cast<off_t>(kMaxParameterFileBytes) + 1), 0);
  EXPECT_THAT(ProblemOf(path), HasSubstr("the file is longer than 1073741824 bytes"));
}

TEST_F(ParameterFilesOnDiskTest, RefusesAFileThatMayNotBeRead) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read every file";
  const std::string path = Write("secret", "1042\n");
  ASSERT_EQ(chmod(path.c_str(), 0), 0);
  EXPECT_THAT(ProblemOf(path), HasSubstr("Permission denied"));
}

TEST_F(ParameterFilesOnDiskTest, OneLoadSeesOneContent) {
  const std::string path = Write("model", "one");
  ParameterFiles files(disk_);
  std::optional<ValueProblem> problem;
  const std::optional<agents::ParameterFile> first = files.Find(path, "model", problem);
  Write("model", "two");
  const std::optional<agents::ParameterFile> second = files.Find(path, "model", problem);
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_EQ(first->sha256, second->sha256);
}

TEST_F(ParameterFilesOnDiskTest, GivesTheBytesOfTheDigestOnly) {
  const std::string path = Write("model", "one");
  const agents::ParameterFile file = {path, Sha256Hex("one")};
  EXPECT_EQ(ReadParameterFile(disk_, file).value(), "one");
  Write("model", "two");
  EXPECT_THAT(agents::MessageOf(ReadParameterFile(disk_, file).status()),
              HasSubstr("has changed since the rules were loaded"));
  std::filesystem::remove(path);
  EXPECT_THAT(agents::MessageOf(ReadParameterFile(disk_, file).status()),
              HasSubstr("which was there when the rules were loaded: No such file"));
}

}  // namespace
}  // namespace caracal::pipeline
