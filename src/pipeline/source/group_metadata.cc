#include "pipeline/source/group_metadata.h"

#include <cstdint>
#include <cstring>

namespace caracal::pipeline {
namespace {

// Magic, generation (int32 of this machine), group id, member id, instance id; each text ends in a
// zero byte.
constexpr std::string_view kMagic = "CGMDv2:";

}  // namespace

std::string ReadGroupMetadata(rd_kafka_t* consumer) {
  const KafkaGroupMetadata metadata(rd_kafka_consumer_group_metadata(consumer));
  if (metadata == nullptr) return "";
  void* bytes = nullptr;
  size_t size = 0;
  if (const KafkaError error(rd_kafka_consumer_group_metadata_write(metadata.get(), &bytes, &size));
      error != nullptr) {
    return "";
  }
  std::string text(static_cast<const char*>(bytes), size);
  rd_kafka_mem_free(consumer, bytes);
  return text;
}

std::string_view FencingMember(std::string_view group_metadata) {
  std::string_view rest = group_metadata;
  int32_t generation = -1;
  if (rest.substr(0, kMagic.size()) != kMagic) return {};
  rest.remove_prefix(kMagic.size());
  if (rest.size() < sizeof(generation)) return {};
  std::memcpy(&generation, rest.data(), sizeof(generation));
  rest.remove_prefix(sizeof(generation));
  const size_t group_end = rest.find('\0');
  if (group_end == std::string_view::npos) return {};
  rest.remove_prefix(group_end + 1);
  const size_t member_end = rest.find('\0');
  if (generation < 0 || member_end == std::string_view::npos) return {};
  return rest.substr(0, member_end);
}

}  // namespace caracal::pipeline
