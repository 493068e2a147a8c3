#pragma once

#include <cstdint>
#include <string_view>

namespace caracal::pipeline {

/// The hash of Kafka's Java clients (org.apache.kafka.common.utils.Utils.murmur2).
uint32_t Murmur2(std::string_view bytes);

/// The partition to which a Java producer sends a record with this key: murmur2 without its sign
/// bit, modulo the number of partitions (> 0).
inline int32_t JavaPartition(std::string_view key, int32_t partitions) {
  return static_cast<int32_t>((Murmur2(key) & 0x7FFFFFFF) % static_cast<uint32_t>(partitions));
}

}  // namespace caracal::pipeline
