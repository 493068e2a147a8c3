#include "pipeline/generate/file_sink.h"

#include <string_view>

#include "agents/api/status_macros.h"

namespace caracal::pipeline {
namespace {

constexpr std::string_view kTombstoneLine = "null";
/// Member names, numbers and punctuation of one kcat line.
constexpr size_t kKcatBytes = 256;

void PutHex(std::string_view bytes, TextCursor& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out.Put(kDigits[byte >> 4]);
    out.Put(kDigits[byte & 15]);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileSink>> FileSink::Open(const std::string& path, FileFormat format,
                                                         std::string topic) {
  ASSIGN_OR_RETURN(std::unique_ptr<OutputFile> file, OutputFile::Open(path));
  return std::unique_ptr<FileSink>(new FileSink(std::move(file), format, std::move(topic)));
}

absl::Status FileSink::Write(const GeneratedRecord& record) {
  const bool tombstone = record.value.data() == nullptr;
  const size_t text = record.key.size() + record.value.size() + topic_.size();
  const size_t room = format_ == FileFormat::kNdjson
                          ? record.value.size() + kTombstoneLine.size() + 1
                          : text * TextCursor::kJsonEscapeFactor + kKcatBytes;
  ASSIGN_OR_RETURN(TextCursor out, file_->Reserve(room));
  if (format_ == FileFormat::kKcatJson) {
    PutKcatJson(record, out);
  } else {
    out.Put(tombstone ? kTombstoneLine : record.value);
  }
  out.Put('\n');
  file_->Commit(out);
  return absl::OkStatus();
}

void FileSink::PutKcatJson(const GeneratedRecord& record, TextCursor& out) const {
  out.Put(R"({"topic":")");
  out.PutJsonEscaped(topic_);
  out.Put(R"(","partition":)");
  out.PutInteger(record.partition < 0 ? 0 : record.partition);
  out.Put(R"(,"offset":)");
  out.PutInteger(static_cast<int64_t>(record.offset));
  out.Put(R"(,"tstype":"create","ts":)");
  out.PutInteger(record.timestamp_ms);
  out.Put(R"(,"key":")");
  out.PutJsonEscaped(record.key);
  if (record.value.data() == nullptr) return out.Put(R"(","payload":null})");
  if (IsUtf8(record.value)) {
    out.Put(R"(","payload":")");
    out.PutJsonEscaped(record.value);
  } else {
    out.Put(R"(","value_hex":")");
    PutHex(record.value, out);
  }
  out.Put(R"("})");
}

}  // namespace caracal::pipeline
