#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <string>

namespace caracal::pipeline {

/// A pipe to write log lines into. One thread at a time, per end.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe(ends_.data()), 0); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    CloseReadEnd();
    CloseWriteEnd();
  }

  int write_end() const { return ends_[1]; }
  void CloseReadEnd() { Close(ends_[0]); }
  void CloseWriteEnd() { Close(ends_[1]); }

  /// Writes until the pipe takes no more bytes; returns how many it took.
  size_t Fill() {
    EXPECT_EQ(fcntl(ends_[1], F_SETFL, O_NONBLOCK), 0);
    const std::string block(4096, '.');
    size_t filled = 0;
    for (ssize_t n; (n = write(ends_[1], block.data(), block.size())) > 0;) {
      filled += static_cast<size_t>(n);
    }
    EXPECT_EQ(fcntl(ends_[1], F_SETFL, 0), 0);
    return filled;
  }

  /// Reads exactly `bytes`, waiting for them; shorter only at the end of the stream.
  std::string Read(size_t bytes) {
    std::string text(bytes, '\0');
    size_t have = 0;
    while (have < bytes) {
      const ssize_t n = read(ends_[0], text.data() + have, bytes - have);
      if (n <= 0) break;
      have += static_cast<size_t>(n);
    }
    text.resize(have);
    return text;
  }

  /// Closes the write end and reads what is left.
  std::string ReadRest() {
    CloseWriteEnd();
    std::string text;
    for (std::string part; !(part = Read(4096)).empty();) text += part;
    return text;
  }

 private:
  static void Close(int& fd) {
    if (fd < 0) return;
    EXPECT_EQ(close(fd), 0);
    fd = -1;
  }

  std::array<int, 2> ends_ = {-1, -1};
};

}  // namespace caracal::pipeline
