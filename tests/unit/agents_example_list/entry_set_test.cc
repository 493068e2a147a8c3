#include "agents/sdk/example/list/entry_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

namespace caracal_list {
namespace {

using namespace std::string_literals;

std::string ErrorOf(const std::string& file) {
  try {
    const EntrySet set(file);
  } catch (const std::invalid_argument& problem) {
    return problem.what();
  }
  return "";
}

TEST(EntrySetTest, HasOneEntryPerLine) {
  const EntrySet set("1042\n7\nMüller & Söhne\n");
  EXPECT_EQ(set.size(), 3U);
  EXPECT_TRUE(set.Contains("1042"));
  EXPECT_TRUE(set.Contains("7"));
  EXPECT_TRUE(set.Contains("Müller & Söhne"));
  for (const char* other : {"", "104", "10422", "1043", "MÜLLER & SÖHNE", "\n"}) {
    EXPECT_FALSE(set.Contains(other)) << other;
  }
}

TEST(EntrySetTest, PassesOverWhatEditorsLeave) {
  const EntrySet set(
      "\xEF\xBB\xBF"
      "1\r\n  2\t\r\n\r\n# 3\n  # 4\n5 # since May\n6#7\n8");
  EXPECT_EQ(set.size(), 5U);
  for (const char* entry : {"1", "2", "5", "6#7", "8"}) EXPECT_TRUE(set.Contains(entry)) << entry;
}

TEST(EntrySetTest, TakesDuplicatesForOne) {
  const EntrySet set("1\n1\n 1\n");
  EXPECT_EQ(set.size(), 1U);
}

TEST(EntrySetTest, MayBeEmpty) {
  const EntrySet set("# nobody yet\n\n");
  EXPECT_EQ(set.size(), 0U);
  EXPECT_FALSE(set.Contains(""));
  EXPECT_FALSE(set.Contains("1"));
}

TEST(EntrySetTest, NamesTheBadLine) {
  EXPECT_EQ(ErrorOf("1\n" + std::string(255, 'x') + "\n"), "");
  EXPECT_EQ(ErrorOf("1\n" + std::string(256, 'x') + "\n"),
            "2: the entry has 256 bytes, more than 255; shorten or remove it");
  EXPECT_EQ(ErrorOf("1\n2\n\xFF\n"), "3: is not UTF-8; save the file as UTF-8");
  EXPECT_EQ(ErrorOf("# M\xFCller\n"), "1: is not UTF-8; save the file as UTF-8");
  EXPECT_EQ(ErrorOf("1\n\0\n"s), "2: a NUL byte; a list is a text file, one entry per line");
  EXPECT_EQ(ErrorOf("1\tMiller\n"),
            "1: a tab or control character inside the entry; a line has one entry alone");
  EXPECT_EQ(ErrorOf("1\r2\n"),
            "1: a tab or control character inside the entry; a line has one entry alone");
}

TEST(EntrySetTest, KnowsUtf8) {
  for (const char* good :
       {"\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(ErrorOf(good), "") << good;
  }
  for (const char* bad : {"\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xED\xA0\x80",
                          "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82"}) {
    EXPECT_NE(ErrorOf(bad), "") << bad;
  }
}

/// Short texts of few letters: many of one length, many nearly the same.
std::string RandomText(std::mt19937& random) {
  std::string text(1 + random() % 20, ' ');
  for (char& c : text) c = "abc0"[random() % 4];
  return text;
}

TEST(EntrySetTest, IsASet) {
  const auto seed = static_cast<uint32_t>(::testing::UnitTest::GetInstance()->random_seed() + 1);
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (const size_t lines : {1U, 2U, 3U, 100U, 5'000U}) {
    std::set<std::string> expected;
    std::string file;
    for (size_t i = 0; i < lines; ++i) file += *expected.insert(RandomText(random)).first + "\r\n";
    const EntrySet set(file);
    EXPECT_EQ(set.size(), expected.size());
    for (const std::string& entry : expected) ASSERT_TRUE(set.Contains(entry)) << entry;
    for (int i = 0; i < 20'000; ++i) {
      const std::string text = RandomText(random);
      ASSERT_EQ(set.Contains(text), expected.count(text) > 0) << text;
    }
  }
}

TEST(EntrySetTest, HoldsMillionsInLittleMemory) {
  constexpr size_t kEntries = 3'000'000;
  constexpr size_t kEntryBytes = 10;
  std::string file;
  file.reserve(kEntries * (kEntryBytes + 1));
  for (size_t i = 0; i < kEntries; ++i) {
    fmt::format_to(std::back_inserter(file), "{:010}\n", i * 977);
  }
  const EntrySet set(file);
  EXPECT_EQ(set.size(), kEntries);
  EXPECT_LE(set.memory_bytes(), kEntries * (kEntryBytes + 7.7)) << "see README.md";
  for (size_t i = 0; i < kEntries; i += 1'001) {
    ASSERT_TRUE(set.Contains(fmt::format("{:010}", i * 977)));
    ASSERT_FALSE(set.Contains(fmt::format("{:010}", i * 977 + 1)));
  }
}

}  // namespace
}  // namespace caracal_list
