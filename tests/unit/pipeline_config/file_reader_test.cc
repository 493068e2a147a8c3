#include "pipeline/config/file_reader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace caracal::pipeline {
namespace {

/// A directory of its own, removed afterwards.
class DiskFileReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/file_reader_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string Write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path) << text;
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }

  std::string directory_;
  DiskFileReader reader_;
};

TEST_F(DiskFileReaderTest, ReadsAFileAndSaysWhoMayReadIt) {
  const auto closed = reader_.Read(Write("closed", "abc"), 10);
  ASSERT_TRUE(closed.ok());
  EXPECT_EQ(closed->text, "abc");
  EXPECT_FALSE(closed->world_readable);
  EXPECT_TRUE(reader_.Read(Write("open", "abc", 0644), 10)->world_readable);
}

TEST_F(DiskFileReaderTest, RefusesWhatIsTooLongMissingOrNoFile) {
  EXPECT_EQ(reader_.Read(Write("long", "abcd"), 3).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(reader_.Read(directory_ + "/nothing", 3).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(reader_.Read(directory_, 3).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(DiskFileReaderTest, DoesNotHangOnAFifo) {
  const std::string fifo = directory_ + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(reader_.Read(fifo, 3).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(DiskFileReaderTest, MatchesPatternsSorted) {
  Write("b.yaml", "");
  Write("a.yaml", "");
  Write("c.txt", "");
  EXPECT_EQ(reader_.Glob(directory_ + "/*.yaml"),
            (std::vector<std::string>{directory_ + "/a.yaml", directory_ + "/b.yaml"}));
  EXPECT_EQ(reader_.Glob(directory_ + "/c.txt"), (std::vector<std::string>{directory_ + "/c.txt"}));
  EXPECT_TRUE(reader_.Glob(directory_ + "/*.json").empty());
}

TEST(MemoryFileReaderTest, BehavesLikeTheDisk) {
  const MemoryFileReader reader({{"rules/a.yaml", {"abc"}}, {"rules/sub/b.yaml", {""}}});
  EXPECT_EQ(reader.Read("rules/a.yaml", 3)->text, "abc");
  EXPECT_EQ(reader.Read("rules/a.yaml", 2).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(reader.Read("nothing", 2).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(reader.Glob("rules/*.yaml"), (std::vector<std::string>{"rules/a.yaml"}));
}

TEST(ResolvePathTest, StartsFromTheDirectoryOfTheFile) {
  EXPECT_EQ(ResolvePath("etc/caracal.yaml", "rules/*.yaml"), "etc/rules/*.yaml");
  EXPECT_EQ(ResolvePath("caracal.yaml", "rules.yaml"), "rules.yaml");
  EXPECT_EQ(ResolvePath("etc/caracal.yaml", "/rules.yaml"), "/rules.yaml");
}

}  // namespace
}  // namespace caracal::pipeline
