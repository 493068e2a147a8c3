#include "agents/state/state_digest.h"

#include <gtest/gtest.h>

#include <string_view>

namespace caracal::agents {
namespace {

StateDigest OfTexts(std::string_view first, std::string_view second) {
  StateDigester digester;
  digester.AddText(first);
  digester.AddText(second);
  return digester.Digest();
}

TEST(StateDigestTest, SeesWhereOneTextEndsAndTheNextBegins) {
  EXPECT_NE(OfTexts("ab", "c"), OfTexts("a", "bc"));
  EXPECT_EQ(OfTexts("ab", "c"), OfTexts("ab", "c"));
}

TEST(StateDigestTest, IsTheSameOnEveryHost) {
  StateDigester digester;
  digester.AddNumber(0x0102030405060708);
  digester.AddText("caracal");
  // XXH3-128 of the bytes 08 07 06 05 04 03 02 01, 07 00 00 00 00 00 00 00, "caracal".
  EXPECT_EQ(digester.Digest().low, 0x1C2D768654EDC0C9U);
  EXPECT_EQ(digester.Digest().high, 0xFABF3231711D1EB7U);
}

}  // namespace
}  // namespace caracal::agents
