#include "pipeline/generate/record_renderer.h"

#include <fmt/format.h>

#include <algorithm>

#include "agents/api/check.h"
#include "pipeline/generate/connect_schema.h"

namespace caracal::pipeline {
namespace {

/// Bounds of what one message adds to the pre-rendered names: two rows and an envelope, a key.
constexpr size_t kValueBytes = 4096;
constexpr size_t kKeyBytes = 128;

constexpr int kMicrosDigits = 16;  // of microseconds since 1970, from 2001 to 2286
constexpr int kMillisDigits = 13;
constexpr int kNanosDigits = 19;

// Fills `buffer` with the fixed start of every message and leaves `room` behind it.
size_t Prepare(std::string_view start, size_t room, std::vector<char>& buffer) {
  buffer.assign(start.size() + room, '\0');
  std::copy(start.begin(), start.end(), buffer.begin());
  return start.size();
}

// `value` as text, once for the two or three members that repeat its leading digits.
std::string_view Digits(int64_t value, int digits, char* buffer) {
  TextCursor(buffer).PutDigits(static_cast<uint64_t>(value), digits);
  return {buffer, static_cast<size_t>(digits)};
}

}  // namespace

RecordRenderer::RecordRenderer(LoadProfile profile, const MessageOptions& options)
    : places_(profile == LoadProfile::kCards), options_(options) {
  source_head_ = fmt::format(
      R"(,"source":{{"version":"3.7.0.Final","connector":"postgresql","name":"{}","ts_ms":)",
      options.source_name);
  source_database_ = fmt::format(R"(","db":"{}","sequence":"[)", options.database);
  source_table_ =
      fmt::format(R"(000,"schema":"{}","table":"{}","txId":)", options.schema, options.table);
  row_tail_ = fmt::format(R"(","currency":"{}")", options.currency);

  std::string value_start;
  std::string key_start;
  if (options.shape == MessageShape::kWrapped) {
    value_start = fmt::format(R"({{"schema":{},"payload":)", ConnectValueSchema(profile, options));
    key_start = fmt::format(R"({{"schema":{},"payload":)", ConnectKeySchema(profile, options));
  }
  const size_t names =
      source_head_.size() + source_database_.size() + source_table_.size() + row_tail_.size();
  payload_offset_ = Prepare(value_start, kValueBytes + names, value_);
  key_offset_ = Prepare(key_start, kKeyBytes, key_);
}

std::string_view RecordRenderer::RenderKey(const Payment& row) {
  TextCursor out(key_.data() + key_offset_);
  if (options_.key == MessageKey::kAccount) {
    out.Put(R"({"user_id":)");
    out.PutInteger(row.account);
  } else {
    out.Put(R"({"id":)");
    out.PutInteger(row.id);
  }
  out.Put('}');
  if (key_offset_ > 0) out.Put('}');
  return {key_.data(), static_cast<size_t>(out.position() - key_.data())};
}

std::string_view RecordRenderer::RenderValue(const Change& change, const Payment* before,
                                             const Payment* after) {
  TextCursor out(value_.data() + payload_offset_);
  if (options_.shape == MessageShape::kFlat) {
    PutFlatRow(change, after != nullptr ? *after : *before, out);
  } else {
    PutEnvelope(change, before, after, out);
    if (payload_offset_ > 0) out.Put('}');
  }
  const auto size = static_cast<size_t>(out.position() - value_.data());
  DCHECK(size <= value_.size());
  return {value_.data(), size};
}

void RecordRenderer::PutEnvelope(const Change& change, const Payment* before, const Payment* after,
                                 TextCursor& out) const {
  out.Put(R"({"before":)");
  PutRowOrNull(before, out);
  out.Put(R"(,"after":)");
  PutRowOrNull(after, out);
  PutSource(change, out);
  char buffer[kNanosDigits];
  const std::string_view sent = Digits(change.sent_ns, kNanosDigits, buffer);
  out.Put(R"(,"transaction":null,"op":")");
  out.Put(change.op);
  out.Put(R"(","ts_ms":)");
  out.Put(sent.substr(0, kMillisDigits));
  out.Put(R"(,"ts_us":)");
  out.Put(sent.substr(0, kMicrosDigits));
  out.Put(R"(,"ts_ns":)");
  out.Put(sent);
  out.Put('}');
}

void RecordRenderer::PutFlatRow(const Change& change, const Payment& row, TextCursor& out) const {
  char buffer[kMicrosDigits];
  PutRow(row, out);
  out.Put(change.op == 'd' ? R"(,"__deleted":"true","__op":")"
                           : R"(,"__deleted":"false","__op":")");
  out.Put(change.op);
  out.Put(R"(","__source_ts_ms":)");
  out.Put(Digits(change.commit_us, kMicrosDigits, buffer).substr(0, kMillisDigits));
  out.Put('}');
}

void RecordRenderer::PutSource(const Change& change, TextCursor& out) const {
  char buffer[kMicrosDigits];
  const std::string_view committed = Digits(change.commit_us, kMicrosDigits, buffer);
  out.Put(source_head_);
  out.Put(committed.substr(0, kMillisDigits));
  out.Put(R"(,"snapshot":")");
  out.Put(change.snapshot);
  out.Put(source_database_);
  if (change.previous_commit_lsn == 0) {
    out.Put(R"(null,\")");
  } else {
    out.Put(R"(\")");
    out.PutInteger(change.previous_commit_lsn);
    out.Put(R"(\",\")");
  }
  out.PutInteger(change.lsn);
  out.Put(R"(\"]","ts_us":)");
  out.Put(committed);
  out.Put(R"(,"ts_ns":)");
  out.Put(committed);
  out.Put(source_table_);
  out.PutInteger(change.transaction_id);
  out.Put(R"(,"lsn":)");
  out.PutInteger(change.lsn);
  out.Put(R"(,"xmin":null,"origin":null,"origin_lsn":null})");
}

void RecordRenderer::PutRowOrNull(const Payment* row, TextCursor& out) const {
  if (row == nullptr) return out.Put("null");
  PutRow(*row, out);
  out.Put('}');
}

void RecordRenderer::PutRow(const Payment& row, TextCursor& out) const {
  out.Put(R"({"id":)");
  out.PutInteger(row.id);
  out.Put(R"(,"user_id":)");
  out.PutInteger(row.account);
  out.Put(R"(,"amount":)");
  PutAmount(row.amount, out);
  out.Put(R"(,"card_type":")");
  out.Put(row.card_type);
  out.Put(R"(","merchant_id":)");
  out.PutInteger(row.merchant);
  out.Put(R"(,"created_at":)");
  out.PutInteger(row.event_time_us);
  if (!places_) return;
  out.Put(R"(,"country":")");
  out.Put(row.country);
  out.Put(R"(","latitude":)");
  out.PutJavaDouble(row.location.latitude_udeg, 6);
  out.Put(R"(,"longitude":)");
  out.PutJavaDouble(row.location.longitude_udeg, 6);
  out.Put(R"(,"device":"dev-)");
  out.PutHex32(row.device);
  out.Put(row_tail_);
}

void RecordRenderer::PutAmount(int64_t amount, TextCursor& out) const {
  switch (options_.decimals) {
    case DecimalForm::kString:
      out.Put('"');
      out.PutDecimal(amount, kPaymentAmountScale);
      out.Put('"');
      return;
    case DecimalForm::kBase64:
      out.Put('"');
      out.PutBase64Decimal(amount);
      out.Put('"');
      return;
    case DecimalForm::kDouble:
      out.PutJavaDouble(amount, kPaymentAmountScale);
      return;
  }
}

}  // namespace caracal::pipeline
