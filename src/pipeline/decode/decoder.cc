#include "pipeline/decode/decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "agents/api/check.h"
#include "agents/state/key_hash.h"

namespace caracal::pipeline {
namespace {

constexpr std::string_view kMovedRowHeader = "__debezium.oldkey";
constexpr std::string_view kTraceHeader = "traceparent";
constexpr size_t kMaxDetailBytes = 256;
/// Of an ISO 4217 code.
constexpr size_t kCurrencyBytes = 3;

DecodeOptions Validated(DecodeOptions options) {
  CHECK(ValidateDecodeOptions(options).ok());
  return options;
}

/// What a slot is called in messages to people.
std::string_view SlotName(size_t slot) {
  switch (slot) {
    case kAccountSlot:
      return "account";
    case kKeySlot:
      return "key";
    case kIdSlot:
      return "id";
    case kAmountSlot:
      return "amount";
    case kTimeSlot:
      return "time";
    case kCurrencySlot:
      return "currency";
    default:
      return "attribute";
  }
}

DecodeResult RejectOf(JsonStatus status) {
  switch (status) {
    case JsonStatus::kInvalidUtf8:
      return DecodeResult::Reject(RejectReason::kInvalidUtf8, "the value is not valid UTF-8");
    case JsonStatus::kTooDeep:
      return DecodeResult::Reject(RejectReason::kTooDeep, "the value is nested too deeply");
    case JsonStatus::kTooManyValues:
      return DecodeResult::Reject(RejectReason::kTooLarge, "the value holds too many JSON values");
    case JsonStatus::kMalformed:
    case JsonStatus::kOk:
      break;
  }
  return DecodeResult::Reject(RejectReason::kMalformedJson, "the value is not one JSON document");
}

/// The letter of a Debezium operation; '\0' when the token is no single letter.
char OperationLetter(const JsonToken& token) {
  if (token.kind == JsonKind::kString && token.plain) {
    return token.text.size() == 1 ? token.text[0] : '\0';
  }
  for (const std::string_view letter : {"c", "r", "u", "d", "t", "m"}) {
    if (IsText(token, letter)) return letter[0];
  }
  return '\0';
}

std::optional<OperationPolicy> PolicyOf(char operation, const OperationPolicies& policies) {
  switch (operation) {
    case 'c':
      return policies.create;
    case 'r':
      return policies.read;
    case 'u':
      return policies.update;
    case 'd':
      return policies.remove;
    default:
      return std::nullopt;
  }
}

std::optional<size_t> FindCurrencyAttribute(const DecodeOptions& options) {
  const std::vector<AttributeColumn>& attributes = options.fields.attributes;
  for (size_t i = 0; i < attributes.size(); ++i) {
    const bool is_currency = attributes[i].name == options.currency_attribute;
    if (is_currency && attributes[i].column == options.fields.currency) return i;
  }
  return std::nullopt;
}

/// Bit i is set when slot i, no attribute's, has a column.
uint32_t MappedSlots(const MessagePlanner& planner) {
  uint32_t mapped = 0;
  for (uint32_t slot = 0; slot < kFirstAttributeSlot; ++slot) {
    if (!planner.column(slot).empty()) mapped |= uint32_t{1} << slot;
  }
  return mapped;
}

/// Upper-cases three ASCII letters; empty when `text` is something else.
std::string_view ReadCurrencyCode(std::string_view text, Arena& arena) {
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto is_letter = [&](char c) { return is_lower(c) || is_upper(c); };
  if (text.size() != kCurrencyBytes || !std::all_of(text.begin(), text.end(), is_letter)) return {};
  if (std::all_of(text.begin(), text.end(), is_upper)) return text;
  std::array<char, kCurrencyBytes> code{};
  std::transform(text.begin(), text.end(), code.begin(),
                 [&](char c) { return is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c; });
  return arena.Copy({code.data(), code.size()});
}

}  // namespace

/// One record on its way through the decoder.
struct Decoder::Row {
  const RecordBatch& batch;
  const size_t index;
  const RawRecord& record;
  Arena& arena;
  Event& event;
  char operation = 'c';
  std::span<std::string_view> attributes;
  /// Meaningful once one of the steps below has returned false, and at the end.
  DecodeResult result;
};

Decoder::Decoder(DecodeOptions options)
    : options_(Validated(std::move(options))),
      reader_(options_),
      identity_(options_.topic, options_.hash_seed),
      amounts_(options_.amount_scale, options_.amount_encoding, options_.amount_source_scale),
      times_(options_.time_unit, options_.max_ahead_us),
      locations_(options_),
      mapped_(MappedSlots(reader_.planner())),
      currency_attribute_(FindCurrencyAttribute(options_)) {}

DecodeResult Decoder::Decode(const RecordBatch& batch, size_t index, Arena& arena, Event& event) {
  const RawRecord& record = batch.records()[index];
  const std::string_view value = record.value;
  if (value.data() == nullptr) return DecodeResult::Skip(SkipReason::kTombstone);
  if (value.size() > options_.max_record_bytes) {
    return DecodeResult::Reject(RejectReason::kTooLarge,
                                "the value is longer than max_record_bytes");
  }
  if (!value.empty() && value.front() == '\0') {
    return DecodeResult::Reject(
        RejectReason::kUnknownFormat,
        "the first byte is 0 (Confluent framing): Avro is not supported by this version, use the "
        "connector's JsonConverter");
  }
  const JsonStatus status = reader_.Read(value, record.value_slack, {options_.topic, record.key});
  if (status != JsonStatus::kOk) return RejectOf(status);
  Row row{batch, index, record, arena, event, 'c', {}, {}};
  return DecodeMessage(row);
}

DecodeResult Decoder::DecodeMessage(Row& row) {
  const MessagePlan& plan = reader_.plan();
  switch (plan.kind) {
    case MessageKind::kDeleted:
      return DecodeResult::Skip(SkipReason::kDeleted);
    case MessageKind::kHeartbeat:
      return DecodeResult::Skip(SkipReason::kHeartbeat);
    case MessageKind::kTransactionMarker:
      return DecodeResult::Skip(SkipReason::kTransactionMarker);
    case MessageKind::kUnknown:
      return DecodeResult::Reject(RejectReason::kUnknownFormat, plan.problem);
    case MessageKind::kEnvelope:
    case MessageKind::kFlatRow:
      break;
  }
  const JsonToken& operation = reader_.token(kOperationSlot);
  const bool has_operation =
      operation.kind != JsonKind::kAbsent && operation.kind != JsonKind::kNull;
  // A row that says nothing of its operation has been inserted by whoever writes the topic.
  row.operation = has_operation ? OperationLetter(operation) : 'c';
  if (plan.deleted) row.operation = 'd';
  if (row.operation == 't') return DecodeResult::Skip(SkipReason::kTruncate);
  if (row.operation == 'm') return DecodeResult::Skip(SkipReason::kMessage);
  return DecodeChange(row);
}

DecodeResult Decoder::DecodeChange(Row& row) {
  const MessagePlan& plan = reader_.plan();
  const std::optional<OperationPolicy> policy = PolicyOf(row.operation, options_.operations);
  if (!policy.has_value()) {
    return DecodeResult::Reject(RejectReason::kUnknownFormat,
                                "the operation is none of c, r, u, d, t, m");
  }
  if (*policy == OperationPolicy::kSkip) {
    return DecodeResult::Skip(plan.deleted ? SkipReason::kDeleted : SkipReason::kOperation);
  }
  // A changed key makes Debezium delete the row and create it again: no new payment.
  if (row.operation == 'c' && row.batch.FindHeader(row.index, kMovedRowHeader).has_value()) {
    return DecodeResult::Skip(SkipReason::kMovedRow);
  }
  if (!plan.has_row) {
    return DecodeResult::Reject(RejectReason::kMissingField,
                                plan.row_name == "before" ? "the row 'before' is null or absent"
                                                          : "the row 'after' is null or absent");
  }
  // In place: assigned, it would be built aside or copied byte by byte.
  static_assert(std::is_trivially_destructible_v<Event>);
  std::construct_at(&row.event);
  row.event.action =
      *policy == OperationPolicy::kWarm ? EventAction::kWarm : EventAction::kEvaluate;
  row.result = DecodeResult::Transaction(LocationOutcome::kUnmapped);
  if (!ReadRow(row)) return row.result;
  FillOrigin(row);
  return row.result;
}

bool Decoder::ReadRow(Row& row) {
  if (!ReadKeys(row)) return false;
  if (!ReadAmount(row)) return false;
  if (!ReadCurrency(row)) return false;
  if (!ReadTime(row)) return false;
  if (!ReadAttributes(row)) return false;
  ReadLocation(row);
  FillIdentity(row);
  return true;
}

bool Decoder::RequireColumn(Row& row, size_t slot) {
  if (reader_.token(slot).kind != JsonKind::kAbsent) return true;
  return RejectColumn(row, slot, RejectReason::kMissingField, "is absent from the row");
}

bool Decoder::RejectColumn(Row& row, size_t slot, RejectReason reason, std::string_view problem) {
  std::array<char, kMaxDetailBytes> text;
  const auto written = fmt::format_to_n(text.data(), text.size(), "{} column '{}' {}",
                                        SlotName(slot), reader_.planner().column(slot), problem);
  const size_t size = std::min(written.size, text.size());
  row.result = DecodeResult::Reject(reason, row.arena.Copy({text.data(), size}));
  return false;
}

inline bool Decoder::ReadKeyText(Row& row, size_t slot, std::string_view& text) {
  return ReadPlainText(reader_.token(slot), text) || ReadRareKeyText(row, slot, text);
}

bool Decoder::ReadRareKeyText(Row& row, size_t slot, std::string_view& text) {
  if (!RequireColumn(row, slot)) return false;
  switch (ReadText(reader_.token(slot), row.arena, text)) {
    case TextStatus::kText:
      return true;
    case TextStatus::kNull:
      return RejectColumn(row, slot, RejectReason::kMissingAccount, "is null");
    case TextStatus::kUnreadable:
      break;
  }
  return RejectColumn(row, slot, RejectReason::kInvalidValue, "is neither text nor a number");
}

bool Decoder::ReadKeys(Row& row) {
  agents::Transaction& transaction = row.event.transaction;
  if (!ReadKeyText(row, kAccountSlot, transaction.account)) return false;
  transaction.key = transaction.account;
  if (IsMapped(kKeySlot) && !ReadKeyText(row, kKeySlot, transaction.key)) return false;
  row.event.key_hash = agents::HashKey(transaction.key, options_.hash_seed);
  if (!IsMapped(kIdSlot) || ReadPlainText(reader_.token(kIdSlot), transaction.id)) return true;
  if (!RequireColumn(row, kIdSlot)) return false;
  if (ReadText(reader_.token(kIdSlot), row.arena, transaction.id) == TextStatus::kUnreadable) {
    return RejectColumn(row, kIdSlot, RejectReason::kInvalidValue, "is neither text nor a number");
  }
  return true;
}

bool Decoder::ReadAmount(Row& row) {
  if (!IsMapped(kAmountSlot)) return true;
  if (!RequireColumn(row, kAmountSlot)) return false;
  const AmountTokens tokens = {reader_.token(kAmountSlot), reader_.token(kAmountScaleSlot),
                               reader_.token(kAmountValueSlot)};
  agents::Transaction& transaction = row.event.transaction;
  const std::optional<AmountProblem> problem =
      amounts_.Read(tokens, reader_.plan().amount, row.arena, transaction.amount);
  if (problem.has_value()) {
    return RejectColumn(row, kAmountSlot, problem->reason, problem->text);
  }
  transaction.has_amount = true;
  return true;
}

bool Decoder::ReadCurrency(Row& row) {
  agents::Transaction& transaction = row.event.transaction;
  if (!IsMapped(kCurrencySlot)) {
    // Copied: an event must not depend on the life of its decoder.
    if (!options_.currency.empty()) {
      char* const to = row.arena.Allocate(kCurrencyBytes);
      std::memcpy(to, options_.currency.data(), kCurrencyBytes);
      transaction.currency = {to, kCurrencyBytes};
    }
    return true;
  }
  if (!RequireColumn(row, kCurrencySlot)) return false;
  std::string_view text;
  if (ReadText(reader_.token(kCurrencySlot), row.arena, text) != TextStatus::kText) {
    return RejectColumn(row, kCurrencySlot, RejectReason::kInvalidCurrency, "is null or no text");
  }
  transaction.currency = ReadCurrencyCode(text, row.arena);
  if (transaction.currency.empty()) {
    return RejectColumn(row, kCurrencySlot, RejectReason::kInvalidCurrency,
                        "is not an ISO 4217 code");
  }
  if (!options_.currency.empty() && transaction.currency != options_.currency) {
    return RejectColumn(row, kCurrencySlot, RejectReason::kInvalidCurrency,
                        "is not the stream's declared currency");
  }
  return true;
}

bool Decoder::ReadTime(Row& row) {
  if (IsMapped(kTimeSlot) && !RequireColumn(row, kTimeSlot)) return false;
  const RecordClocks clocks = {ReadClockMillis(reader_.token(kSourceTimeSlot)),
                               row.record.timestamp_ms};
  const EventTime time =
      times_.Read(reader_.token(kTimeSlot), reader_.plan().time, clocks, row.arena);
  switch (time.status) {
    case EventTimeStatus::kOk:
      row.event.transaction.event_time_us = time.micros;
      row.event.transaction.time_source = time.source;
      row.event.commit_time_ms = clocks.source_commit_ms;
      return true;
    case EventTimeStatus::kMissing:
      row.result = DecodeResult::Reject(RejectReason::kMissingTime,
                                        "neither the row nor the record has a usable time");
      return false;
    case EventTimeStatus::kInvalid:
      break;
  }
  return RejectColumn(row, kTimeSlot, RejectReason::kInvalidValue, "is not a time");
}

bool Decoder::ReadAttributes(Row& row) {
  const size_t count = options_.fields.attributes.size();
  if (count == 0) return true;
  row.attributes = row.arena.AllocateViews(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t slot = kFirstAttributeSlot + i;
    std::string_view& text = row.attributes[i];
    if (ReadPlainText(reader_.token(slot), text)) continue;
    switch (ReadText(reader_.token(slot), row.arena, text)) {
      case TextStatus::kText:
      case TextStatus::kNull:
        break;
      case TextStatus::kUnreadable:
        return RejectColumn(row, slot, RejectReason::kInvalidValue, "is neither text nor a number");
    }
  }
  // Rules that keep currencies apart must see the one that the amount is in.
  if (currency_attribute_.has_value()) {
    row.attributes[*currency_attribute_] = row.event.transaction.currency;
  }
  row.event.transaction.attributes = row.attributes;
  return true;
}

void Decoder::ReadLocation(Row& row) {
  if (!locations_.is_mapped()) return;
  const MessagePlan& plan = reader_.plan();
  const CoordinateTokens tokens = {reader_.token(kLatitudeSlot), reader_.token(kLongitudeSlot),
                                   plan.latitude, plan.longitude};
  row.result.location = locations_.Read(tokens, row.attributes, row.arena, row.event.transaction);
}

void Decoder::FillIdentity(Row& row) {
  const std::string_view id = row.event.transaction.id;
  if (id.data() == nullptr || (row.operation != 'c' && row.operation != 'r')) return;
  row.event.has_row = true;
  const uint64_t run = reader_.one_table_run();
  if (run != 0 && run == identity_run_) {
    row.event.row_tag = identity_.TagInLastTable(id);
    return;
  }
  identity_run_ = run;
  std::string_view table;
  (void)ReadText(reader_.token(kSourceTableSlot), row.arena, table);
  if (reader_.plan().kind == MessageKind::kFlatRow) {
    row.event.row_tag = identity_.TagOfFlatRow(table, id);
    return;
  }
  std::string_view schema;
  (void)ReadText(reader_.token(kSourceSchemaSlot), row.arena, schema);
  row.event.row_tag = identity_.TagOfSourceRow(schema, table, id);
}

void Decoder::FillOrigin(Row& row) {
  row.event.lease = row.record.lease;
  row.event.offset = row.record.offset;
  row.event.traceparent =
      row.batch.FindHeader(row.index, kTraceHeader).value_or(std::string_view());
}

}  // namespace caracal::pipeline
