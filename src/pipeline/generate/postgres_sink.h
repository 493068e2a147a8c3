#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pipeline/generate/generator_options.h"
#include "pipeline/generate/postgres_session.h"
#include "pipeline/generate/record_sink.h"

namespace caracal::pipeline {

struct PostgresSinkOptions {
  /// libpq connection string or URI. Passwords belong in PGPASSFILE or a service file.
  std::string conninfo;
  /// "schema.table" or "table".
  std::string table = "public.transactions";
  LoadProfile profile = LoadProfile::kCards;
  std::string currency = "EUR";
  /// Create the table of the profile unless it exists.
  bool create_table = false;
  /// The load holds updates or deletes: rows go through pipelined statements instead of COPY.
  bool mutations = false;
  /// Rows per database transaction.
  size_t batch_rows = 1000;
};

/// Writes rows to a PostgreSQL table, so that a real connector captures them: new rows by COPY, or,
/// in a load with updates and deletes, everything by prepared statements in pipeline mode. One
/// database transaction per batch of rows, or per Flush.
///
/// Records that are no change of the table (tombstones, duplicates, resnapshots, malformed ones)
/// are refused: InvalidArgument. One thread at a time.
class PostgresSink : public RecordSink {
 public:
  /// Unavailable: no connection. InvalidArgument: the table does not exist or lacks a column.
  static absl::StatusOr<std::unique_ptr<PostgresSink>> Connect(const PostgresSinkOptions& options);

  absl::Status Write(const GeneratedRecord& record) override;
  /// Commits the rows written so far.
  absl::Status Flush() override;
  absl::Status Close() override;
  uint64_t bytes() const override { return bytes_; }

 private:
  PostgresSink(const PostgresSinkOptions& options, std::unique_ptr<PostgresSession> session);
  absl::Status Prepare();
  absl::Status Insert(const Payment& row);
  absl::Status Queue(const char* statement);

  const PostgresSinkOptions options_;
  const std::string quoted_table_;
  std::string copy_sql_;
  std::unique_ptr<PostgresSession> session_;
  std::vector<std::string> values_;
  std::string copy_lines_;
  size_t pending_rows_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace caracal::pipeline
