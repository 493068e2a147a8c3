#include "pipeline/plugins/plugin_file.h"

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "pipeline/base/sha256.h"

namespace caracal::pipeline {
namespace {

using ::testing::HasSubstr;
using Code = DiagnosticCode;

/// A folder of the test's own, gone afterwards.
class PluginFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/plugin_file_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = std::filesystem::canonical(pattern);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string Write(const std::string& name, const std::string& bytes, mode_t mode = 0644) {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path, std::ios::binary) << bytes;
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }

  /// The front of a shared library for this machine.
  static Elf64_Ehdr Header() {
    Elf64_Ehdr header = {};
    std::ifstream self("/proc/self/exe", std::ios::binary);
    self.read(reinterpret_cast<char*>(&header), sizeof(header));
    header.e_type = ET_DYN;
    return header;
  }
  static std::string BytesOf(const Elf64_Ehdr& header) {
    return {reinterpret_cast<const char*>(&header), sizeof(header)};
  }

  bool Check(const PluginRequest& request) {
    return CheckPluginFile(request, {directory_}, file_, refusal_);
  }
  void ExpectRefused(const PluginRequest& request, Code code, const std::string& says) {
    EXPECT_FALSE(Check(request)) << says;
    EXPECT_EQ(InfoOf(refusal_.code).name, InfoOf(code).name) << refusal_.message;
    EXPECT_THAT(refusal_.message, HasSubstr(says));
  }

  std::string directory_;
  PluginFile file_;
  PluginRefusal refusal_;
};

TEST_F(PluginFileTest, AcceptsALibraryBelowTheDirectory) {
  const std::string bytes = BytesOf(Header());
  const std::string path = Write("good.so", bytes);
  ASSERT_TRUE(Check({path, {}, Sha256Hex(bytes)})) << refusal_.message;
  EXPECT_EQ(file_.path, path);
  EXPECT_EQ(file_.sha256, Sha256Hex(bytes));
}

TEST_F(PluginFileTest, FollowsALinkAndJudgesWhatItPointsTo) {
  const std::string path = Write("good.so.1", BytesOf(Header()));
  const std::string link = directory_ + "/good.so";
  std::filesystem::create_symlink(path, link);
  ASSERT_TRUE(Check({link})) << refusal_.message;
  EXPECT_EQ(file_.path, path);
  const std::string out = directory_ + "/out.so";
  std::filesystem::create_symlink("/proc/self/exe", out);
  ExpectRefused({out}, Code::kPluginPath, "lies in none of the directories");
}

TEST_F(PluginFileTest, RefusesPlacesPluginsMayNotLie) {
  Write("good.so", BytesOf(Header()));
  ExpectRefused({"good.so"}, Code::kPluginPath, "the path is not absolute");
  ExpectRefused({"/proc/self/exe"}, Code::kPluginPath, "lies in none of the directories");
  ExpectRefused({directory_ + "/../x.so"}, Code::kPluginUnreadable, "No such file");
  EXPECT_FALSE(CheckPluginFile({directory_ + "/good.so"}, {"relative"}, file_, refusal_));
  EXPECT_THAT(refusal_.message, HasSubstr("'relative', which is not absolute"));
  EXPECT_FALSE(CheckPluginFile({directory_ + "/good.so"}, {directory_ + "/goo"}, file_, refusal_));
  EXPECT_EQ(refusal_.code, Code::kPluginPath);
}

TEST_F(PluginFileTest, RefusesFilesThatCannotBeRead) {
  ExpectRefused({directory_ + "/missing.so"}, Code::kPluginUnreadable, "No such file");
  std::filesystem::create_directory(directory_ + "/folder");
  ExpectRefused({directory_ + "/folder"}, Code::kPluginUnreadable, "no regular file");
}

TEST_F(PluginFileTest, RefusesFilesItMayNotRead) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  ExpectRefused({Write("secret.so", "x", 0)}, Code::kPluginUnreadable, "Permission denied");
}

TEST_F(PluginFileTest, RefusesFilesThatOthersCouldChange) {
  const std::string bytes = BytesOf(Header());
  ExpectRefused({Write("world.so", bytes, 0646)}, Code::kPluginWritable, "(mode 0646)");
  ExpectRefused({Write("group.so", bytes, 0664)}, Code::kPluginWritable, "chmod go-w");
  const std::string path = Write("good.so", bytes);
  ASSERT_EQ(chmod(directory_.c_str(), 0777), 0);
  ExpectRefused({path}, Code::kPluginWritable, "its directory '" + directory_ + "'");
}

TEST_F(PluginFileTest, RefusesAnotherDigest) {
  const std::string bytes = BytesOf(Header());
  const std::string path = Write("good.so", bytes);
  ExpectRefused({path, {}, std::string(64, '0')}, Code::kPluginDigest, Sha256Hex(bytes));
}

TEST_F(PluginFileTest, RefusesWhatIsNoLibraryForThisMachine) {
  ExpectRefused({Write("empty.so", "")}, Code::kPluginNotALibrary, "is no shared library");
  ExpectRefused({Write("text.so", "#!/bin/sh\n")}, Code::kPluginNotALibrary,
                "is no shared library");
  ExpectRefused({Write("cut.so", BytesOf(Header()).substr(0, 20))}, Code::kPluginNotALibrary,
                "is no 64-bit library");
  Elf64_Ehdr header = Header();
  header.e_ident[EI_CLASS] = ELFCLASS32;
  ExpectRefused({Write("small.so", BytesOf(header))}, Code::kPluginNotALibrary,
                "is no 64-bit library");
  header = Header();
  header.e_machine = EM_S390;
  ExpectRefused({Write("other.so", BytesOf(header))}, Code::kPluginNotALibrary,
                "another processor");
  header = Header();
  header.e_type = ET_REL;
  ExpectRefused({Write("object.so", BytesOf(header))}, Code::kPluginNotALibrary,
                "an object file or a program");
}

}  // namespace
}  // namespace caracal::pipeline
