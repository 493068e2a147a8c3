#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/snapshot/bucket_assembler.h"
#include "pipeline/snapshot/bucket_chunks.h"

namespace caracal::pipeline {

inline constexpr uint32_t kTestBuckets = 8;
inline constexpr uint64_t kTestFingerprint = 0x5EED;
inline constexpr agents::StateDigest kTestLayout = {11, 22};
inline constexpr agents::StateDigest kOtherLayout = {33, 44};
/// Values of 40 bytes of data: snapshots of a few hundred bytes have several chunks.
inline constexpr size_t kTestValueBytes = ChunkValue::kHeaderBytes + 40;

/// A snapshot of the test stream's partition 3.
BucketSnapshot TestSnapshot(uint32_t bucket, int64_t offset, std::string image,
                            const agents::StateDigest& layout = kTestLayout);
/// The changes since `base`, a whole snapshot, at a later offset.
BucketSnapshot TestChanges(const BucketSnapshot& base, int64_t offset, std::string image);
/// Wants the snapshots of TestSnapshot up to offset 1,000.
AssemblerOptions TestOptions();
/// `bytes` random bytes.
std::string RandomImage(std::mt19937& random, size_t bytes);

/// One partition of a compacted topic, as its consumer sees it.
class StateTopic {
 public:
  struct Entry {
    std::string key;
    std::optional<std::string> value;  ///< nullopt: a tombstone
  };

  void Put(const StateRecord& record) { log_.push_back({record.key, record.value}); }
  void Delete(const std::string& key) { log_.push_back({key, std::nullopt}); }
  /// Publishes all chunks, in order.
  void Put(const BucketChunks& chunks);
  /// Keeps the last entry of every key, in log order.
  void Compact();

  std::vector<Entry>& log() { return log_; }
  /// The last values of the keys that have one.
  std::map<std::string, std::string> Content() const;
  AssembledState Read(const AssemblerOptions& options) const;

 private:
  std::vector<Entry> log_;
};

}  // namespace caracal::pipeline
