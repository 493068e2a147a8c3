#include "agents/state/key_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace caracal::agents {

KeyHash HashKey(std::string_view key, uint64_t seed) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(key.data(), key.size(), seed);
  return {hash.low64, hash.high64};
}

}  // namespace caracal::agents
