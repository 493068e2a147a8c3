#include "pipeline/types/offset_metadata.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace caracal::pipeline {
namespace {

TEST(OffsetMetadataTest, ReadsBackWhatItWrites) {
  const OffsetMetadata metadata = {17, 9'000'000'000'000, "9c1e4d20a7b3"};
  EXPECT_EQ(FormatOffsetMetadata(metadata),
            "caracal/1 activation=17 alert_from=9000000000000 rules=9c1e4d20a7b3");
  EXPECT_EQ(*ParseOffsetMetadata(FormatOffsetMetadata(metadata)), metadata);
  EXPECT_EQ(*ParseOffsetMetadata(FormatOffsetMetadata({0, 0, ""})), (OffsetMetadata{0, 0, ""}));
}

TEST(OffsetMetadataTest, ReadsBackActivations) {
  const OffsetMetadata metadata = MetadataOf({{17, "aa"}, {900, ""}, {950, "cc"}}, 20);
  EXPECT_EQ(metadata.activation, 17);
  EXPECT_EQ(metadata.rules, "cc");
  EXPECT_EQ(FormatOffsetMetadata(metadata),
            "caracal/1 activation=17 alert_from=20 rules=cc activations=17:aa,900:,950:cc");
  EXPECT_EQ(*ParseOffsetMetadata(FormatOffsetMetadata(metadata)), metadata);
  EXPECT_EQ(ActivationsOf(metadata), metadata.activations);
}

TEST(OffsetMetadataTest, OneActivationNeedsNoList) {
  const OffsetMetadata metadata = MetadataOf({{17, "aa"}}, 20);
  EXPECT_EQ(metadata, (OffsetMetadata{17, 20, "aa"}));
  EXPECT_EQ(ActivationsOf(metadata), (std::vector<Activation>{{17, "aa"}}));
}

TEST(OffsetMetadataTest, AsManyActivationsAsAllowedFitIntoWhatABrokerTakes) {
  std::vector<Activation> activations;
  for (size_t i = 0; i < OffsetMetadata::kActivationsMax; ++i) {
    activations.push_back({INT64_MAX - 1000 + static_cast<int64_t>(i), "0123456789ab"});
  }
  const std::string text = FormatOffsetMetadata(MetadataOf(activations, INT64_MAX));
  EXPECT_LE(text.size(), OffsetMetadata::kBytesMax);
  EXPECT_EQ(ActivationsOf(*ParseOffsetMetadata(text)), activations);
}

TEST(OffsetMetadataTest, ReadsBackTheMarkOfTheLastRecord) {
  OffsetMetadata metadata = {17, 17, "aa"};
  metadata.last = {940, -1, 0xF00};
  EXPECT_EQ(FormatOffsetMetadata(metadata),
            "caracal/1 activation=17 alert_from=17 rules=aa last=940:-1:0000000000000f00");
  EXPECT_EQ(*ParseOffsetMetadata(FormatOffsetMetadata(metadata)), metadata);
}

TEST(RecordMarkTest, TellsRecordsApart) {
  const RecordMark mark = MarkOf(1, 2, "key", "value");
  EXPECT_EQ(mark, MarkOf(1, 2, "key", "value"));
  EXPECT_NE(mark.hash, MarkOf(1, 2, "key", "valuf").hash);
  EXPECT_NE(mark.hash, MarkOf(1, 2, "keyv", "alue").hash);
  EXPECT_NE(MarkOf(1, 2, "", "v").hash, MarkOf(1, 2, {}, "v").hash) << "empty is not null";
  EXPECT_NE(MarkOf(1, 2, "k", "").hash, MarkOf(1, 2, "k", {}).hash);
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
        "caracal/1  activation=1 alert_from=1",
        // Activations that we would not write.
        "caracal/1 activation=1 alert_from=1 rules=b activations=1:a",
        "caracal/1 activation=1 alert_from=1 rules=b activations=1:a,1:b",
        "caracal/1 activation=1 alert_from=1 rules=b activations=2:a,3:b",
        "caracal/1 activation=1 alert_from=1 rules=b activations=1:b,3:a",
        "caracal/1 activation=1 alert_from=1 rules=b activations=1:a,x:b",
        "caracal/1 activation=1 alert_from=1 rules=b last=1:2",
        "caracal/1 activation=1 alert_from=1 rules=b last=-1:2:ab"}) {
    EXPECT_FALSE(ParseOffsetMetadata(text).ok()) << text;
  }
}

}  // namespace
}  // namespace caracal::pipeline
