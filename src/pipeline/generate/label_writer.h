#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/generate/generated_record.h"
#include "pipeline/generate/output_file.h"

namespace caracal::pipeline {

/// Writes the ground truth of a load, one JSON object per line, in the order in which episodes end:
///
///   {"kind":"burst","episode":3,"account":"1042","complete":true,"transactions":["88121",..],
///    "crossing":["88127",..],"positions":[512,..],"partition":4,"offsets":[97,..],
///    "first_time":"2026-01-05T09:00:07.512000Z","last_time":".."}
///   {"kind":"malformed","malformed":"null_amount","reason":"missing_amount","account":"7",
///    "transactions":["90001"],"positions":[733],"partition":1,"offsets":[120]}
///
/// `crossing` names the transactions that must raise an alert; the others of the episode must not.
/// `positions` index the whole stream, `offsets` the partition (-1 = no partitions). An episode
/// that the end of the load cut short says "complete":false. Bounded by the episodes under way. One
/// thread at a time.
class LabelWriter {
 public:
  /// Errors as OutputFile::Open.
  static absl::StatusOr<std::unique_ptr<LabelWriter>> Open(const std::string& path);

  /// Takes note of a record that was sent.
  absl::Status Add(const GeneratedRecord& record);
  /// Writes the episodes that never ended and closes the file. Nothing may follow.
  absl::Status Close();

  /// Episodes seen, and malformed records.
  uint64_t episodes() const { return episodes_; }
  uint64_t malformed() const { return malformed_; }

 private:
  struct Sent {
    int64_t id = 0;
    int64_t event_time_us = 0;
    uint64_t position = 0;
    uint64_t offset = 0;
    bool crossing = false;
  };
  struct Episode {
    EpisodeKind kind = EpisodeKind::kNone;
    int64_t account = 0;
    int32_t partition = -1;
    size_t size = 0;
    std::vector<Sent> payments;
  };

  explicit LabelWriter(std::unique_ptr<OutputFile> file) : file_(std::move(file)) {}
  absl::Status WriteEpisode(uint32_t number, const Episode& episode);
  absl::Status WriteMalformed(const GeneratedRecord& record);

  std::unique_ptr<OutputFile> file_;
  std::map<uint32_t, Episode> open_;
  uint64_t episodes_ = 0;
  uint64_t malformed_ = 0;
};

/// Writes the shops and their places as CSV: merchant,latitude,longitude,country. Errors as
/// OutputFile.
absl::Status WritePlaces(const MerchantDirectory& merchants, const std::string& path);

}  // namespace caracal::pipeline
