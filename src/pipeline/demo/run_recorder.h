#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/base/mutex.h"
#include "pipeline/config/file_reader.h"
#include "pipeline/generate/file_sink.h"
#include "pipeline/generate/generated_record.h"
#include "pipeline/generate/label_writer.h"
#include "pipeline/generate/output_file.h"

namespace caracal::pipeline {

/// Keeps what one run of the demo saw in a folder, for another judge of the same records:
///
///   caracal.yaml, rules.yaml   what the engine ran with
///   records.ndjson             what it was fed, as `kcat -J` prints a topic
///   labels.ndjson              what was planted (see LabelWriter)
///   alerts.ndjson              what the alerts topic holds, as `kcat -J` prints it
///
/// NoteRecord from the feed's thread, NoteAlert from the reader's, the rest from the owner's while
/// neither runs. A failed write is kept and comes back from Close; what follows it is not written.
class RunRecorder {
 public:
  /// Makes the folder if it is missing and replaces files of these names. Errors as OutputFile.
  static absl::StatusOr<std::unique_ptr<RunRecorder>> Create(const std::string& folder);

  /// Writes the files of the configuration.
  absl::Status KeepFiles(const FileReader& files);
  /// A record was handed to the broker.
  void NoteRecord(const GeneratedRecord& record);
  /// A record of the alerts topic.
  void NoteAlert(const rd_kafka_message_t& message);
  /// The first failure, or that of closing the files. Nothing may follow.
  absl::Status Close();

 private:
  RunRecorder(std::string folder, std::unique_ptr<FileSink> records,
              std::unique_ptr<LabelWriter> labels, std::unique_ptr<OutputFile> alerts);

  const std::string folder_;
  const std::unique_ptr<FileSink> records_;
  const std::unique_ptr<LabelWriter> labels_;
  const std::unique_ptr<OutputFile> alerts_;
  Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace caracal::pipeline
