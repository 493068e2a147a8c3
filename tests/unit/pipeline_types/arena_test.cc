#include "pipeline/types/arena.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace caracal::pipeline {
namespace {

TEST(ArenaTest, KeepsEveryCopyUntilItIsDestroyed) {
  Arena arena;
  std::vector<std::string> originals;
  std::vector<std::string_view> copies;
  for (size_t i = 0; i < 5'000; ++i) {
    originals.push_back(std::string(i % 97, static_cast<char>('a' + i % 26)));
    copies.push_back(arena.Copy(originals.back()));
  }
  for (size_t i = 0; i < copies.size(); ++i) EXPECT_EQ(copies[i], originals[i]);
}

TEST(ArenaTest, ServesSizesBeyondABlockAndAligns) {
  Arena arena;
  EXPECT_EQ(arena.Copy(std::string(1'000'000, 'x')).size(), 1'000'000U);
  arena.Allocate(1);
  const std::span<std::string_view> views = arena.AllocateViews(3);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(views.data()) % alignof(std::string_view), 0U);
  EXPECT_EQ(views[2].data(), nullptr);
}

}  // namespace
}  // namespace caracal::pipeline
