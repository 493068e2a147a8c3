#include "tests/support/group_opener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <string_view>
#include <utility>

#include "absl/time/time.h"
#include "agents/api/check.h"
#include "tests/support/mock_kafka.h"

namespace caracal::pipeline {
namespace {

constexpr int kAnswerSeconds = 4;
// Into the last of the three seconds in which a first generation waits for members.
constexpr int kJoinAfterMs = 2000;
constexpr int kHeartbeatMs = 200;

class BodyWriter {
 public:
  BodyWriter& Int16(int16_t value) {
    const uint16_t wire = htons(static_cast<uint16_t>(value));
    bytes_.append(reinterpret_cast<const char*>(&wire), sizeof(wire));
    return *this;
  }
  BodyWriter& Int32(int32_t value) {
    const uint32_t wire = htonl(static_cast<uint32_t>(value));
    bytes_.append(reinterpret_cast<const char*>(&wire), sizeof(wire));
    return *this;
  }
  BodyWriter& Text(std::string_view text) {
    Int16(static_cast<int16_t>(text.size()));
    bytes_.append(text);
    return *this;
  }
  std::string bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class BodyReader {
 public:
  explicit BodyReader(std::string_view bytes) : bytes_(bytes) {}
  int16_t Int16() {
    uint16_t wire = 0;
    Take(sizeof(wire)).copy(reinterpret_cast<char*>(&wire), sizeof(wire));
    return static_cast<int16_t>(ntohs(wire));
  }
  int32_t Int32() {
    uint32_t wire = 0;
    Take(sizeof(wire)).copy(reinterpret_cast<char*>(&wire), sizeof(wire));
    return static_cast<int32_t>(ntohl(wire));
  }
  std::string Text() { return std::string(Take(static_cast<size_t>(Int16()))); }

 private:
  std::string_view Take(size_t count) {
    CHECK(bytes_.size() >= count);
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }

  std::string_view bytes_;
};

constexpr auto kJoin = static_cast<int16_t>(KafkaRequest::kJoinGroup);
constexpr auto kSync = static_cast<int16_t>(KafkaRequest::kSyncGroup);
constexpr auto kHeartbeat = static_cast<int16_t>(KafkaRequest::kHeartbeat);
constexpr auto kLeave = static_cast<int16_t>(KafkaRequest::kLeaveGroup);

bool ReadAll(int connection, char* to, size_t size) {
  while (size > 0) {
    const ssize_t count = read(connection, to, size);
    if (count <= 0) return false;
    to += count;
    size -= static_cast<size_t>(count);
  }
  return true;
}

}  // namespace

GroupOpener::GroupOpener(uint16_t port, std::string group, int32_t session_timeout_ms)
    : port_(port),
      group_(std::move(group)),
      session_timeout_ms_(session_timeout_ms),
      thread_([this] { Run(); }) {}

GroupOpener::~GroupOpener() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
  if (connection_ >= 0) close(connection_);
}

void GroupOpener::AwaitOpen() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&open_));
}

void GroupOpener::Run() {
  while (!Open()) {
  }
  {
    absl::MutexLock lock(&mutex_);
    open_ = true;
  }
  KeepUntilOthersJoin();
}

bool GroupOpener::Open() {
  // A member that lives for a millisecond makes the group wait.
  const int first = Connect();
  Send(first, kJoin, JoinBody(1));
  Pause(kJoinAfterMs);
  if (connection_ >= 0) close(connection_);
  connection_ = Connect();
  Send(connection_, kJoin, JoinBody(session_timeout_ms_));
  const std::string joined = Receive(connection_);
  close(first);
  if (joined.empty()) return false;
  BodyReader answer(joined);
  if (answer.Int16() != 0) return false;
  generation_ = answer.Int32();
  answer.Text();  // protocol
  answer.Text();  // leader
  member_id_ = answer.Text();
  Send(connection_, kSync,
       BodyWriter()
           .Text(group_)
           .Int32(generation_)
           .Text(member_id_)
           .Int32(1)
           .Text(member_id_)
           .Int32(0)
           .bytes());
  const std::string synced = Receive(connection_);
  return !synced.empty() && BodyReader(synced).Int16() == 0;
}

void GroupOpener::KeepUntilOthersJoin() {
  while (Pause(kHeartbeatMs)) {
    Send(connection_, kHeartbeat,
         BodyWriter().Text(group_).Int32(generation_).Text(member_id_).bytes());
    const std::string beaten = Receive(connection_);
    if (beaten.empty() || BodyReader(beaten).Int16() != 0) break;
  }
  Leave();
}

void GroupOpener::Leave() {
  Send(connection_, kLeave, BodyWriter().Text(group_).Text(member_id_).bytes());
  Receive(connection_);
}

bool GroupOpener::Pause(int milliseconds) {
  absl::MutexLock lock(&mutex_);
  return !mutex_.AwaitWithTimeout(absl::Condition(&stopping_), absl::Milliseconds(milliseconds));
}

int GroupOpener::Connect() const {
  sockaddr_in target = {};
  target.sin_family = AF_INET;
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  target.sin_port = htons(port_);
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(connection >= 0);
  const timeval timeout = {kAnswerSeconds, 0};
  CHECK(setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0);
  CHECK(connect(connection, reinterpret_cast<const sockaddr*>(&target), sizeof(target)) == 0);
  return connection;
}

void GroupOpener::Send(int connection, int16_t request, const std::string& body) const {
  const std::string header = BodyWriter()
                                 .Int16(request)
                                 .Int16(/*version*/ 0)
                                 .Int32(/*correlation id*/ 1)
                                 .Text("opener")
                                 .bytes();
  const std::string frame =
      BodyWriter().Int32(static_cast<int32_t>(header.size() + body.size())).bytes() + header + body;
  // A broker that has gone away shows when no answer comes.
  static_cast<void>(send(connection, frame.data(), frame.size(), MSG_NOSIGNAL));
}

std::string GroupOpener::Receive(int connection) const {
  std::string size(sizeof(int32_t), '\0');
  if (!ReadAll(connection, size.data(), size.size())) return "";
  std::string answer(static_cast<size_t>(BodyReader(size).Int32()), '\0');
  if (!ReadAll(connection, answer.data(), answer.size())) return "";
  return answer.substr(sizeof(int32_t));  // after the correlation id
}

std::string GroupOpener::JoinBody(int32_t session_timeout_ms) const {
  return BodyWriter()
      .Text(group_)
      .Int32(session_timeout_ms)
      .Text("")  // member id: a new member
      .Text("consumer")
      .Int32(1)  // protocols
      .Text("cooperative-sticky")
      .Int32(0)  // bytes of metadata
      .bytes();
}

}  // namespace caracal::pipeline
