#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/random_history.h"

namespace caracal::pipeline::sim {

using agents::testing::Random;

/// The group coordinator of the simulated cluster: members, generations and the cooperative
/// protocol. A partition that moves is first taken from its owner, who joins again, and given away
/// in the round after. A member that is silent for a session is expelled.
class Group {
 public:
  static constexpr int64_t kSessionMicros = 2'000'000;
  static constexpr int64_t kRoundMicros = 4'000'000;

  enum class Answer : uint8_t { kOk, kJoinAgain, kUnknownMember };
  struct Assignment {
    int32_t generation = 0;
    std::vector<int32_t> partitions;
  };

  Group(int32_t partitions, Random& random) : partitions_(partitions), random_(random) {}

  /// Joins the round, which it starts if there is none. An empty or expelled `member` gets a new
  /// id, which is returned.
  std::string Join(const std::string& member, const std::vector<int32_t>& owned, int64_t now_us);
  /// The member goes by itself; others get what it had.
  void Leave(const std::string& member, int64_t now_us);
  Answer Heartbeat(const std::string& member, int32_t generation, int64_t now_us);
  /// The assignment of the round the member has joined; nullopt = the round is still open.
  std::optional<Assignment> TakeAssignment(const std::string& member);
  /// Expels the silent and ends the round when all have joined.
  void Tick(int64_t now_us);
  /// Starts a round that moves partitions although nobody came or went.
  void Shuffle(int64_t now_us);

  bool empty() const { return members_.empty(); }
  /// Whether a commit with this membership is accepted.
  bool Admits(const std::string& member, int32_t generation) const;

 private:
  struct Member {
    int64_t seen_us = 0;
    bool joined = false;
    std::vector<int32_t> owned;
    std::optional<Assignment> assignment;
  };

  void StartRound(int64_t now_us);
  void EndRound();

  const int32_t partitions_;
  Random& random_;
  std::map<std::string, Member> members_;
  int32_t generation_ = 0;
  int32_t next_member_ = 1;
  bool in_round_ = false;
  bool shuffle_ = false;
  int64_t round_started_us_ = 0;
};

}  // namespace caracal::pipeline::sim
