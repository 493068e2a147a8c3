#include "pipeline/types/record_mark.h"

#include "agents/state/key_hash.h"

namespace caracal::pipeline {
namespace {

/// Null and empty differ.
uint64_t Add(std::string_view bytes, uint64_t seed) {
  return bytes.data() == nullptr ? seed + 1 : agents::HashKey(bytes, seed).low;
}

}  // namespace

RecordMark MarkOf(int64_t offset, int64_t timestamp_ms, std::string_view key,
                  std::string_view value) {
  return {offset, timestamp_ms, Add(value, Add(key, 0))};
}

}  // namespace caracal::pipeline
