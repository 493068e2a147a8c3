#include "agents/ruleset/bucket_image.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "agents/api/status_macros.h"
#include "agents/ruleset/bucket_state.h"
#include "agents/state/little_endian.h"
#include "tests/unit/agents_ruleset/test_agents.h"
#include "tests/unit/agents_ruleset/test_stream.h"

namespace caracal::agents {
namespace {

constexpr uint32_t kBuckets = 16;
// Offsets of the format, for a bucket of one group with one slice.
constexpr size_t kGroups = 32;
constexpr size_t kRows = 36;
constexpr size_t kGroup = 40;
constexpr size_t kKeys = kGroup + 24;
constexpr size_t kSlices = kGroup + 28;
constexpr size_t kSlice = kGroup + 32;
constexpr size_t kSliceSize = kSlice + 16;
constexpr size_t kHeaderEnd = kSlice + 20;

std::shared_ptr<const CompiledRulesets> OneRule() {
  return CompileForTest({Ruleset("x", 0, {CountRule("r", 1, 1)})});
}

std::shared_ptr<const CompiledRulesets> TwoKeys() {
  RuleSpec keyed = CountRule("keyed", 1, 1);
  keyed.key_suffix = {"merchant"};
  return CompileForTest({Ruleset("x", 0, {CountRule("plain", 1, 1), keyed})});
}

std::string ImageOf(const BucketState& bucket) {
  std::string image;
  bucket.AppendTo(kBuckets, image);
  return image;
}

void Put(BucketState& bucket, const std::string& text, int64_t time_us, int64_t count) {
  const KeyTable::Handle handle =
      bucket.FindOrInsert(0, TableKey::Of(text, HashKey(text, kTestSeed)));
  bucket.table(0).Touch(handle, time_us);
  std::memcpy(bucket.table(0).record(handle), &count, sizeof(count));
}

std::string SmallImage() {
  BucketState bucket(OneRule(), {});
  Put(bucket, "1042", 1'772'620'927'512'000, 3);
  bucket.rows().InsertIfNew(0x1122334455667788);
  return ImageOf(bucket);
}

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

// What has been written stays readable, and rules keep the ids by which their state is recognised:
// when this changes, raise BucketImage::kFormat.
TEST(BucketImageTest, BytesAreThoseOfTheFormat) {
  EXPECT_EQ(Hex(SmallImage()),
            "01000000"                          // format
            "10000000"                          // buckets
            "3278951ae893e3ff"                  // seed fingerprint
            "445c08527158a17737403b9467276b3a"  // layout
            "01000000"                          // groups
            "01000000"                          // rows
            "b26556039db4c345547d14dc998a0a2c"  // group
            "0000000000000000"                  // evictions
            "01000000"                          // keys
            "01000000"                          // slices
            "931979eb2745e331fc89d2ab93d710aa"  // slice
            "08000000"                          // its bytes
            "8877665544332211"                  // row
            "3130343200000000"                  // key "1042"
            "0000000000000004"                  // its length
            "c0adb478304c0600"                  // time
            "efbe7f76"                          // tag
            "0300000000000000");                // count
}

TEST(BucketImageTest, EqualBucketsHaveEqualImages) {
  const auto rulesets = TwoKeys();
  BucketState one(rulesets, {});
  BucketState two(rulesets, {});
  EXPECT_EQ(ImageOf(one), ImageOf(two));
  for (int i = 0; i < 100; ++i) {
    Put(one, std::to_string(i), i, i);
    Put(two, std::to_string(99 - i), 99 - i, 99 - i);
  }
  EXPECT_EQ(ImageOf(one), ImageOf(two));
  Put(two, "7", 7, 8);
  EXPECT_NE(ImageOf(one), ImageOf(two));
}

TEST(BucketImageTest, AppendsAndAllocatesOnceForAll) {
  BucketState bucket(TwoKeys(), {});
  for (int i = 0; i < 1000; ++i) Put(bucket, std::to_string(i), i, i);
  std::string image = "before";
  bucket.AppendTo(kBuckets, image);
  EXPECT_EQ(image, "before" + ImageOf(bucket));
  std::string exact;
  bucket.AppendTo(kBuckets, exact);
  EXPECT_EQ(exact.capacity(), exact.size());
}

TEST(BucketImageTest, SeedFingerprintsDiffer) {
  EXPECT_EQ(BucketImage::SeedFingerprint(1), BucketImage::SeedFingerprint(1));
  EXPECT_NE(BucketImage::SeedFingerprint(1), BucketImage::SeedFingerprint(2));
}

TEST(BucketImageTest, ReadsItsHeader) {
  const auto rulesets = TwoKeys();
  BucketState bucket(rulesets, {});
  Put(bucket, "k", 1, 1);
  bucket.rows().InsertIfNew(5);
  const std::string bytes = ImageOf(bucket);
  const auto image = BucketImage::Read(bytes);
  ASSERT_TRUE(image.ok());
  EXPECT_EQ(image->buckets, kBuckets);
  EXPECT_EQ(image->seed_fingerprint, BucketImage::SeedFingerprint(kTestSeed));
  EXPECT_EQ(image->layout, rulesets->layout().id);
  EXPECT_EQ(image->rows.size(), 8U);
  ASSERT_EQ(image->groups.size(), 2U);
  EXPECT_EQ(image->groups[0].key, rulesets->layout().groups[0].key.Id());
  EXPECT_EQ(image->groups[0].slices[0].id, rulesets->layout().groups[0].slices[0].id);
  EXPECT_EQ(image->groups[0].keys.keys(), 1U);
  EXPECT_EQ(image->groups[1].keys.keys(), 0U);
}

std::string RefusalAfter(const std::function<void(std::string&)>& change) {
  std::string bytes = SmallImage();
  change(bytes);
  const auto image = BucketImage::Read(bytes);
  EXPECT_TRUE(image.ok() || absl::IsDataLoss(image.status()));
  return image.ok() ? "" : MessageOf(image.status());
}

std::string RefusalWith(size_t offset, uint32_t number) {
  return RefusalAfter([=](std::string& bytes) { StoreLittleEndian(number, &bytes[offset]); });
}

TEST(BucketImageTest, RefusesEveryTruncationAndContinuation) {
  const std::string whole = SmallImage();
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(RefusalAfter([=](std::string& bytes) { bytes.resize(size); }), "") << size;
  }
  EXPECT_EQ(RefusalAfter([](std::string& bytes) { bytes += '\0'; }),
            "the image of a bucket is longer than its header says");
}

// Counts are checked against the bytes present before anything is allocated for them.
TEST(BucketImageTest, RefusesCountsThatTheBytesDoNotBear) {
  for (const uint32_t many : {2U, 1000U, 0x7FFFFFFFU, 0xFFFFFFFFU}) {
    EXPECT_NE(RefusalWith(kGroups, many), "");
    EXPECT_NE(RefusalWith(kRows, many), "");
    EXPECT_NE(RefusalWith(kKeys, many), "");
    EXPECT_NE(RefusalWith(kSlices, many), "");
    EXPECT_NE(RefusalWith(kSliceSize, many), "");
  }
  EXPECT_EQ(RefusalWith(kKeys, 0xFFFFFFFF),
            "the image of a bucket announces 4294967295 keys and ends before the last");
  EXPECT_EQ(RefusalWith(kSliceSize, 0x10001),
            "the image of a bucket has a state of 65537 bytes at 0 of a record");
  EXPECT_NE(RefusalWith(kSliceSize, 0), "");
  EXPECT_NE(RefusalWith(kSlices, 0), "");
}

TEST(BucketImageTest, RefusesGroupsAndSlicesNamedTwice) {
  const std::string twice = "the image of a bucket names a rule's state twice";
  EXPECT_EQ(RefusalAfter([](std::string& bytes) {
              bytes.resize(kHeaderEnd);
              StoreLittleEndian(uint32_t{2}, &bytes[kGroups]);
              StoreLittleEndian(uint32_t{0}, &bytes[kRows]);
              StoreLittleEndian(uint32_t{0}, &bytes[kKeys]);
              bytes += bytes.substr(kGroup);
            }),
            twice);
  EXPECT_EQ(RefusalAfter([](std::string& bytes) {
              StoreLittleEndian(uint32_t{0}, &bytes[kRows]);
              StoreLittleEndian(uint32_t{0}, &bytes[kKeys]);
              StoreLittleEndian(uint32_t{2}, &bytes[kSlices]);
              bytes.resize(kHeaderEnd);
              bytes += bytes.substr(kSlice);
            }),
            twice);
}

TEST(BucketImageTest, OtherFormatsAreNoDamage) {
  for (const uint32_t format : {0U, 2U, 0xFFFFFFFFU}) {
    std::string bytes = SmallImage();
    StoreLittleEndian(format, bytes.data());
    const auto image = BucketImage::Read(bytes);
    EXPECT_TRUE(absl::IsFailedPrecondition(image.status()));
    EXPECT_EQ(MessageOf(image.status()), "the image of a bucket has format " +
                                             std::to_string(format) + "; this version reads 1");
  }
}

}  // namespace
}  // namespace caracal::agents
