#pragma once

#include <string>
#include <string_view>

#include "pipeline/ports/engine_status.h"

namespace caracal::pipeline {

/// What a route must know of a request. Views live as long as the request.
struct AdminRequest {
  std::string_view method;  ///< "GET"
  std::string_view target;  ///< "/resume?topic=a&partition=0"
  /// The peer is this host.
  bool from_loopback = false;
  /// A browser sent it for a page (it has an Origin header).
  bool from_web_page = false;
};

struct AdminReply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  /// Value of the Allow header; empty = none.
  std::string allow;
};

/// Answers admin requests from the engine's status: the paths, without the HTTP.
///
///   GET  /metrics   Prometheus text format 0.0.4
///   GET  /livez     200 or 503, and the checks: restart the process when it fails
///   GET  /readyz    200 or 503, and the checks: this instance may be given traffic
///   GET  /healthz   the same as /readyz
///   GET  /status    JSON: what the engine is doing
///   GET  /config    the effective configuration, secrets redacted
///   POST /resume?topic=T&partition=N   resumes a partition paused by rejected records; all of the
///                                      topic's without the partition
///
/// HEAD is answered like GET. Other methods get 405, other paths 404. A request that changes the
/// engine is refused (403) when it comes for a web page, and when its peer is another host, unless
/// that is allowed.
///
/// Threads: any, as EngineStatus. `engine` must outlive the routes.
class AdminRoutes {
 public:
  AdminRoutes(EngineStatus& engine, bool allow_remote_mutations)
      : engine_(engine), allow_remote_mutations_(allow_remote_mutations) {}

  AdminReply Handle(const AdminRequest& request) const;

 private:
  AdminReply Metrics() const;
  AdminReply Liveness() const;
  AdminReply Readiness() const;
  AdminReply Status() const;
  AdminReply Config() const;
  AdminReply HandleResume(const AdminRequest& request) const;
  AdminReply Resume(const AdminRequest& request) const;

  EngineStatus& engine_;
  const bool allow_remote_mutations_;
};

}  // namespace caracal::pipeline
