#include "pipeline/source/group_metadata.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "pipeline/kafka/handles.h"

namespace caracal::pipeline {
namespace {

// As librdkafka itself writes it: this is what must be understood.
std::string Written(int32_t generation, const char* member) {
  const KafkaGroupMetadata metadata(rd_kafka_consumer_group_metadata_new_with_genid(
      "payments", generation, member, /*group_instance_id=*/nullptr));
  void* bytes = nullptr;
  size_t size = 0;
  EXPECT_EQ(rd_kafka_consumer_group_metadata_write(metadata.get(), &bytes, &size), nullptr);
  std::string text(static_cast<const char*>(bytes), size);
  rd_kafka_mem_free(nullptr, bytes);
  return text;
}

TEST(GroupMetadataTest, FencesWithAGenerationAndAMember) {
  EXPECT_EQ(FencingMember(Written(0, "member-1")), "member-1");
  EXPECT_EQ(FencingMember(Written(2'000'000, "m")), "m");
}

TEST(GroupMetadataTest, DoesNotFenceWithoutAGeneration) {
  EXPECT_EQ(FencingMember(Written(-1, "member-1")), "");
}

TEST(GroupMetadataTest, DoesNotFenceWithoutAMember) {
  EXPECT_EQ(FencingMember(Written(3, "")), "");
}

TEST(GroupMetadataTest, DoesNotFenceInALayoutThatIsNotKnown) {
  const std::string known = Written(3, "member-1");
  EXPECT_EQ(FencingMember(""), "");
  EXPECT_EQ(FencingMember("CGMDv9:" + known.substr(7)), "");
  for (size_t size = 0; size < known.find("member-1"); ++size) {
    EXPECT_EQ(FencingMember(known.substr(0, size)), "") << size << " bytes";
  }
}

}  // namespace
}  // namespace caracal::pipeline
