#pragma once

#include <cstdint>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace caracal::pipeline {

/// A member that is in the mock cluster's group before the engine: it joins without partitions,
/// keeps the group alive, and leaves when the next member joins.
///
/// Why: the mock lets the first generation of a group wait three seconds, in which members with a
/// shorter session die; later generations wait for the session less a second. With this member
/// there, engines may have a session of two seconds, join in one, and rebalance in one. It speaks
/// the protocol itself, because a client library would not say when it does what.
///
/// Runs on a thread of its own. Ends the process when the broker does not answer as expected.
class GroupOpener {
 public:
  /// `port` of the group's coordinator on the loopback interface.
  GroupOpener(uint16_t port, std::string group, int32_t session_timeout_ms);
  /// Leaves the group if it is still there.
  ~GroupOpener();
  GroupOpener(const GroupOpener&) = delete;
  GroupOpener& operator=(const GroupOpener&) = delete;

  /// Returns when the group has its first generation.
  void AwaitOpen();

 private:
  void Run();
  /// One attempt to make a generation with this member alone; false when it came too late for it.
  bool Open();
  void KeepUntilOthersJoin();
  void Leave();
  /// False when the wait was cut short by the destructor.
  bool Pause(int milliseconds);
  int Connect() const;
  void Send(int connection, int16_t request, const std::string& body) const;
  /// The body of the answer; empty when none comes in time.
  std::string Receive(int connection) const;
  std::string JoinBody(int32_t session_timeout_ms) const;

  const uint16_t port_;
  const std::string group_;
  const int32_t session_timeout_ms_;
  // Of the opener's thread.
  int connection_ = -1;
  int32_t generation_ = -1;
  std::string member_id_;

  absl::Mutex mutex_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace caracal::pipeline
