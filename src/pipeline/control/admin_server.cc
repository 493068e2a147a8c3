#include "pipeline/control/admin_server.h"

#include <fmt/format.h>
#include <pthread.h>

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <set>
#include <thread>
#include <utility>

#include "agents/api/status_macros.h"
#include "pipeline/base/log.h"
#include "pipeline/control/admin_address.h"
#include "pipeline/control/admin_routes.h"
#include "pipeline/control/admin_session.h"

namespace caracal::pipeline {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds kAcceptRetry{100};

std::chrono::steady_clock::duration ToSteady(absl::Duration duration) {
  return absl::ToChronoMicroseconds(duration);
}

absl::StatusOr<tcp::endpoint> EndpointOf(const std::string& listen) {
  ASSIGN_OR_RETURN(const AdminAddress parsed, ParseAdminAddress(listen));
  error_code error;
  const bool is_localhost = parsed.host == "localhost";
  const asio::ip::address address =
      asio::ip::make_address(is_localhost ? "127.0.0.1" : parsed.host, error);
  if (error) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is not an IP address: listen on one of this host, such as "
                    "127.0.0.1:9464, or on 0.0.0.0:9464 for all of them",
                    parsed.host));
  }
  return tcp::endpoint(address, parsed.port);
}

absl::Status CannotListen(const AdminServerOptions& options, const error_code& error) {
  std::string advice = fmt::format("set {} to an address of this host", options.setting);
  if (error == asio::error::address_in_use) {
    advice = fmt::format(
        "another process (another caracal?) has this port: stop it, or set {} to a free port",
        options.setting);
  }
  if (error == asio::error::access_denied) {
    advice =
        fmt::format("ports below 1024 need a privilege: set {} to a higher port", options.setting);
  }
  return absl::UnavailableError(fmt::format("cannot listen on {} for admin requests: {}; {}",
                                            options.listen, error.message(), advice));
}

}  // namespace

/// Accepts connections and owns their sessions; everything but Open, Run and Stop happens on the
/// admin thread.
class AdminServer::Listener final : public AdminSession::Owner {
 public:
  Listener(EngineStatus& engine, AdminServerOptions options)
      : options_(std::move(options)),
        limits_{options_.max_header_bytes, options_.max_body_bytes,
                ToSteady(options_.request_timeout)},
        routes_(engine, options_.allow_remote_mutations) {}

  absl::Status Open() {
    ASSIGN_OR_RETURN(const tcp::endpoint endpoint, EndpointOf(options_.listen));
    error_code error;
    acceptor_.open(endpoint.protocol(), error);
    // A restart must not wait until the kernel forgets the connections of the last run.
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (!error) port_ = acceptor_.local_endpoint(error).port();
    if (error) return CannotListen(options_, error);
    return absl::OkStatus();
  }

  void Run() {
    Accept();
    // An exception here is a bug of ours, and it ends the process: noexcept.
    thread_ = std::thread([this]() noexcept { io_.run(); });
    pthread_setname_np(thread_.native_handle(), "caracal-admin");
    LOG(kInfo, "admin", "listening", {{"address", options_.listen}, {"port", port_}});
  }

  void Stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] { StopServing(); });
    thread_.join();
  }

  uint16_t port() const { return port_; }

  bool IsCrowded() const override { return sessions_.size() >= options_.max_connections; }

  void OnSessionClosed(AdminSession& session) override {
    const bool was_crowded = IsCrowded();
    sessions_.erase(session.shared_from_this());
    if (is_stopping_ && sessions_.empty()) timer_.cancel();
    if (!is_stopping_ && was_crowded) Accept();
  }

 private:
  void Accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (is_stopping_) return;
      if (error) return RetryAccept(error);
      const auto session =
          std::make_shared<AdminSession>(std::move(socket), routes_, limits_, *this);
      sessions_.insert(session);
      session->Start();
      if (!IsCrowded()) Accept();
    });
  }

  void RetryAccept(const error_code& error) {
    LOG(kWarning, "admin", "cannot accept a connection", {{"error", error.message()}});
    timer_.expires_after(kAcceptRetry);
    timer_.async_wait([this](error_code cancelled) {
      if (!cancelled && !is_stopping_) Accept();
    });
  }

  void StopServing() {
    is_stopping_ = true;
    error_code ignored;  // the descriptor is released in any case
    acceptor_.close(ignored);
    timer_.cancel();
    const std::set<std::shared_ptr<AdminSession>> sessions = sessions_;
    for (const auto& session : sessions) session->Stop();
    if (sessions_.empty()) return;
    timer_.expires_after(ToSteady(options_.stop_timeout));
    timer_.async_wait([this](error_code cancelled) {
      if (cancelled) return;
      for (const auto& session : sessions_) session->Abort();
    });
  }

  const AdminServerOptions options_;
  const AdminSessionLimits limits_;
  const AdminRoutes routes_;
  uint16_t port_ = 0;
  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_};
  asio::steady_timer timer_{io_};  // accept retry while serving, deadline while stopping
  std::set<std::shared_ptr<AdminSession>> sessions_;
  bool is_stopping_ = false;
  std::thread thread_;
};

AdminServer::AdminServer(EngineStatus& engine, AdminServerOptions options)
    : listener_(std::make_unique<Listener>(engine, std::move(options))) {}

AdminServer::~AdminServer() { Stop(); }

absl::Status AdminServer::Start() {
  RETURN_IF_ERROR(listener_->Open());
  listener_->Run();
  return absl::OkStatus();
}

void AdminServer::Stop() { listener_->Stop(); }

uint16_t AdminServer::port() const { return listener_->port(); }

}  // namespace caracal::pipeline
