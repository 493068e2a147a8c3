#include "pipeline/generate/postgres_sink.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "agents/api/status_macros.h"
#include "pipeline/generate/table_text.h"

namespace caracal::pipeline {
namespace {

using agents::MessageOf;

constexpr const char* kInsert = "insert_row";
constexpr const char* kUpdate = "update_row";
constexpr const char* kDelete = "delete_row";

std::string ColumnList(LoadProfile profile) {
  return fmt::format("{}", fmt::join(TableColumns(profile), ", "));
}

std::string InsertSql(LoadProfile profile, std::string_view table) {
  std::string parameters;
  for (size_t i = 1; i <= TableColumns(profile).size(); ++i) {
    parameters += fmt::format("{}${}", i == 1 ? "" : ", ", i);
  }
  return fmt::format("INSERT INTO {} ({}) VALUES ({})", table, ColumnList(profile), parameters);
}

// A duplicate key means that the table already holds rows with these ids.
absl::Status WithHint(absl::Status status) {
  if (MessageOf(status).find("duplicate key") == std::string::npos) return status;
  return absl::Status(status.code(), fmt::format("{}; the table already has rows with these ids: "
                                                 "start above them with --first-id",
                                                 MessageOf(status)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresSink>> PostgresSink::Connect(
    const PostgresSinkOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<PostgresSession> session,
                   PostgresSession::Connect(options.conninfo));
  std::unique_ptr<PostgresSink> sink(new PostgresSink(options, std::move(session)));
  RETURN_IF_ERROR(sink->Prepare());
  return sink;
}

PostgresSink::PostgresSink(const PostgresSinkOptions& options,
                           std::unique_ptr<PostgresSession> session)
    : options_(options), quoted_table_(QuotedTable(options.table)), session_(std::move(session)) {
  copy_sql_ = fmt::format("COPY {} ({}) FROM STDIN", quoted_table_, ColumnList(options_.profile));
}

absl::Status PostgresSink::Prepare() {
  if (options_.create_table) {
    RETURN_IF_ERROR(session_->Execute(CreateTableSql(options_.profile, quoted_table_)));
  }
  const absl::Status table = session_->Execute(
      fmt::format("SELECT {} FROM {} LIMIT 0", ColumnList(options_.profile), quoted_table_));
  if (!table.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("{}; --create-table creates the table of the profile", MessageOf(table)));
  }
  if (!options_.mutations) return absl::OkStatus();
  RETURN_IF_ERROR(session_->Prepare(kInsert, InsertSql(options_.profile, quoted_table_)));
  RETURN_IF_ERROR(session_->Prepare(
      kUpdate, fmt::format("UPDATE {} SET amount = $1 WHERE id = $2", quoted_table_)));
  return session_->Prepare(kDelete, fmt::format("DELETE FROM {} WHERE id = $1", quoted_table_));
}

absl::Status PostgresSink::Write(const GeneratedRecord& record) {
  switch (record.kind) {
    case RecordKind::kPayment:
    case RecordKind::kSnapshot:
      RETURN_IF_ERROR(Insert(*record.row));
      break;
    case RecordKind::kUpdate:
      RowValues(options_.profile, options_.currency, *record.row, values_);
      values_ = {values_[2], values_[0]};
      RETURN_IF_ERROR(Queue(kUpdate));
      break;
    case RecordKind::kDelete:
      values_ = {fmt::format("{}", record.before->id)};
      RETURN_IF_ERROR(Queue(kDelete));
      break;
    case RecordKind::kTombstone:
      // The connector adds it to the delete by itself.
      return absl::OkStatus();
    case RecordKind::kDuplicate:
    case RecordKind::kResnapshot:
    case RecordKind::kMalformed:
      return absl::InvalidArgumentError(
          "a table cannot hold duplicates, resnapshots or malformed records");
  }
  return ++pending_rows_ >= options_.batch_rows ? Flush() : absl::OkStatus();
}

absl::Status PostgresSink::Insert(const Payment& row) {
  RowValues(options_.profile, options_.currency, row, values_);
  if (options_.mutations) return Queue(kInsert);
  const size_t before = copy_lines_.size();
  AppendCopyLine(values_, copy_lines_);
  bytes_ += copy_lines_.size() - before;
  return absl::OkStatus();
}

absl::Status PostgresSink::Queue(const char* statement) {
  for (const std::string& value : values_) bytes_ += value.size();
  return session_->Queue(statement, values_);
}

absl::Status PostgresSink::Flush() {
  if (pending_rows_ == 0) return absl::OkStatus();
  pending_rows_ = 0;
  if (options_.mutations) return WithHint(session_->Sync());
  const absl::Status status = session_->Copy(copy_sql_, copy_lines_);
  copy_lines_.clear();
  return WithHint(status);
}

absl::Status PostgresSink::Close() {
  RETURN_IF_ERROR(Flush());
  if (!options_.create_table) return absl::OkStatus();
  RETURN_IF_ERROR(session_->EndPipeline());
  // Rows came with their ids: let the table's own sequence go on behind them.
  return session_->Execute(
      fmt::format("SELECT setval(pg_get_serial_sequence($1, 'id'), (SELECT max(id) FROM {}))",
                  quoted_table_),
      quoted_table_);
}

}  // namespace caracal::pipeline
