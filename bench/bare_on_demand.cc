#include "bench/bare_on_demand.h"

#include <simdjson.h>

#include <cstdint>
#include <string_view>

namespace caracal::pipeline {
namespace {

namespace ondemand = simdjson::ondemand;

struct BareFields {
  int64_t id = 0;
  int64_t account = 0;
  std::string_view amount_text;
  int64_t amount = 0;
  std::string_view card_type;
  int64_t merchant = 0;
  int64_t created_at = 0;
  int64_t commit_ms = 0;
  std::string_view schema;
  std::string_view table;
  std::string_view operation;
};

int64_t ParseCents(std::string_view text) {
  int64_t cents = 0;
  for (const char c : text) {
    if (c != '.') cents = cents * 10 + (c - '0');
  }
  return cents;
}

bool ReadRow(ondemand::object& row, BareFields& fields) {
  return row.find_field("id").get_int64().get(fields.id) == simdjson::SUCCESS &&
         row.find_field("user_id").get_int64().get(fields.account) == simdjson::SUCCESS &&
         row.find_field("amount").get_string().get(fields.amount_text) == simdjson::SUCCESS &&
         row.find_field("card_type").get_string().get(fields.card_type) == simdjson::SUCCESS &&
         row.find_field("merchant_id").get_int64().get(fields.merchant) == simdjson::SUCCESS &&
         row.find_field("created_at").get_int64().get(fields.created_at) == simdjson::SUCCESS;
}

bool ReadEnvelope(ondemand::object& envelope, BareFields& fields) {
  ondemand::object row;
  ondemand::object source;
  return envelope.find_field("after").get_object().get(row) == simdjson::SUCCESS &&
         ReadRow(row, fields) &&
         envelope.find_field("source").get_object().get(source) == simdjson::SUCCESS &&
         source.find_field("ts_ms").get_int64().get(fields.commit_ms) == simdjson::SUCCESS &&
         source.find_field("schema").get_string().get(fields.schema) == simdjson::SUCCESS &&
         source.find_field("table").get_string().get(fields.table) == simdjson::SUCCESS &&
         envelope.find_field("op").get_string().get(fields.operation) == simdjson::SUCCESS;
}

bool ReadFlatRow(ondemand::object& row, BareFields& fields) {
  return ReadRow(row, fields) &&
         row.find_field("__op").get_string().get(fields.operation) == simdjson::SUCCESS &&
         row.find_field("__source_ts_ms").get_int64().get(fields.commit_ms) == simdjson::SUCCESS;
}

bool Read(ondemand::parser& parser, const BareMessage& message, BareForm form, BareFields& fields) {
  ondemand::document document;
  ondemand::object object;
  const simdjson::padded_string_view json(message.data, message.size,
                                          message.size + simdjson::SIMDJSON_PADDING);
  if (parser.iterate(json).get(document) != simdjson::SUCCESS) return false;
  if (document.get_object().get(object) != simdjson::SUCCESS) return false;
  bool ok = false;
  if (form == BareForm::kFlatRow) {
    ok = ReadFlatRow(object, fields);
  } else if (form == BareForm::kWrapped) {
    ondemand::object payload;
    ok = object.find_field("payload").get_object().get(payload) == simdjson::SUCCESS &&
         ReadEnvelope(payload, fields);
  } else {
    ok = ReadEnvelope(object, fields);
  }
  fields.amount = ParseCents(fields.amount_text);
  return ok;
}

}  // namespace

extern "C" bool CARACAL_BARE_READER(const BareMessage* messages, size_t count, BareForm form) {
  static ondemand::parser parser;
  for (size_t i = 0; i < count; ++i) {
    BareFields fields;
    if (!Read(parser, messages[i], form, fields)) return false;
    // Keeps the compiler from leaving out what nobody looks at.
    asm volatile("" : : "r"(&fields) : "memory");
  }
  return true;
}

}  // namespace caracal::pipeline
