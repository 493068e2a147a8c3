#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "pipeline/control/admin_routes.h"

namespace caracal::pipeline {

/// Bounds of one connection.
struct AdminSessionLimits {
  uint32_t header_bytes = 0;
  uint64_t body_bytes = 0;
  /// From the first wait for a request to its last byte, and again for the reply.
  std::chrono::steady_clock::duration request_timeout{};
};

/// Serves one HTTP/1 connection: one request after the other, each answered before the next is
/// read, so that a client cannot make it queue anything.
///
/// All calls and callbacks on the admin thread. Kept alive by its pending operation; tells its
/// owner once, through OnSessionClosed, when it has none left. A request that is too large, too
/// slow or not HTTP ends the connection, the first and the last of these with an answer.
class AdminSession : public std::enable_shared_from_this<AdminSession> {
 public:
  /// The listener; it outlives its sessions.
  class Owner {
   public:
    virtual ~Owner() = default;
    /// True: close connections after their reply, others are waiting for the place.
    virtual bool IsCrowded() const = 0;
    virtual void OnSessionClosed(AdminSession& session) = 0;
  };

  AdminSession(boost::asio::ip::tcp::socket socket, const AdminRoutes& routes,
               const AdminSessionLimits& limits, Owner& owner);

  void Start() { ReadRequest(); }
  /// Closes the connection: now, or after the reply that is under way.
  void Stop();
  /// Closes the connection now.
  void Abort();

 private:
  using Request = boost::beast::http::request_parser<boost::beast::http::string_body>;
  using Response = boost::beast::http::response<boost::beast::http::string_body>;

  void ReadRequest();
  void OnRequest(boost::beast::error_code error);
  void RefuseRequest(boost::beast::error_code error);
  AdminReply Answer() const;
  void Send(AdminReply reply, bool keep_alive);
  void OnSent(boost::beast::error_code error);
  void Drain(size_t drained);
  void Close();

  boost::beast::tcp_stream stream_;
  const AdminRoutes& routes_;
  const AdminSessionLimits limits_;
  Owner& owner_;
  bool from_loopback_ = false;
  bool is_replying_ = false;
  bool is_stopping_ = false;
  bool has_unread_input_ = false;
  bool is_closed_ = false;

  boost::beast::flat_buffer buffer_;
  // A parser and a response are good for one message each.
  std::optional<Request> request_;
  Response response_;
};

}  // namespace caracal::pipeline
