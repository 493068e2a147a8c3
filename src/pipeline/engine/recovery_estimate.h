#pragma once

#include <cstdint>

namespace caracal::pipeline {

/// What a new owner of this member's partitions has to do before it is live.
struct RecoveryWork {
  int64_t state_bytes = 0;     ///< to be read back
  int64_t replay_records = 0;  ///< the replay debt
};

/// How fast that goes; 0 = not measured.
struct RecoverySpeeds {
  int64_t state_bytes_per_second = 0;
  int64_t records_per_second = 0;
};

/// What reading state back is taken to manage until it has been measured.
constexpr int64_t kAssumedRestoreRate = 250'000'000;

/// Seconds from the assignment of the partitions, all to one member, until they are live: reading
/// back, then replay. `assumed` stands in for what `measured` does not know and has no zeros. The
/// bytes of state in memory stand for those in the topic: the topic holds them denser, and up to
/// half of them twice.
inline double RecoverySeconds(const RecoveryWork& work, const RecoverySpeeds& measured,
                              const RecoverySpeeds& assumed) {
  const auto seconds = [](int64_t amount, int64_t speed, int64_t otherwise) {
    return static_cast<double>(amount) / static_cast<double>(speed > 0 ? speed : otherwise);
  };
  return seconds(work.state_bytes, measured.state_bytes_per_second,
                 assumed.state_bytes_per_second) +
         seconds(work.replay_records, measured.records_per_second, assumed.records_per_second);
}

}  // namespace caracal::pipeline
