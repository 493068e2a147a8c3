#include "pipeline/control/admin_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/beast/http/write.hpp>
#include <cstdint>
#include <utility>

#include "agents/api/status_macros.h"
#include "pipeline/control/admin_address.h"

namespace caracal::pipeline {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr uint64_t kMaxReplyBytes = 64 * 1024 * 1024;
constexpr unsigned kHttp11 = 11;

absl::Status Failure(std::string_view address, const beast::error_code& error) {
  if (error == beast::error::timeout) {
    return absl::DeadlineExceededError(
        fmt::format("no answer from the admin listener at {} in time; is the process stuck, or is "
                    "this another service?",
                    address));
  }
  return absl::UnavailableError(
      fmt::format("cannot talk to the admin listener at {}: {}; is caracal running there, and is "
                  "this its admin.listen address?",
                  address, error.message()));
}

/// One request and its reply on a connection of its own. Every step hands on to the next, or ends
/// with `error_` set.
class Exchange {
 public:
  Exchange(http::verb method, std::string_view address, std::string_view target)
      : request_(method, {target.data(), target.size()}, kHttp11) {
    request_.set(http::field::host, {address.data(), address.size()});
    request_.set(http::field::user_agent, "caracal");
    request_.keep_alive(false);
    if (method == http::verb::post) request_.content_length(0);
    reply_.body_limit(kMaxReplyBytes);
    reply_.skip(method == http::verb::head);
  }

  /// Blocks until the reply is complete or the exchange has failed.
  beast::error_code Run(const AdminAddress& address, absl::Duration timeout) {
    tcp::resolver resolver(io_);
    const auto endpoints = resolver.resolve(address.host, fmt::format("{}", address.port),
                                            tcp::resolver::numeric_service, error_);
    if (error_) return error_;
    stream_.expires_after(absl::ToChronoMicroseconds(timeout));
    stream_.async_connect(endpoints, [this](beast::error_code error, const tcp::endpoint&) {
      if (!Failed(error)) Write();
    });
    io_.run();
    return error_;
  }

  HttpReply TakeReply() {
    auto message = reply_.release();
    const auto type = message[http::field::content_type];
    return {static_cast<int>(message.result_int()), std::string(type.data(), type.size()),
            std::move(message.body())};
  }

 private:
  bool Failed(beast::error_code error) {
    error_ = error;
    return error_.failed();
  }

  void Write() {
    http::async_write(stream_, request_, [this](beast::error_code error, size_t) {
      if (!Failed(error)) Read();
    });
  }

  void Read() {
    http::async_read(stream_, buffer_, reply_,
                     [this](beast::error_code error, size_t) { (void)Failed(error); });
  }

  asio::io_context io_{1};
  beast::tcp_stream stream_{io_};
  http::request<http::empty_body> request_;
  beast::flat_buffer buffer_;
  http::response_parser<http::string_body> reply_;
  beast::error_code error_;
};

absl::StatusOr<http::verb> ParseMethod(std::string_view method) {
  if (method == "GET") return http::verb::get;
  if (method == "HEAD") return http::verb::head;
  if (method == "POST") return http::verb::post;
  return absl::InvalidArgumentError(fmt::format("'{}' is none of GET, HEAD and POST", method));
}

/// A space or a line break would end the request line early.
absl::Status CheckTarget(std::string_view target) {
  const auto is_plain = [](char c) { return c > ' ' && c < '\x7F'; };
  if (!target.starts_with('/') || !std::all_of(target.begin(), target.end(), is_plain)) {
    return absl::InvalidArgumentError(
        "the path must start with '/', and what is not printable ASCII must be percent-encoded");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<HttpReply> SendAdminRequest(std::string_view method, std::string_view address,
                                           std::string_view target, absl::Duration timeout) {
  ASSIGN_OR_RETURN(const http::verb verb, ParseMethod(method));
  ASSIGN_OR_RETURN(const AdminAddress parsed, ParseAdminAddress(address));
  RETURN_IF_ERROR(CheckTarget(target));
  Exchange exchange(verb, address, target);
  const beast::error_code error = exchange.Run(parsed, timeout);
  if (error) return Failure(address, error);
  return exchange.TakeReply();
}

}  // namespace caracal::pipeline
