#include "pipeline/generate/table_text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "agents/api/status_macros.h"
#include "pipeline/generate/postgres_sink.h"

namespace caracal::pipeline {
namespace {

TEST(TableTextTest, EscapesCopyText) {
  std::string out;
  AppendCopyEscaped("plain é \\ tab\t line\n return\r end\\N", out);
  EXPECT_EQ(out, "plain é \\\\ tab\\t line\\n return\\r end\\\\N");
}

TEST(TableTextTest, SeparatesColumnsAndLines) {
  std::string out;
  AppendCopyLine(std::vector<std::string>{"1", "a\tb", ""}, out);
  AppendCopyLine(std::vector<std::string>{"2"}, out);
  EXPECT_EQ(out, "1\ta\\tb\t\n2\n");
}

TEST(TableTextTest, WritesRowsInColumnOrder) {
  Payment row;
  row.id = 7;
  row.account = 1042;
  row.amount = 1250;
  row.card_type = "VISA";
  row.merchant = 33;
  row.event_time_us = 1'767'323'045'678'901;
  row.country = "DE";
  row.location = {52'520'008, -127'800};
  row.device = 0x3f9a2c71;
  std::vector<std::string> values;
  RowValues(LoadProfile::kCards, "EUR", row, values);
  EXPECT_EQ(values, (std::vector<std::string>{"7", "1042", "12.50", "VISA", "33",
                                              "2026-01-02 03:04:05.678901", "DE", "52.520008",
                                              "-0.127800", "dev-3f9a2c71", "EUR"}));
  EXPECT_EQ(values.size(), TableColumns(LoadProfile::kCards).size());
  RowValues(LoadProfile::kReference, "EUR", row, values);
  EXPECT_EQ(values.size(), 6u);
  EXPECT_EQ(TableColumns(LoadProfile::kReference).size(), 6u);
}

TEST(TableTextTest, QuotesNames) {
  EXPECT_EQ(QuotedTable("transactions"), R"("transactions")");
  EXPECT_EQ(QuotedTable("public.transactions"), R"("public"."transactions")");
  EXPECT_EQ(QuotedTable("a\"b.c"), R"("a""b"."c")");
}

TEST(TableTextTest, CreatesTablesForChangeDataCapture) {
  EXPECT_EQ(CreateTableSql(LoadProfile::kReference, R"("public"."transactions")"),
            "CREATE TABLE IF NOT EXISTS \"public\".\"transactions\" (\n"
            "  id SERIAL PRIMARY KEY,\n"
            "  user_id INT,\n"
            "  amount NUMERIC(10,2),\n"
            "  card_type VARCHAR(20),\n"
            "  merchant_id INT,\n"
            "  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP\n"
            ");\n"
            "ALTER TABLE \"public\".\"transactions\" REPLICA IDENTITY FULL;\n");
  const std::string cards = CreateTableSql(LoadProfile::kCards, "t");
  for (const std::string_view column : TableColumns(LoadProfile::kCards)) {
    EXPECT_NE(cards.find("  " + std::string(column) + " "), std::string::npos) << column;
  }
  EXPECT_NE(cards.find("id BIGSERIAL PRIMARY KEY"), std::string::npos);
}

TEST(PostgresSinkTest, SaysThatTheServerIsOutOfReach) {
  PostgresSinkOptions options;
  options.conninfo = "host=127.0.0.1 port=1 connect_timeout=2";
  const auto sink = PostgresSink::Connect(options);
  ASSERT_TRUE(absl::IsUnavailable(sink.status()));
  EXPECT_NE(agents::MessageOf(sink.status()).find("cannot connect to PostgreSQL"),
            std::string::npos);
  EXPECT_NE(agents::MessageOf(sink.status()).find("Connection refused"), std::string::npos);
}

}  // namespace
}  // namespace caracal::pipeline
