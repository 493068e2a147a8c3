#include "pipeline/snapshot/chunk_value.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "agents/state/little_endian.h"

namespace caracal::pipeline {
namespace {

const ChunkKey kKey = {{"t", 3, 17}, {99172, {0x1111111111111111, 0x2222222222222222}}, 1};
const SnapshotDescription kSnapshot = {.chunks = 3,
                                       .buckets = 64,
                                       .seed_fingerprint = 0x3333333333333333,
                                       .image_bytes = 11,
                                       .image_digest = {0x4444444444444444, 0x5555555555555555}};

std::string KeyText() { return FormatChunkKey(kKey); }
std::string Value() { return EncodeChunkValue(kKey, KeyText(), {kSnapshot, "data"}); }

void Seal(std::string& bytes) {
  const agents::StateDigest digest = DigestOfChunk(KeyText(), bytes);
  agents::StoreLittleEndian(digest.low, &bytes[8]);
  agents::StoreLittleEndian(digest.high, &bytes[16]);
}

/// What is said of the value after a change, its digest being right again.
ChunkVerdict VerdictAfter(const std::function<void(std::string&)>& change) {
  std::string bytes = Value();
  change(bytes);
  Seal(bytes);
  ChunkValue value;
  return DecodeChunkValue(kKey, KeyText(), bytes, value);
}

template <typename Number>
ChunkVerdict VerdictWith(size_t at, Number number) {
  return VerdictAfter([=](std::string& bytes) { agents::StoreLittleEndian(number, &bytes[at]); });
}

// Values that have been written stay readable: when this changes, raise kSnapshotFormat.
TEST(ChunkValueTest, BytesAreThoseOfTheFormat) {
  using std::string_view_literals::operator""sv;
  const std::string value = Value();
  ASSERT_EQ(value.size(), ChunkValue::kHeaderBytes + 4);
  EXPECT_EQ(value.substr(0, 8), "CRCB\x01\0\x60\0"sv);
  EXPECT_EQ(value.substr(8, 16), "\xB0\x97OO\x83\xC3I\xAD\x15\xECI\xE0\xB6\xFDt~");
  EXPECT_EQ(value.substr(24),
            "\0\0\0\0"
            "\1\0\0\0"
            "\3\0\0\0"
            "\x40\0\0\0"
            "\x64\x83\1\0\0\0\0\0"
            "\x33\x33\x33\x33\x33\x33\x33\x33"
            "\x11\x11\x11\x11\x11\x11\x11\x11\x22\x22\x22\x22\x22\x22\x22\x22"
            "\x0b\0\0\0\0\0\0\0"
            "\x44\x44\x44\x44\x44\x44\x44\x44\x55\x55\x55\x55\x55\x55\x55\x55"
            "data"sv);
}

TEST(ChunkValueTest, DecodesWhatItEncodes) {
  const std::string bytes = Value();
  ChunkValue value;
  ASSERT_EQ(DecodeChunkValue(kKey, KeyText(), bytes, value), ChunkVerdict::kIntact);
  EXPECT_EQ(value.snapshot, kSnapshot);
  EXPECT_EQ(value.data, "data");
  EXPECT_EQ(value.data.data(), bytes.data() + ChunkValue::kHeaderBytes);
}

TEST(ChunkValueTest, EveryFlippedBitIsDamage) {
  const std::string whole = Value();
  for (size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
      ChunkValue value;
      EXPECT_EQ(DecodeChunkValue(kKey, KeyText(), bytes, value), ChunkVerdict::kDamaged)
          << "byte " << at << ", bit " << bit;
    }
  }
}

TEST(ChunkValueTest, EveryTruncationAndContinuationIsDamage) {
  const std::string whole = Value();
  ChunkValue value;
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(DecodeChunkValue(kKey, KeyText(), whole.substr(0, size), value),
              ChunkVerdict::kDamaged);
  }
  EXPECT_EQ(DecodeChunkValue(kKey, KeyText(), whole + "a", value), ChunkVerdict::kDamaged);
}

TEST(ChunkValueTest, AValueUnderAnotherKeyIsDamage) {
  ChunkKey key = kKey;
  key.place.bucket = 18;
  ChunkValue value;
  EXPECT_EQ(DecodeChunkValue(key, FormatChunkKey(key), Value(), value), ChunkVerdict::kDamaged);
}

