#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct pg_conn;

namespace caracal::pipeline {

/// One connection to PostgreSQL, reduced to what a load needs. Messages of the server arrive in the
/// status. After an error no call may follow. One thread at a time.
class PostgresSession {
 public:
  /// Unavailable when there is no connection; InvalidArgument when `conninfo` is none.
  static absl::StatusOr<std::unique_ptr<PostgresSession>> Connect(const std::string& conninfo);

  /// One or more statements without parameters, each in full.
  absl::Status Execute(const std::string& sql);
  /// One statement with one text parameter.
  absl::Status Execute(const std::string& sql, const std::string& parameter);

  /// Runs one COPY .. FROM STDIN with these lines: one transaction.
  absl::Status Copy(const std::string& sql, std::string_view lines);

  /// Names a statement for Queue.
  absl::Status Prepare(const char* name, const std::string& sql);
  /// Queues a prepared statement; nothing is sent for sure before Sync. The caller bounds how many.
  absl::Status Queue(const char* name, std::span<const std::string> parameters);
  /// Sends what is queued as one transaction and waits for its outcome.
  absl::Status Sync();
  /// After Sync: back to Execute and Copy.
  absl::Status EndPipeline();

 private:
  struct FinishConnection {
    void operator()(pg_conn* connection) const;
  };

  explicit PostgresSession(pg_conn* connection) : connection_(connection) {}
  absl::Status ConnectionError(std::string_view what) const;
  /// Takes the results of one command; OK unless one is an error.
  absl::Status TakeResults(std::string_view what);
  absl::Status WaitForInput();

  std::unique_ptr<pg_conn, FinishConnection> connection_;
  bool pipelining_ = false;
};

}  // namespace caracal::pipeline
