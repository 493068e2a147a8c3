#include "tests/simulation/group.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace caracal::pipeline::sim {

std::string Group::Join(const std::string& member, const std::vector<int32_t>& owned,
                        int64_t now_us) {
  const bool known = members_.contains(member);
  const std::string id = known ? member : fmt::format("member-{}", next_member_++);
  if (!in_round_) StartRound(now_us);
  members_[id] = {now_us, true, known ? owned : std::vector<int32_t>(), std::nullopt};
  return id;
}

Group::Answer Group::Heartbeat(const std::string& member, int32_t generation, int64_t now_us) {
  const auto found = members_.find(member);
  if (found == members_.end()) return Answer::kUnknownMember;
  found->second.seen_us = now_us;
  if (found->second.joined) return Answer::kOk;
  return in_round_ || generation != generation_ ? Answer::kJoinAgain : Answer::kOk;
}

std::optional<Group::Assignment> Group::TakeAssignment(const std::string& member) {
  const auto found = members_.find(member);
  if (found == members_.end()) return std::nullopt;
  return std::exchange(found->second.assignment, std::nullopt);
}

void Group::StartRound(int64_t now_us) {
  if (in_round_) return;
  in_round_ = true;
  round_started_us_ = now_us;
  for (auto& [id, member] : members_) {
    member.joined = false;
    member.assignment = std::nullopt;
  }
}

void Group::Leave(const std::string& member, int64_t now_us) {
  if (members_.erase(member) > 0) StartRound(now_us);
}

void Group::Shuffle(int64_t now_us) {
  shuffle_ = true;
  StartRound(now_us);
}

void Group::Tick(int64_t now_us) {
  const bool late = in_round_ && now_us - round_started_us_ > kRoundMicros;
  const size_t expelled = std::erase_if(members_, [&](const auto& entry) {
    const Member& member = entry.second;
    return now_us - member.seen_us > kSessionMicros || (late && !member.joined);
  });
  if (expelled > 0) StartRound(now_us);
  if (!in_round_) return;
  const bool complete = std::all_of(members_.begin(), members_.end(),
                                    [](const auto& entry) { return entry.second.joined; });
  if (complete) EndRound();
}

void Group::EndRound() {
  in_round_ = false;
  ++generation_;
  const bool shuffle = std::exchange(shuffle_, false);
  std::vector<bool> claimed(static_cast<size_t>(partitions_));
  const auto members = static_cast<int32_t>(members_.size());
  int32_t index = 0;
  for (auto& [id, member] : members_) {
    const int32_t quota = partitions_ / members + (index++ < partitions_ % members ? 1 : 0);
    Assignment assignment = {generation_, {}};
    for (const int32_t partition : member.owned) {
      // Taken away: nobody gets it before its owner has joined again without it.
      claimed[static_cast<size_t>(partition)] = true;
      const bool keep = static_cast<int32_t>(assignment.partitions.size()) < quota &&
                        !(shuffle && random_.Percent(50));
      if (keep) assignment.partitions.push_back(partition);
    }
    member.assignment = std::move(assignment);
    member.joined = false;
  }
  for (int32_t partition = 0; partition < partitions_ && members > 0; ++partition) {
    if (claimed[static_cast<size_t>(partition)]) continue;
    const auto fewest =
        std::min_element(members_.begin(), members_.end(), [](const auto& a, const auto& b) {
          return a.second.assignment->partitions.size() < b.second.assignment->partitions.size();
        });
    fewest->second.assignment->partitions.push_back(partition);
  }
}

bool Group::Admits(const std::string& member, int32_t generation) const {
  return generation == generation_ && members_.contains(member);
}

}  // namespace caracal::pipeline::sim
