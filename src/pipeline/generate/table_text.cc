#include "pipeline/generate/table_text.h"

#include <fmt/format.h>

#include <array>

#include "pipeline/generate/text_cursor.h"

namespace caracal::pipeline {
namespace {

constexpr std::array<std::string_view, 11> kColumns = {
    "id",      "user_id",  "amount",    "card_type", "merchant_id", "created_at",
    "country", "latitude", "longitude", "device",    "currency"};
constexpr size_t kReferenceColumns = 6;

std::string QuotedIdentifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

// What `put` writes.
template <typename PutValue>
std::string Text(PutValue put) {
  char buffer[TextCursor::kMaxNumberBytes];
  TextCursor out(buffer);
  put(out);
  return {buffer, out.position()};
}

}  // namespace

std::span<const std::string_view> TableColumns(LoadProfile profile) {
  return std::span(kColumns).first(profile == LoadProfile::kReference ? kReferenceColumns
                                                                      : kColumns.size());
}

std::string QuotedTable(std::string_view table) {
  const size_t dot = table.find('.');
  if (dot == std::string_view::npos) return QuotedIdentifier(table);
  return QuotedIdentifier(table.substr(0, dot)) + '.' + QuotedIdentifier(table.substr(dot + 1));
}

std::string CreateTableSql(LoadProfile profile, std::string_view quoted_table) {
  const bool reference = profile == LoadProfile::kReference;
  constexpr std::string_view kPlaceColumns =
      ",\n"
      "  country CHAR(2),\n"
      "  latitude DOUBLE PRECISION,\n"
      "  longitude DOUBLE PRECISION,\n"
      "  device VARCHAR(20),\n"
      "  currency CHAR(3)";
  return fmt::format(
      "CREATE TABLE IF NOT EXISTS {} (\n"
      "  id {} PRIMARY KEY,\n"
      "  user_id INT,\n"
      "  amount NUMERIC(10,2),\n"
      "  card_type VARCHAR(20),\n"
      "  merchant_id INT,\n"
      "  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP{}\n"
      ");\n"
      "ALTER TABLE {} REPLICA IDENTITY FULL;\n",
      quoted_table, reference ? "SERIAL" : "BIGSERIAL",
      reference ? std::string_view() : kPlaceColumns, quoted_table);
}

void RowValues(LoadProfile profile, std::string_view currency, const Payment& row,
               std::vector<std::string>& values) {
  values.clear();
  values.push_back(Text([&](TextCursor& out) { out.PutInteger(row.id); }));
  values.push_back(Text([&](TextCursor& out) { out.PutInteger(row.account); }));
  values.push_back(Text([&](TextCursor& out) { out.PutDecimal(row.amount, kPaymentAmountScale); }));
  values.emplace_back(row.card_type);
  values.push_back(Text([&](TextCursor& out) { out.PutInteger(row.merchant); }));
  values.push_back(Text([&](TextCursor& out) { out.PutTimestamp(row.event_time_us); }));
  if (profile == LoadProfile::kReference) return;
  values.emplace_back(row.country);
  values.push_back(Text([&](TextCursor& out) { out.PutDecimal(row.location.latitude_udeg, 6); }));
  values.push_back(Text([&](TextCursor& out) { out.PutDecimal(row.location.longitude_udeg, 6); }));
  values.push_back("dev-" + Text([&](TextCursor& out) { out.PutHex32(row.device); }));
  values.emplace_back(currency);
}

void AppendCopyEscaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        out += c;
    }
  }
}

void AppendCopyLine(std::span<const std::string> values, std::string& out) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += '\t';
    AppendCopyEscaped(values[i], out);
  }
  out += '\n';
}

}  // namespace caracal::pipeline
