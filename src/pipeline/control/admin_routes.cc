#include "pipeline/control/admin_routes.h"

#include <fmt/format.h>

#include <array>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>
#include <cstddef>
#include <optional>
#include <system_error>
#include <utility>

#include "agents/api/status_macros.h"
#include "pipeline/base/log.h"
#include "pipeline/base/utf8.h"

namespace caracal::pipeline {
namespace {

constexpr std::string_view kPaths = "/metrics /livez /readyz /healthz /status /config /resume";

AdminReply Text(int status, std::string body) {
  AdminReply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}

AdminReply MethodNotAllowed(std::string_view allow) {
  AdminReply reply = Text(405, fmt::format("405: this path answers {} only\n", allow));
  reply.allow = allow;
  return reply;
}

/// The verdict in one line, then one line per check.
AdminReply HealthReply(const Health& health, std::string_view yes, std::string_view no) {
  std::string body = fmt::format("{}\n", health.ok ? yes : no);
  for (const HealthCheck& check : health.checks) {
    body += fmt::format("[{}] {}", check.ok ? '+' : '-', PrintableLine(check.name));
    if (!check.detail.empty()) body += ": " + PrintableLine(check.detail);
    body += '\n';
  }
  return Text(health.ok ? 200 : 503, std::move(body));
}

int HttpStatusOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kFailedPrecondition:
      return 409;
    case absl::StatusCode::kUnavailable:
      return 503;
    default:
      return 500;
  }
}

struct ResumeTarget {
  std::string topic;
  int32_t partition = -1;  ///< -1 = every paused one
};

/// The query's topic, once, and its partition, at most once, and nothing else; nullopt otherwise.
std::optional<ResumeTarget> ParseResume(const boost::urls::url_view& url) {
  std::optional<std::string> topic;
  std::optional<std::string> partition;
  for (const auto& parameter : url.params()) {
    std::optional<std::string>* value = nullptr;
    if (parameter.key == "topic") value = &topic;
    if (parameter.key == "partition") value = &partition;
    if (value == nullptr || value->has_value()) return std::nullopt;
    value->emplace(parameter.value);
  }
  if (!topic.has_value() || topic->empty()) return std::nullopt;

  ResumeTarget target{std::move(*topic)};
  if (!partition.has_value()) return target;
  const char* const begin = partition->data();
  const char* const end = begin + partition->size();
  const auto [stop, error] = std::from_chars(begin, end, target.partition);
  if (error != std::errc() || stop != end || target.partition < 0) return std::nullopt;
  return target;
}

}  // namespace

AdminReply AdminRoutes::Handle(const AdminRequest& request) const {
  using Answer = AdminReply (AdminRoutes::*)() const;
  constexpr std::array<std::pair<std::string_view, Answer>, 6> kReadOnly = {{
      {"/metrics", &AdminRoutes::Metrics},
      {"/livez", &AdminRoutes::Liveness},
      {"/readyz", &AdminRoutes::Readiness},
      {"/healthz", &AdminRoutes::Readiness},
      {"/status", &AdminRoutes::Status},
      {"/config", &AdminRoutes::Config},
  }};

  const std::string_view path = request.target.substr(0, request.target.find('?'));
  for (const auto& [known, answer] : kReadOnly) {
    if (path != known) continue;
    if (request.method != "GET" && request.method != "HEAD") return MethodNotAllowed("GET, HEAD");
    return (this->*answer)();
  }
  if (path == "/resume") return HandleResume(request);
  return Text(404, fmt::format("404: no such path; there are {}\n", kPaths));
}

AdminReply AdminRoutes::Metrics() const {
  AdminReply reply;
  reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
  reply.body = engine_.MetricsText();
  return reply;
}

AdminReply AdminRoutes::Liveness() const {
  return HealthReply(engine_.Liveness(), "alive", "not alive");
}

AdminReply AdminRoutes::Readiness() const {
  return HealthReply(engine_.Readiness(), "ready", "not ready");
}

AdminReply AdminRoutes::Status() const {
  AdminReply reply;
  reply.content_type = "application/json";
  reply.body = engine_.StatusJson();
  return reply;
}

AdminReply AdminRoutes::Config() const { return Text(200, engine_.ConfigText()); }

AdminReply AdminRoutes::HandleResume(const AdminRequest& request) const {
  if (request.method != "POST") return MethodNotAllowed("POST");
  if (request.from_web_page) {
    return Text(403, "403: requests from web pages may not change the engine\n");
  }
  if (!request.from_loopback && !allow_remote_mutations_) {
    return Text(403,
                "403: only this host may change the engine; run the command there, or set "
                "admin.allow_mutations: true\n");
  }
  return Resume(request);
}

AdminReply AdminRoutes::Resume(const AdminRequest& request) const {
  const auto url = boost::urls::parse_origin_form({request.target.data(), request.target.size()});
  const std::optional<ResumeTarget> target = url ? ParseResume(*url) : std::nullopt;
  if (!target.has_value()) {
    return Text(400,
                "400: write POST /resume?topic=<topic>&partition=<number>, or leave the "
                "partition out for every paused one\n");
  }
  const absl::Status status = engine_.Resume(target->topic, target->partition);
  LOG(kInfo, "admin", "resume requested",
      {{"topic", target->topic}, {"partition", target->partition}, {"result", status.ToString()}});
  if (!status.ok()) {
    const int code = HttpStatusOf(status);
    return Text(code, fmt::format("{}: {}\n", code, PrintableLine(agents::MessageOf(status))));
  }
  const std::string which = target->partition < 0 ? std::string(", every paused partition")
                                                  : fmt::format(" [{}]", target->partition);
  return Text(200, fmt::format("resumed {}{}\n", PrintableLine(target->topic), which));
}

}  // namespace caracal::pipeline
