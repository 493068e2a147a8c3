#include "pipeline/snapshot/bucket_chunks.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

#include "tests/unit/pipeline_snapshot/state_topic.h"

namespace caracal::pipeline {
namespace {

TEST(BucketChunksTest, CutsTheImageIntoRecordsOfAtMostTheLimit) {
  std::mt19937 random(1);
  const std::string image = RandomImage(random, 101);
  const BucketChunks chunks(TestSnapshot(5, 700, image), kTestValueBytes);
  ASSERT_EQ(chunks.size(), 3U);
  std::string joined;
  for (uint32_t i = 0; i < chunks.size(); ++i) {
    const StateRecord record = chunks.Record(i);
    EXPECT_LE(record.value.size(), kTestValueBytes);
    const StateKey key = ParseStateKey(record.key);
    ASSERT_EQ(key.kind, StateKeyKind::kChunk);
    EXPECT_EQ(key.chunk, (ChunkKey{chunks.place(), chunks.id(), i}));
    ChunkValue value;
    ASSERT_EQ(DecodeChunkValue(key.chunk, record.key, record.value, value), ChunkVerdict::kIntact);
    EXPECT_EQ(value.snapshot.chunks, 3U);
    EXPECT_EQ(value.snapshot.buckets, kTestBuckets);
    EXPECT_EQ(value.snapshot.seed_fingerprint, kTestFingerprint);
    EXPECT_EQ(value.snapshot.image_bytes, image.size());
    EXPECT_EQ(value.snapshot.image_digest, DigestOfImage(image));
    joined += value.data;
  }
  EXPECT_EQ(joined, image);
}

TEST(BucketChunksTest, AnImageThatFillsItsChunksHasNoEmptyOne) {
  EXPECT_EQ(BucketChunks(TestSnapshot(0, 1, std::string(40, 'x')), kTestValueBytes).size(), 1U);
  EXPECT_EQ(BucketChunks(TestSnapshot(0, 1, std::string(41, 'x')), kTestValueBytes).size(), 2U);
  EXPECT_EQ(BucketChunks(TestSnapshot(0, 1, std::string(80, 'x')), kTestValueBytes).size(), 2U);
  EXPECT_EQ(BucketChunks(TestSnapshot(0, 1, "x"), kTestValueBytes).size(), 1U);
}

TEST(BucketChunksTest, ByDefaultValuesHaveAtMost512KiB) {
  const BucketChunks chunks(TestSnapshot(0, 1, std::string(size_t{1} << 20, 'x')));
  ASSERT_EQ(chunks.size(), 3U);  // the headers do not fit into two
  EXPECT_EQ(chunks.Record(0).value.size(), size_t{512} << 10);
  // What the first two headers displaced, and a header.
  EXPECT_EQ(chunks.Record(2).value.size(), 3 * ChunkValue::kHeaderBytes);
}

TEST(BucketChunksDeathTest, RefusesEmptyImagesAndTooManyChunks) {
  EXPECT_DEATH(BucketChunks(TestSnapshot(0, 1, "")), "CHECK failed");
  const std::string image(size_t{ChunkValue::kMaxChunks} + 1, 'x');
  EXPECT_DEATH(BucketChunks(TestSnapshot(0, 1, image), ChunkValue::kHeaderBytes + 1),
               "CHECK failed");
  EXPECT_DEATH(BucketChunks(TestSnapshot(0, 1, "x"), ChunkValue::kHeaderBytes), "CHECK failed");
  EXPECT_DEATH(BucketChunks(TestSnapshot(0, 1, "x")).Record(1), "CHECK failed");
}

}  // namespace
}  // namespace caracal::pipeline
