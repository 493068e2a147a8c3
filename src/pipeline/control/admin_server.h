#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "pipeline/ports/engine_status.h"

namespace caracal::pipeline {

struct AdminServerOptions {
  /// IP address (or "localhost") and port; port 0 = any free one.
  std::string listen = "127.0.0.1:9464";
  /// What the user calls that address, for messages.
  std::string setting = "admin.listen";
  /// Peers on other hosts may POST too. There is no authentication: only behind something that has.
  bool allow_remote_mutations = false;

  /// More connections wait in the kernel's backlog.
  size_t max_connections = 64;
  uint32_t max_header_bytes = 8 * 1024;
  uint32_t max_body_bytes = 4 * 1024;
  /// For one whole request, and again for its reply; also how long an idle connection is kept.
  absl::Duration request_timeout = absl::Seconds(10);
  /// How long Stop() waits for replies under way before it cuts them off.
  absl::Duration stop_timeout = absl::Seconds(2);
};

/// Serves the admin paths (see AdminRoutes) over HTTP/1.1 on one listener: metrics, health, status,
/// configuration, and the few orders an operator gives. Plain HTTP without authentication, so it
/// listens on loopback unless told otherwise and is read-only for other hosts.
///
/// Threads: one of its own, which handles one request at a time and makes every call to
/// EngineStatus. Start and Stop from one thread; Stop may be called twice.
/// Lifetime: `engine` must outlive the server. The destructor stops it.
/// Limits: see AdminServerOptions; memory per connection is bounded by them plus one reply.
/// Failure: a client can lose its connection, never more. When the process runs out of file
/// descriptors, accepting is retried every 100 ms.
class AdminServer {
 public:
  AdminServer(EngineStatus& engine, AdminServerOptions options);
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;
  ~AdminServer();

  /// Listens and begins to serve. Unavailable when the address cannot be had, InvalidArgument when
  /// it is none: the message names it and says what to do. At most once.
  absl::Status Start();

  /// Stops accepting, lets replies under way finish (at most options.stop_timeout), closes every
  /// connection and ends the thread.
  void Stop();

  /// The port it listens on; 0 before Start.
  uint16_t port() const;

 private:
  class Listener;

  std::unique_ptr<Listener> listener_;
};

}  // namespace caracal::pipeline
