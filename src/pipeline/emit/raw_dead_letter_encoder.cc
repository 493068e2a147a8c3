#include "pipeline/emit/raw_dead_letter_encoder.h"

#include <fmt/format.h>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "agents/api/check.h"
#include "pipeline/base/utf8.h"

namespace caracal::pipeline {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kStage = "decode";
constexpr std::string_view kConnectStage = "VALUE_CONVERTER";
constexpr std::string_view kStageClass = "caracal.pipeline.decode";

/// The bytes Java's ByteBuffer.putInt and putLong write.
template <std::signed_integral T>
std::string BigEndian(T value) {
  auto rest = static_cast<std::make_unsigned_t<T>>(value);
  std::string bytes(sizeof(T), '\0');
  for (size_t i = sizeof(T); i-- > 0; rest >>= 8) bytes[i] = static_cast<char>(rest & 0xFF);
  return bytes;
}

void AddConnectHeaders(const RawRecord& record, const std::string& exception_class,
                       const std::string& message, Headers& headers) {
  headers.emplace_back("__connect.errors.topic", record.lease->topic());
  headers.emplace_back("__connect.errors.partition", fmt::format("{}", record.lease->partition()));
  headers.emplace_back("__connect.errors.offset", fmt::format("{}", record.offset));
  headers.emplace_back("__connect.errors.stage", kConnectStage);
  headers.emplace_back("__connect.errors.class.name", kStageClass);
  headers.emplace_back("__connect.errors.exception.class.name", exception_class);
  headers.emplace_back("__connect.errors.exception.message", message);
}

void AddSpringHeaders(const RawRecord& record, const std::string& exception_class,
                      const std::string& message, Headers& headers) {
  headers.emplace_back("kafka_dlt-original-topic", record.lease->topic());
  headers.emplace_back("kafka_dlt-original-partition", BigEndian(record.lease->partition()));
  headers.emplace_back("kafka_dlt-original-offset", BigEndian(record.offset));
  headers.emplace_back("kafka_dlt-original-timestamp", BigEndian(record.timestamp_ms));
  headers.emplace_back("kafka_dlt-exception-fqcn", exception_class);
  headers.emplace_back("kafka_dlt-exception-message", message);
}

}  // namespace

OutputRecord RawDeadLetterEncoder::EncodeDeadLetter(const RecordBatch& batch, size_t index,
                                                    RejectReason reason,
                                                    std::string_view detail) const {
  CHECK(index < batch.records().size());
  const RawRecord& record = batch.records()[index];
  const std::string_view reason_name = RejectReasonName(reason);

  OutputRecord letter;
  letter.kind = OutputKind::kDeadLetter;
  letter.offset = record.offset;
  letter.null_key = record.key.data() == nullptr;
  letter.key = record.key;
  letter.null_value = record.value.data() == nullptr;
  letter.value = record.value;

  const std::string exception_class = fmt::format("caracal.RejectedRecord.{}", reason_name);
  const std::string message =
      PrintableLine(detail.empty() ? reason_name : detail.substr(0, kMaxDetailBytes));
  letter.headers.reserve(16);
  AddConnectHeaders(record, exception_class, message, letter.headers);
  AddSpringHeaders(record, exception_class, message, letter.headers);
  letter.headers.emplace_back("caracal-reason", reason_name);
  letter.headers.emplace_back("caracal-stage", kStage);
  if (const std::optional<std::string_view> trace = batch.FindHeader(index, "traceparent")) {
    letter.headers.emplace_back("traceparent", *trace);
  }
  return letter;
}

}  // namespace caracal::pipeline
