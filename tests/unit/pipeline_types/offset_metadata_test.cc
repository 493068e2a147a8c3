#include "pipeline/types/offset_metadata.h"

#include <gtest/gtest.h>

namespace caracal::pipeline {
namespace {

TEST(OffsetMetadataTest, ReadsBackWhatItWrites) {
  const OffsetMetadata metadata = {17, 9'000'000'000'000, "9c1e4d20a7b3"};
  EXPECT_EQ(FormatOffsetMetadata(metadata),
            "caracal/1 activation=17 alert_from=9000000000000 rules=9c1e4d20a7b3");
  EXPECT_EQ(*ParseOffsetMetadata(FormatOffsetMetadata(metadata)), metadata);
  EXPECT_EQ(*ParseOffsetMetadata(FormatOffsetMetadata({0, 0, ""})), (OffsetMetadata{0, 0, ""}));
}

TEST(OffsetMetadataTest, IgnoresFieldsOfALaterMinorFormat) {
  EXPECT_EQ(*ParseOffsetMetadata("caracal/1 activation=1 later=x alert_from=2 rules=r"),
            (OffsetMetadata{1, 2, "r"}));
}

TEST(OffsetMetadataTest, RefusesWhatIsNotOurs) {
  for (const char* text :
       {"", "caracal", "caracal/1", "caracal/1 ", "caracal/2 activation=1 alert_from=1",
        "caracal/1 activation=1", "caracal/1 activation=x alert_from=1",
        "caracal/1 activation=-1 alert_from=1", "caracal/1 activation", "something else",
        "caracal/1  activation=1 alert_from=1"}) {
    EXPECT_FALSE(ParseOffsetMetadata(text).ok()) << text;
  }
}

}  // namespace
}  // namespace caracal::pipeline
