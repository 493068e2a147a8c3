#include "agents/state/huge_page_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "agents/state/memory_block.h"

namespace caracal::agents {
namespace {

uintptr_t PlaceOf(const std::byte* block) { return reinterpret_cast<uintptr_t>(block); }

TEST(HugePagePoolTest, HoldsNothingBeforeTheFirstBlock) { EXPECT_EQ(HugePagePool().bytes(), 0U); }

TEST(HugePagePoolTest, CutsBlocksFromOneSpan) {
  HugePagePool pool;
  std::byte* const first = pool.Allocate(10'000);
  std::byte* const second = pool.Allocate(HugePagePool::kUnitBytes);
  EXPECT_EQ(pool.bytes(), HugePagePool::kSpanBytes);
  EXPECT_EQ(PlaceOf(first) / kHugePageBytes, PlaceOf(second) / kHugePageBytes);
  EXPECT_EQ(PlaceOf(first) % HugePagePool::kUnitBytes, 0U);
  EXPECT_GE(std::max(first, second) - std::min(first, second), 4096);
  pool.Free(first, 10'000);
  pool.Free(second, HugePagePool::kUnitBytes);
}

TEST(HugePagePoolTest, UsesTheSmallestPieceThatFits) {
  HugePagePool pool;
  std::byte* const large = pool.Allocate(60 << 10);
  std::byte* const between = pool.Allocate(4 << 10);
  std::byte* const small = pool.Allocate(8 << 10);
  std::byte* const rest = pool.Allocate(kHugePageBytes - (72 << 10));
  pool.Free(large, 60 << 10);
  pool.Free(small, 8 << 10);
  std::byte* const again = pool.Allocate(8 << 10);
  EXPECT_EQ(again, small);
  pool.Free(again, 8 << 10);
  pool.Free(between, 4 << 10);
  pool.Free(rest, kHugePageBytes - (72 << 10));
}

TEST(HugePagePoolTest, KeepsBlocksThatFillSpansApartFromOthers) {
  HugePagePool pool;
  std::byte* const odd = pool.Allocate(100'000);
  std::vector<std::byte*> even;
  for (size_t bytes = 0; bytes < HugePagePool::kSpanBytes; bytes += HugePagePool::kEvenBytes) {
    even.push_back(pool.Allocate(HugePagePool::kEvenBytes));
  }
  EXPECT_EQ(pool.bytes(), 2 * HugePagePool::kSpanBytes) << "the even ones fill a span";
  pool.Free(odd, 100'000);
  EXPECT_EQ(pool.bytes(), HugePagePool::kSpanBytes);
  for (std::byte* block : even) pool.Free(block, HugePagePool::kEvenBytes);
  EXPECT_EQ(pool.bytes(), 0U);
}

TEST(HugePagePoolTest, TakesABlockAsLongAsAPage) {
  HugePagePool pool;
  std::byte* const block = pool.Allocate(kHugePageBytes);
  EXPECT_EQ(PlaceOf(block) % kHugePageBytes, 0U);
  std::memset(block, 1, kHugePageBytes);
  pool.Free(block, kHugePageBytes);
}

TEST(HugePagePoolTest, GivesSpansBackWhenAllOfThemIsFree) {
  HugePagePool pool;
  std::vector<std::byte*> blocks;
  for (int i = 0; i < 160; ++i) blocks.push_back(pool.Allocate(100'000));
  EXPECT_EQ(pool.bytes(), 2 * HugePagePool::kSpanBytes);
  // In an order that leaves gaps on both sides of what is still lent.
  for (size_t i = 0; i < blocks.size(); i += 2) pool.Free(blocks[i], 100'000);
  EXPECT_EQ(pool.bytes(), 2 * HugePagePool::kSpanBytes);
  for (size_t i = 1; i < blocks.size(); i += 2) pool.Free(blocks[i], 100'000);
  EXPECT_EQ(pool.bytes(), 0U);
}

TEST(HugePagePoolTest, NeverLendsAByteTwice) {
  constexpr uint32_t kSeed = 17;
  SCOPED_TRACE(kSeed);
  struct Block {
    std::byte* data;
    size_t bytes;
    std::byte mark;
  };
  std::mt19937 random(kSeed);
  HugePagePool pool;
  std::vector<Block> blocks;
  for (int step = 0; step < 3'000; ++step) {
    if (blocks.size() < 60 || random() % 2 == 0) {
      const size_t bytes = 1 + random() % (random() % 20 == 0 ? kHugePageBytes : 40'000);
      blocks.push_back({pool.Allocate(bytes), bytes, static_cast<std::byte>(step)});
      std::memset(blocks.back().data, static_cast<int>(blocks.back().mark), bytes);
    }
    std::swap(blocks[random() % blocks.size()], blocks.back());
    const Block& block = blocks.back();
    if (random() % 2 != 0) continue;
    ASSERT_TRUE(std::all_of(block.data, block.data + block.bytes,
                            [&block](std::byte b) { return b == block.mark; }));
    pool.Free(block.data, block.bytes);
    blocks.pop_back();
  }
  for (const Block& block : blocks) pool.Free(block.data, block.bytes);
  EXPECT_EQ(pool.bytes(), 0U);
}

TEST(HugePagePoolDeathTest, MustOutliveItsBlocks) {
  EXPECT_DEATH(
      {
        HugePagePool pool;
        pool.Allocate(1);
      },
      "CHECK failed");
}

TEST(MemoryBlockTest, TakesMediumBlocksFromThePoolAndOthersFromTheHeap) {
  HugePagePool pool;
  {
    const MemoryBlock tiny(HugePagePool::kUnitBytes - 1, &pool);
    const MemoryBlock large(kHugePageBytes + 1, &pool);
    EXPECT_EQ(pool.bytes(), 0U);
    EXPECT_EQ(PlaceOf(large.data()) % kHugePageBytes, 0U);
    const MemoryBlock medium(HugePagePool::kUnitBytes, &pool);
    EXPECT_EQ(medium.size(), HugePagePool::kUnitBytes);
    EXPECT_EQ(pool.bytes(), HugePagePool::kSpanBytes);
  }
  EXPECT_EQ(pool.bytes(), 0U);
}

TEST(MemoryBlockTest, ReturnsItsBytesWhenItIsReplaced) {
  HugePagePool pool;
  MemoryBlock block(100'000, &pool);
  block = MemoryBlock(HugePagePool::kUnitBytes - 1, &pool);
  EXPECT_EQ(pool.bytes(), 0U);
}

}  // namespace
}  // namespace caracal::agents
