#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace caracal::pipeline {

inline sockaddr_in LoopbackAddress(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// A TCP client that sends the bytes it is told to, HTTP or not.
class RawClient {
 public:
  explicit RawClient(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    const sockaddr_in address = LoopbackAddress(port);
    connected_ = connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { close(fd_); }

  bool connected() const { return connected_; }

  /// False: the peer has closed the connection.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  void FinishSending() { EXPECT_EQ(shutdown(fd_, SHUT_WR), 0); }

  /// Everything up to the end of the connection.
  std::string ReadAll() {
    while (Receive()) {
    }
    return std::exchange(received_, {});
  }

  /// One reply: its header and as many bytes as Content-Length says.
  std::string ReadReply() {
    size_t header_end = 0;
    while ((header_end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!Receive()) return std::exchange(received_, {});
    }
    const size_t size = header_end + 4 + ContentLength();
    while (received_.size() < size && Receive()) {
    }
    std::string reply = received_.substr(0, size);
    received_.erase(0, size);
    return reply;
  }

  /// Sends one byte after the other until the peer closes the connection.
  void DripUntilClosed() {
    pollfd readable = {.fd = fd_, .events = POLLIN, .revents = 0};
    while (poll(&readable, 1, /*timeout_ms=*/1) == 0 && Send("x")) {
    }
  }

 private:
  bool Receive() {
    std::array<char, 65536> block;
    const ssize_t n = recv(fd_, block.data(), block.size(), 0);
    if (n <= 0) return false;
    received_.append(block.data(), static_cast<size_t>(n));
    return true;
  }

  size_t ContentLength() const {
    constexpr std::string_view kName = "Content-Length: ";
    const size_t start = received_.find(kName);
    EXPECT_NE(start, std::string::npos) << received_;
    return start == std::string::npos
               ? 0
               : std::strtoul(received_.c_str() + start + kName.size(), nullptr, 10);
  }

  int fd_;
  bool connected_ = false;
  std::string received_;
};

/// A listening socket that accepts nothing by itself: a service that is stuck, or speaks no HTTP.
class SilentListener {
 public:
  SilentListener() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = LoopbackAddress(0);
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(fd_, 8), 0);
    socklen_t size = sizeof(address);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  SilentListener(const SilentListener&) = delete;
  SilentListener& operator=(const SilentListener&) = delete;
  ~SilentListener() { close(fd_); }

  uint16_t port() const { return port_; }

  /// Accepts one connection, answers `bytes` to what it first sends, and closes it.
  void AnswerOnce(std::string_view bytes) {
    const int peer = accept(fd_, nullptr, nullptr);
    ASSERT_GE(peer, 0);
    std::array<char, 4096> request;
    EXPECT_GT(recv(peer, request.data(), request.size(), 0), 0);
    EXPECT_EQ(send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
    close(peer);
  }

 private:
  int fd_;
  uint16_t port_ = 0;
};

}  // namespace caracal::pipeline
