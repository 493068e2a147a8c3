#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "pipeline/generate/output_file.h"
#include "pipeline/generate/record_sink.h"

namespace caracal::pipeline {

enum class FileFormat : uint8_t {
  /// The message value, one per line; a tombstone is the line `null`. Line n is position n.
  kNdjson,
  /// One JSON object per record as `kcat -J` prints it: topic, partition, offset, tstype, ts, key,
  /// payload (null for a tombstone). A payload that is no UTF-8 is given as value_hex instead.
  kKcatJson,
};

/// Writes records to a file, one line each. One thread at a time.
class FileSink : public RecordSink {
 public:
  /// `topic` is only named in kKcatJson. Errors as OutputFile::Open.
  static absl::StatusOr<std::unique_ptr<FileSink>> Open(const std::string& path, FileFormat format,
                                                        std::string topic);

  absl::Status Write(const GeneratedRecord& record) override;
  absl::Status Flush() override { return file_->Flush(); }
  absl::Status Close() override { return file_->Close(); }
  uint64_t bytes() const override { return file_->bytes(); }

 private:
  FileSink(std::unique_ptr<OutputFile> file, FileFormat format, std::string topic)
      : file_(std::move(file)), format_(format), topic_(std::move(topic)) {}
  void PutKcatJson(const GeneratedRecord& record, TextCursor& out) const;

  std::unique_ptr<OutputFile> file_;
  const FileFormat format_;
  const std::string topic_;
};

}  // namespace caracal::pipeline
