#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace caracal::pipeline {

struct HttpReply {
  int status = 0;  ///< 200, 404, ...
  std::string content_type;
  std::string body;
};

/// Sends one request without a body to an admin listener and waits for the whole reply: for
/// commands such as `caracal resume`.
///
/// `method` is GET, HEAD or POST; `address` is host:port, see ParseAdminAddress; `target` is the
/// path and query, already percent-encoded where it must be. `timeout` bounds connecting and the
/// exchange together; a name that is not an IP address is resolved before, as fast as the resolver
/// is. Replies are at most 64 MiB.
///
/// Any HTTP reply is a success, whatever its status. InvalidArgument: an argument is not of that
/// form. Unavailable: nobody answers there, or no HTTP. DeadlineExceeded: not in time. The messages
/// name the address and say what to check. Any thread; blocks.
absl::StatusOr<HttpReply> SendAdminRequest(std::string_view method, std::string_view address,
                                           std::string_view target, absl::Duration timeout);

}  // namespace caracal::pipeline
