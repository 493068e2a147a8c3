#include "agents/state/record_slab.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <set>

namespace caracal::agents {
namespace {

uint64_t Read(const RecordSlab& slab, RecordSlab::Handle handle) {
  uint64_t value;
  std::memcpy(&value, slab.At(handle), sizeof(value));
  return value;
}

void Write(RecordSlab& slab, RecordSlab::Handle handle, uint64_t value) {
  std::memcpy(slab.At(handle), &value, sizeof(value));
}

TEST(RecordSlabTest, HandlesKeepTheirRecordsWhileTheSlabGrows) {
  // Stride 1000: from a single block through its doublings into several chunks.
  RecordSlab slab(1000);
  std::map<RecordSlab::Handle, uint64_t> model;
  for (uint64_t i = 1; i <= 6000; ++i) {
    const RecordSlab::Handle handle = slab.Allocate();
    ASSERT_TRUE(model.emplace(handle, i).second);
    Write(slab, handle, i);
  }
  EXPECT_GT(slab.bytes(), 2 * RecordSlab::ChunkBytes(1000));
  for (const auto& [handle, value] : model) ASSERT_EQ(Read(slab, handle), value);
}

// Also where the first chunk, grown as far as it may, has less left than one record.
TEST(RecordSlabTest, RecordsOfEveryStrideLieWithinTheirChunk) {
  for (size_t stride = 8; stride <= RecordSlab::kMaxStride; stride += 8 + stride / 800 * 8) {
    RecordSlab slab(stride);
    const size_t chunk_bytes = RecordSlab::ChunkBytes(stride);
    for (size_t used = stride; slab.bytes() <= chunk_bytes; used += stride) {
      std::memset(slab.At(slab.Allocate()), 0xFF, stride);
      const bool in_first = slab.bytes() <= chunk_bytes;
      ASSERT_LE(in_first ? used : 0, slab.bytes()) << "stride " << stride;
    }
  }
}

TEST(RecordSlabTest, ReservedRecordsNeedNoFurtherMemory) {
  constexpr size_t kChunkBytes = RecordSlab::ChunkBytes(1000);
  constexpr uint64_t kPerChunk = kChunkBytes / 1000;
  // The last ones: a chunk and its successor.
  for (const uint64_t records : {uint64_t{1}, uint64_t{5}, kPerChunk - 1, 2 * kPerChunk - 1}) {
    RecordSlab slab(1000);
    slab.Reserve(records);
    const size_t reserved = slab.bytes();
    EXPECT_GE(reserved, std::min<size_t>(records * 1000, kChunkBytes));
    for (uint64_t i = 0; i < records; ++i) Write(slab, slab.Allocate(), i);
    EXPECT_EQ(slab.bytes(), records < kPerChunk ? reserved : 2 * kChunkBytes);
    slab.Allocate();
    EXPECT_LE(slab.bytes(), 2 * kChunkBytes);
  }
}

TEST(RecordSlabTest, RecordsAreZeroedAlsoWhenUsedAgain) {
  RecordSlab slab(24);
  const RecordSlab::Handle first = slab.Allocate();
  EXPECT_EQ(Read(slab, first), 0U);
  std::memset(slab.At(first), 0xFF, 24);
  slab.Free(first);
  EXPECT_EQ(slab.Allocate(), first);
  EXPECT_EQ(Read(slab, first), 0U);
}

TEST(RecordSlabTest, UsesFreedRecordsBeforeItGrows) {
  constexpr uint32_t kSeed = 11;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  RecordSlab slab(64);
  std::set<RecordSlab::Handle> used;
  for (int i = 0; i < 1000; ++i) used.insert(slab.Allocate());
  const size_t bytes = slab.bytes();
  for (int round = 0; round < 20; ++round) {
    size_t freed = 0;
    for (auto it = used.begin(); it != used.end();) {
      if (random() % 2 == 0) {
        ++it;
        continue;
      }
      slab.Free(*it);
      it = used.erase(it);
      ++freed;
    }
    for (size_t i = 0; i < freed; ++i) ASSERT_TRUE(used.insert(slab.Allocate()).second);
  }
  EXPECT_EQ(used.size(), 1000U);
  EXPECT_EQ(slab.bytes(), bytes);
}

TEST(RecordSlabTest, StartsEmptyAndTiny) {
  RecordSlab slab(88);
  EXPECT_EQ(slab.bytes(), 0U);
  slab.Allocate();
  EXPECT_LE(slab.bytes(), 4 * 88U);
}

}  // namespace
}  // namespace caracal::agents