// Sealed again, so that not the digest but the fields decide.
TEST(ChunkValueTest, FieldsMustFitTheKeyAndEachOther) {
  EXPECT_EQ(VerdictAfter([](std::string&) {}), ChunkVerdict::kIntact);
  EXPECT_EQ(VerdictWith<uint32_t>(28, 2), ChunkVerdict::kDamaged) << "index";
  EXPECT_EQ(VerdictWith<int64_t>(40, 99173), ChunkVerdict::kDamaged) << "offset";
  EXPECT_EQ(VerdictWith<uint64_t>(56, 0), ChunkVerdict::kDamaged) << "layout";
  EXPECT_EQ(VerdictWith<uint32_t>(32, 0), ChunkVerdict::kDamaged) << "no chunks";
  EXPECT_EQ(VerdictWith<uint32_t>(32, 1), ChunkVerdict::kDamaged) << "an index beyond the last";
  EXPECT_EQ(VerdictWith<uint32_t>(32, 2), ChunkVerdict::kIntact);
  EXPECT_EQ(VerdictWith<uint32_t>(32, ChunkValue::kMaxChunks), ChunkVerdict::kIntact);
  EXPECT_EQ(VerdictWith<uint32_t>(32, ChunkValue::kMaxChunks + 1), ChunkVerdict::kDamaged);
  EXPECT_EQ(VerdictWith<uint64_t>(72, 3), ChunkVerdict::kDamaged) << "an image below its chunk";
  EXPECT_EQ(VerdictWith<uint64_t>(72, 4), ChunkVerdict::kIntact);
}

TEST(ChunkValueTest, MagicFormatAndHeaderLengthMustBeRight) {
  EXPECT_EQ(VerdictWith<uint32_t>(0, 0), ChunkVerdict::kDamaged);
  EXPECT_EQ(VerdictWith<uint16_t>(4, 2), ChunkVerdict::kDamaged) << "the key says 1";
  EXPECT_EQ(VerdictWith<uint16_t>(6, 95), ChunkVerdict::kDamaged);
  EXPECT_EQ(VerdictWith<uint16_t>(6, 100), ChunkVerdict::kDamaged) << "no data left";
}

TEST(ChunkValueTest, AnUnknownCodecIsNoDamage) {
  EXPECT_EQ(VerdictWith<uint32_t>(24, 1), ChunkVerdict::kNewerFormat);
}

TEST(ChunkValueTest, SkipsFieldsAppendedToTheHeader) {
  std::string bytes = Value();
  bytes.insert(ChunkValue::kHeaderBytes, "new field");
  agents::StoreLittleEndian<uint16_t>(ChunkValue::kHeaderBytes + 9, &bytes[6]);
  Seal(bytes);
  ChunkValue value;
  ASSERT_EQ(DecodeChunkValue(kKey, KeyText(), bytes, value), ChunkVerdict::kIntact);
  EXPECT_EQ(value.data, "data");
}

// Values that have been written stay readable: when this changes, raise kSnapshotFormat.
TEST(ChunkValueTest, ChangesNameTheImageOfTheirBase) {
  ChunkKey key = kKey;
  key.snapshot.base = 700;
  const std::string text = FormatChunkKey(key);
  SnapshotDescription snapshot = kSnapshot;
  snapshot.base_digest = {0x6666666666666666, 0x7777777777777777};
  const std::string bytes = EncodeChunkValue(key, text, {snapshot, "data"});
  ASSERT_EQ(bytes.size(), ChunkValue::kChangesHeaderBytes + 4);
  EXPECT_EQ(bytes.substr(4, 4), std::string("\x01\0\x70\0", 4));
  EXPECT_EQ(bytes.substr(24, 72), Value().substr(24, 72));
  EXPECT_EQ(bytes.substr(96), std::string(8, '\x66') + std::string(8, '\x77') + "data");
  ChunkValue value;
  ASSERT_EQ(DecodeChunkValue(key, text, bytes, value), ChunkVerdict::kIntact);
  EXPECT_EQ(value.snapshot, snapshot);
  EXPECT_EQ(value.data, "data");
  EXPECT_EQ(DecodeChunkValue(key, text, Value(), value), ChunkVerdict::kDamaged);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeChunkValue(key, text, bytes.substr(0, size), value), ChunkVerdict::kDamaged);
  }
}

}  // namespace
}  // namespace caracal::pipeline
