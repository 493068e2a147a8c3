#include "pipeline/source/group_metadata.h"

#include <cstdint>
#include <cstring>

namespace caracal::pipeline {
namespace {

// Magic, generation (int32 of this machine), group id, member id, instance id; each text ends in a
// zero byte.
constexpr std::string_view kMagic = "CGMDv2:";

}  // namespace

bool IsFencing(std::string_view group_metadata) {
  std::string_view rest = group_metadata;
  int32_t generation = -1;
  if (rest.substr(0, kMagic.size()) != kMagic) return false;
  rest.remove_prefix(kMagic.size());
  if (rest.size() < sizeof(generation)) return false;
  std::memcpy(&generation, rest.data(), sizeof(generation));
  rest.remove_prefix(sizeof(generation));
  const size_t group_end = rest.find('\0');
  if (group_end == std::string_view::npos) return false;
  rest.remove_prefix(group_end + 1);
  const size_t member_end = rest.find('\0');
  return generation >= 0 && member_end != std::string_view::npos && member_end > 0;
}

}  // namespace caracal::pipeline
