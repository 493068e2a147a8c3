#include "pipeline/demo/run_recorder.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/base/json_string.h"
#include "pipeline/demo/demo_config.h"

namespace caracal::pipeline {
namespace {

constexpr mode_t kFolderMode = 0755;
constexpr size_t kMaxConfigBytes = size_t{1} << 20;

std::string_view Bytes(const void* data, size_t size) {
  return data == nullptr ? std::string_view()
                         : std::string_view(static_cast<const char*>(data), size);
}

/// ["name","value",..], as kcat prints them; empty when there are none.
std::string HeaderList(const rd_kafka_message_t& message) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return "";
  std::string list;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    list +=
        fmt::format("{}{},{}", i == 0 ? "" : ",", JsonString(name), JsonString(Bytes(value, size)));
  }
  return list;
}

std::string KcatLine(const rd_kafka_message_t& message) {
  return fmt::format(
      R"({{"topic":{},"partition":{},"offset":{},"tstype":"create","ts":{},"headers":[{}],)"
      R"("key":{},"payload":{}}})"
      "\n",
      JsonString(rd_kafka_topic_name(message.rkt)), message.partition, message.offset,
      rd_kafka_message_timestamp(&message, nullptr), HeaderList(message),
      JsonString(Bytes(message.key, message.key_len)),
      JsonString(Bytes(message.payload, message.len)));
}

}  // namespace

RunRecorder::RunRecorder(std::string folder, std::unique_ptr<FileSink> records,
                         std::unique_ptr<LabelWriter> labels, std::unique_ptr<OutputFile> alerts)
    : folder_(std::move(folder)),
      records_(std::move(records)),
      labels_(std::move(labels)),
      alerts_(std::move(alerts)) {}

absl::StatusOr<std::unique_ptr<RunRecorder>> RunRecorder::Create(const std::string& folder) {
  if (mkdir(folder.c_str(), kFolderMode) != 0 && errno != EEXIST) {
    return absl::UnknownError(
        fmt::format("making the folder {} failed: {}", folder, std::strerror(errno)));
  }
  ASSIGN_OR_RETURN(
      std::unique_ptr<FileSink> records,
      FileSink::Open(folder + "/records.ndjson", FileFormat::kKcatJson, kDemoSourceTopic));
  ASSIGN_OR_RETURN(std::unique_ptr<LabelWriter> labels,
                   LabelWriter::Open(folder + "/labels.ndjson"));
  ASSIGN_OR_RETURN(std::unique_ptr<OutputFile> alerts, OutputFile::Open(folder + "/alerts.ndjson"));
  return std::unique_ptr<RunRecorder>(
      new RunRecorder(folder, std::move(records), std::move(labels), std::move(alerts)));
}

absl::Status RunRecorder::KeepFiles(const FileReader& files) {
  for (const std::string& name : files.Glob("*.yaml")) {
    ASSIGN_OR_RETURN(const FileContent content, files.Read(name, kMaxConfigBytes));
    ASSIGN_OR_RETURN(const std::unique_ptr<OutputFile> file,
                     OutputFile::Open(folder_ + "/" + name));
    RETURN_IF_ERROR(file->Append(content.text));
    RETURN_IF_ERROR(file->Close());
  }
  return absl::OkStatus();
}

void RunRecorder::NoteRecord(const GeneratedRecord& record) {
  MutexLock lock(&mutex_);
  if (status_.ok()) status_ = records_->Write(record);
  if (status_.ok()) status_ = labels_->Add(record);
}

void RunRecorder::NoteAlert(const rd_kafka_message_t& message) {
  MutexLock lock(&mutex_);
  if (status_.ok()) status_ = alerts_->Append(KcatLine(message));
}

absl::Status RunRecorder::Close() {
  MutexLock lock(&mutex_);
  if (status_.ok()) status_ = records_->Close();
  if (status_.ok()) status_ = labels_->Close();
  if (status_.ok()) status_ = alerts_->Close();
  return status_;
}

}  // namespace caracal::pipeline
