#include "agents/state/little_endian.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace caracal::agents {
namespace {

TEST(LittleEndianTest, WritesTheLeastSignificantByteFirst) {
  std::string out = "x";
  AppendLittleEndian(uint32_t{0x04030201}, out);
  AppendLittleEndian(int64_t{-2}, out);
  AppendLittleEndian(uint16_t{0x0605}, out);
  EXPECT_EQ(out, "x\x01\x02\x03\x04\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x05\x06");
  EXPECT_EQ(LoadLittleEndian<uint32_t>(out.data() + 1), 0x04030201U);
  EXPECT_EQ(LoadLittleEndian<int64_t>(out.data() + 5), -2);
}

TEST(ByteReaderTest, ReadsInOrderUntilNothingIsLeft) {
  using std::string_view_literals::operator""sv;
  ByteReader reader(
      "\x01\x00\x02"
      "abc"sv);
  uint16_t number = 0;
  uint8_t byte = 0;
  std::string_view piece;
  EXPECT_TRUE(reader.Read(number));
  EXPECT_TRUE(reader.Read(byte));
  EXPECT_TRUE(reader.Read(3, piece));
  EXPECT_EQ(number, 1);
  EXPECT_EQ(byte, 2);
  EXPECT_EQ(piece, "abc");
  EXPECT_EQ(reader.left(), 0U);
  EXPECT_TRUE(reader.Read(0, piece));
  EXPECT_FALSE(reader.Read(byte));
}

TEST(ByteReaderTest, TakesNothingWhereThereIsTooLittle) {
  ByteReader reader("abc");
  uint32_t number = 7;
  std::string_view piece = "as it was";
  EXPECT_FALSE(reader.Read(number));
  EXPECT_FALSE(reader.Read(4, piece));
  EXPECT_FALSE(reader.Read(UINT64_MAX, piece));
  EXPECT_EQ(number, 7U);
  EXPECT_EQ(piece, "as it was");
  EXPECT_TRUE(reader.Read(3, piece));
  EXPECT_EQ(piece, "abc");
}

}  // namespace
}  // namespace caracal::agents
