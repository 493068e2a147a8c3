#include "pipeline/control/admin_session.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/beast/http/write.hpp>
#include <string_view>
#include <utility>

namespace caracal::pipeline {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

/// What may wait in the buffer besides one request: the pipelined ones behind it.
constexpr size_t kReadAheadBytes = 16 * 1024;
/// How much of a refused request is read and thrown away, so that closing does not reset the
/// connection before the client has read the answer.
constexpr size_t kMaxDrainedBytes = 1024 * 1024;

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

bool IsLoopback(const asio::ip::tcp::socket& socket) {
  beast::error_code error;
  const asio::ip::tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return false;
  const asio::ip::address& address = peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback();
  }
  return address.is_loopback();
}

/// The answer to a request that could not be read; nullopt when nobody would read it.
std::optional<AdminReply> RefusalOf(beast::error_code error) {
  const http::error reason = static_cast<http::error>(error.value());
  if (error.category() != make_error_code(http::error::bad_method).category() ||
      reason == http::error::end_of_stream || reason == http::error::partial_message) {
    return std::nullopt;
  }
  AdminReply reply;
  reply.status = 400;
  reply.body = "400: this is no HTTP/1 request\n";
  if (reason == http::error::header_limit || reason == http::error::buffer_overflow) {
    reply.status = 431;
    reply.body = "431: the request's header is too long\n";
  }
  if (reason == http::error::body_limit) {
    reply.status = 413;
    reply.body = "413: the request's body is too long\n";
  }
  return reply;
}

}  // namespace

AdminSession::AdminSession(asio::ip::tcp::socket socket, const AdminRoutes& routes,
                           const AdminSessionLimits& limits, Owner& owner)
    : stream_(std::move(socket)),
      routes_(routes),
      limits_(limits),
      owner_(owner),
      from_loopback_(IsLoopback(stream_.socket())),
      buffer_(limits.header_bytes + limits.body_bytes + kReadAheadBytes) {}

void AdminSession::Stop() {
  is_stopping_ = true;
  if (!is_replying_) Abort();
}

void AdminSession::Abort() { stream_.close(); }

void AdminSession::ReadRequest() {
  is_replying_ = false;
  if (is_stopping_) return Close();
  request_.emplace();
  request_->header_limit(limits_.header_bytes);
  request_->body_limit(limits_.body_bytes);
  // One deadline for the whole request, however slowly its bytes come.
  stream_.expires_after(limits_.request_timeout);
  http::async_read(
      stream_, buffer_, *request_,
      [self = shared_from_this()](beast::error_code error, size_t) { self->OnRequest(error); });
}

void AdminSession::OnRequest(beast::error_code error) {
  is_replying_ = true;
  if (error) return RefuseRequest(error);
  Send(Answer(), request_->get().keep_alive());
}

void AdminSession::RefuseRequest(beast::error_code error) {
  std::optional<AdminReply> refusal = RefusalOf(error);
  if (!refusal.has_value() || is_stopping_) return Close();
  has_unread_input_ = true;
  Send(std::move(*refusal), /*keep_alive=*/false);
}

AdminReply AdminSession::Answer() const {
  const http::request<http::string_body>& message = request_->get();
  AdminRequest request;
  request.method = View(message.method_string());
  request.target = View(message.target());
  request.from_loopback = from_loopback_;
  request.from_web_page = message.find(http::field::origin) != message.end();
  return routes_.Handle(request);
}

void AdminSession::Send(AdminReply reply, bool keep_alive) {
  const http::request<http::string_body>& message = request_->get();
  response_ = Response(static_cast<http::status>(reply.status), message.version());
  response_.set(http::field::server, "caracal");
  response_.set(http::field::content_type, reply.content_type);
  response_.set(http::field::cache_control, "no-store");
  response_.set("X-Content-Type-Options", "nosniff");
  if (!reply.allow.empty()) response_.set(http::field::allow, reply.allow);
  response_.content_length(reply.body.size());
  response_.keep_alive(keep_alive && !is_stopping_ && !owner_.IsCrowded());
  if (message.method() != http::verb::head) response_.body() = std::move(reply.body);

  stream_.expires_after(limits_.request_timeout);
  http::async_write(
      stream_, response_,
      [self = shared_from_this()](beast::error_code error, size_t) { self->OnSent(error); });
}

void AdminSession::OnSent(beast::error_code error) {
  if (error) return Close();
  if (response_.keep_alive()) return ReadRequest();
  beast::error_code ignored;  // the peer may have gone already
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  is_replying_ = false;
  if (!has_unread_input_ || is_stopping_) return Close();
  stream_.expires_after(limits_.request_timeout);
  Drain(0);
}

void AdminSession::Drain(size_t drained) {
  buffer_.clear();
  stream_.async_read_some(
      buffer_.prepare(kReadAheadBytes),
      [self = shared_from_this(), drained](beast::error_code error, size_t bytes) {
        const size_t total = drained + bytes;
        if (error || total > kMaxDrainedBytes) return self->Close();
        self->Drain(total);
      });
}

void AdminSession::Close() {
  if (is_closed_) return;
  is_closed_ = true;
  stream_.close();
  owner_.OnSessionClosed(*this);
}

}  // namespace caracal::pipeline
