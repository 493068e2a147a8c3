#include "pipeline/generate/postgres_session.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

#include "agents/api/check.h"
#include "agents/api/status_macros.h"

namespace caracal::pipeline {
namespace {

/// PQputCopyData takes an int; libpq buffers what it is given.
constexpr size_t kCopyPieceBytes = 64 * 1024;

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, ClearResult>;

/// The message on one line, each run of white space one blank.
std::string Trimmed(const char* message) {
  std::string text;
  for (const char c : std::string_view(message)) {
    const bool blank = c == ' ' || c == '\n' || c == '\t';
    if (!blank) {
      text += c;
    } else if (!text.empty() && text.back() != ' ') {
      text += ' ';
    }
  }
  if (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

absl::Status CheckConninfo(const std::string& conninfo) {
  char* reason = nullptr;
  PQconninfoOption* const options = PQconninfoParse(conninfo.c_str(), &reason);
  if (options == nullptr) {
    const std::string text = reason == nullptr ? "no memory" : Trimmed(reason);
    PQfreemem(reason);
    return absl::InvalidArgumentError(
        fmt::format("--postgres is no connection string: {}; write \"host=HOST dbname=NAME "
                    "user=USER\" or postgresql://USER@HOST/NAME",
                    text));
  }
  PQconninfoFree(options);
  return absl::OkStatus();
}

// What the server says is wrong, on one line.
std::string ErrorOf(const PGresult* result) {
  const char* const primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (primary == nullptr) return Trimmed(PQresultErrorMessage(result));
  const char* const detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
  return detail == nullptr ? Trimmed(primary)
                           : fmt::format("{} ({})", Trimmed(primary), Trimmed(detail));
}

absl::Status ToStatus(const PGresult* result, std::string_view what) {
  switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_COPY_IN:
    case PGRES_PIPELINE_SYNC:
      return absl::OkStatus();
    case PGRES_PIPELINE_ABORTED:
      return absl::AbortedError("an earlier statement of the batch failed");
    default:
      return absl::UnknownError(fmt::format("{}: {}", what, ErrorOf(result)));
  }
}

}  // namespace

void PostgresSession::FinishConnection::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

absl::StatusOr<std::unique_ptr<PostgresSession>> PostgresSession::Connect(
    const std::string& conninfo) {
  RETURN_IF_ERROR(CheckConninfo(conninfo));
  pg_conn* const connection = PQconnectdb(conninfo.c_str());
  if (connection == nullptr) return absl::ResourceExhaustedError("no memory for a connection");
  std::unique_ptr<PostgresSession> session(new PostgresSession(connection));
  if (PQstatus(connection) != CONNECTION_OK) {
    return absl::UnavailableError(fmt::format("cannot connect to PostgreSQL: {} Check --postgres.",
                                              Trimmed(PQerrorMessage(connection))));
  }
  // "relation already exists, skipping" is no news.
  PQsetNoticeProcessor(
      connection, [](void*, const char*) {}, nullptr);
  return session;
}

absl::Status PostgresSession::ConnectionError(std::string_view what) const {
  const std::string text = fmt::format("{}: {}", what, Trimmed(PQerrorMessage(connection_.get())));
  return PQstatus(connection_.get()) == CONNECTION_BAD ? absl::UnavailableError(text)
                                                       : absl::UnknownError(text);
}

absl::Status PostgresSession::Execute(const std::string& sql) {
  const ResultPtr result(PQexec(connection_.get(), sql.c_str()));
  if (result == nullptr) return ConnectionError("PostgreSQL statement");
  return ToStatus(result.get(), "PostgreSQL statement");
}

absl::Status PostgresSession::Execute(const std::string& sql, const std::string& parameter) {
  const char* const value = parameter.c_str();
  const ResultPtr result(
      PQexecParams(connection_.get(), sql.c_str(), 1, nullptr, &value, nullptr, nullptr, 0));
  if (result == nullptr) return ConnectionError("PostgreSQL statement");
  return ToStatus(result.get(), "PostgreSQL statement");
}

absl::Status PostgresSession::EndPipeline() {
  if (!pipelining_) return absl::OkStatus();
  if (PQexitPipelineMode(connection_.get()) != 1 || PQsetnonblocking(connection_.get(), 0) != 0) {
    return ConnectionError("PostgreSQL pipeline");
  }
  pipelining_ = false;
  return absl::OkStatus();
}

absl::Status PostgresSession::Copy(const std::string& sql, std::string_view lines) {
  RETURN_IF_ERROR(Execute(sql));
  while (!lines.empty()) {
    const std::string_view piece = lines.substr(0, kCopyPieceBytes);
    if (PQputCopyData(connection_.get(), piece.data(), static_cast<int>(piece.size())) != 1) {
      return ConnectionError("PostgreSQL COPY");
    }
    lines.remove_prefix(piece.size());
  }
  if (PQputCopyEnd(connection_.get(), nullptr) != 1) return ConnectionError("PostgreSQL COPY");
  return TakeResults("PostgreSQL COPY");
}

absl::Status PostgresSession::TakeResults(std::string_view what) {
  absl::Status status;
  while (true) {
    const ResultPtr result(PQgetResult(connection_.get()));
    if (result == nullptr) break;
    status.Update(ToStatus(result.get(), what));
  }
  if (status.ok() && PQstatus(connection_.get()) == CONNECTION_BAD) return ConnectionError(what);
  return status;
}

absl::Status PostgresSession::Prepare(const char* name, const std::string& sql) {
  CHECK(!pipelining_);
  const ResultPtr result(PQprepare(connection_.get(), name, sql.c_str(), 0, nullptr));
  if (result == nullptr) return ConnectionError("PostgreSQL statement");
  return ToStatus(result.get(), "PostgreSQL statement");
}

absl::Status PostgresSession::Queue(const char* name, std::span<const std::string> parameters) {
  if (!pipelining_) {
    // Non-blocking, so that neither side waits for the other to read while both have full buffers.
    if (PQsetnonblocking(connection_.get(), 1) != 0 ||
        PQenterPipelineMode(connection_.get()) != 1) {
      return ConnectionError("PostgreSQL pipeline");
    }
    pipelining_ = true;
  }
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  if (PQsendQueryPrepared(connection_.get(), name, static_cast<int>(values.size()), values.data(),
                          nullptr, nullptr, 0) != 1) {
    return ConnectionError("PostgreSQL pipeline");
  }
  return absl::OkStatus();
}

absl::Status PostgresSession::Sync() {
  if (!pipelining_) return absl::OkStatus();
  if (PQpipelineSync(connection_.get()) != 1) return ConnectionError("PostgreSQL pipeline");
  absl::Status status;
  while (true) {
    RETURN_IF_ERROR(WaitForInput());
    while (PQisBusy(connection_.get()) == 0) {
      const ResultPtr result(PQgetResult(connection_.get()));
      if (result == nullptr) {
        // Null stands between the results of two statements, or there is no server any more.
        if (PQstatus(connection_.get()) == CONNECTION_BAD) {
          return ConnectionError("PostgreSQL pipeline");
        }
        continue;
      }
      if (PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) return status;
      status.Update(ToStatus(result.get(), "PostgreSQL statement"));
    }
  }
}

absl::Status PostgresSession::WaitForInput() {
  while (PQisBusy(connection_.get()) == 1) {
    const int unsent = PQflush(connection_.get());
    if (unsent < 0) return ConnectionError("PostgreSQL pipeline");
    pollfd ready{PQsocket(connection_.get()), POLLIN, 0};
    if (unsent > 0) ready.events |= POLLOUT;
    if (poll(&ready, 1, -1) < 0 && errno != EINTR) {
      return absl::UnknownError(fmt::format("PostgreSQL pipeline: {}", std::strerror(errno)));
    }
    if (PQconsumeInput(connection_.get()) != 1) return ConnectionError("PostgreSQL pipeline");
  }
  return absl::OkStatus();
}

}  // namespace caracal::pipeline
