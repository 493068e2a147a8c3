#pragma once

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

/// RETURN_IF_ERROR(expr) returns the absl::Status of `expr` from the enclosing function unless it
/// is OK.
#define RETURN_IF_ERROR(expr)                          \
  do {                                                 \
    ::absl::Status caracal_status_ = (expr);           \
    if (!caracal_status_.ok()) return caracal_status_; \
  } while (false)

#define CARACAL_STATUS_CONCAT_INNER_(a, b) a##b
#define CARACAL_STATUS_CONCAT_(a, b) CARACAL_STATUS_CONCAT_INNER_(a, b)
#define CARACAL_ASSIGN_OR_RETURN_(tmp, lhs, expr) \
  auto tmp = (expr);                              \
  if (!tmp.ok()) return std::move(tmp).status();  \
  lhs = std::move(tmp).value()

/// ASSIGN_OR_RETURN(lhs, expr) assigns the value of a StatusOr, or returns its status.
#define ASSIGN_OR_RETURN(lhs, expr) \
  CARACAL_ASSIGN_OR_RETURN_(CARACAL_STATUS_CONCAT_(caracal_statusor_, __LINE__), lhs, expr)

namespace caracal::agents {

/// The message of `status` as a std::string (Debian's Abseil has a string_view type of its own).
inline std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

}  // namespace caracal::agents
