#include "tests/simulation/simulation.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "pipeline/source/offset_change.h"

namespace caracal::pipeline::sim {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr size_t kMembersMax = 4;
constexpr int64_t kTurnsToEnd = 400'000;

}  // namespace

SimulationResult Simulation::Run() {
  const int64_t first = world_.random.Between(1, 3);
  for (int64_t i = 0; i < first; ++i) StartMember(world_.RulesOfNext());
  const int64_t turns = world_.random.Between(200, 15'000);
  // Copies of changes need members that live for a while.
  const int64_t faults_in_1000 = world_.random.Percent(50) ? 4 : 1;
  for (int64_t i = 0; i < turns && world_.failure.empty(); ++i) {
    if (world_.random.Below(1000) < faults_in_1000) Fault();
    Turn();
  }
  Mend();
  const auto failed = [this] { return !world_.failure.empty(); };
  if (!failed() && !RunUntil([this] { return AllCommitted(); }, kTurnsToEnd)) {
    world_.Fail("the group does not come to an end");
  }
  // What a new member reads back must be what the old ones had.
  if (!failed()) {
    Outage();
    Mend();
    if (!RunUntil([this] { return LivePartitions() == world_.partitions; }, kTurnsToEnd)) {
      world_.Fail("the last member does not open all partitions");
    }
    for (const auto& member : members_) member->CheckState();
  }
  if (!failed() && !RunUntil([this] { return AllCommitted(); }, kTurnsToEnd)) {
    world_.Fail("the group does not come to an end again");
  }
  if (!failed()) {
    world_.transactions.ReadCommitted(read_);
    result_.alerts = read_.size();
    world_.ledger.OnEnd(std::move(read_), world_.exactly_once, world_.log_ends);
    CheckPoison();
    world_.CheckTexts();
  }
  members_.clear();
  result_.failure = world_.failure;
  result_.copies = world_.copies;
  result_.changes_saved = world_.changes_saved;
  result_.changes_restored = world_.changes_restored;
  result_.activations = world_.ledger.activations();
  result_.takeovers = world_.ledger.takeovers();
  result_.slices_carried = world_.slices_carried;
  return result_;
}

void Simulation::Turn() {
  ++result_.steps;
  world_.clock.Advance(world_.random.Below(world_.random.Percent(2) ? 30'000 : 700));
  world_.network.Deliver(world_.now_us());
  world_.group.Tick(world_.now_us());
  if (members_.empty() || world_.random.Percent(15)) {
    TurnOfCluster();
  } else {
    TurnOf(
        *members_[static_cast<size_t>(world_.random.Below(static_cast<int64_t>(members_.size())))]);
  }
}

void Simulation::TurnOf(Member& member) {
  if (member.frozen_until_us > world_.now_us()) return;
  const int64_t kind = world_.random.Below(100);
  if (kind < 50 && member.ResumeOne()) return;
  if (kind < 65) {
    if (member.cut_off_until_us <= world_.now_us()) member.Tick();
    return;
  }
  // The loop of one that stops has its turn when the others have had theirs.
  if (member.stopping()) return;
  member.Step();
  if (world_.random.Percent(3)) member.CheckState();
}

void Simulation::TurnOfCluster() {
  Random& random = world_.random;
  const auto partition = static_cast<size_t>(random.Below(world_.partitions));
  const auto length = static_cast<int64_t>(world_.workload.logs[partition].size());
  int64_t& end = world_.log_ends[partition];
  switch (random.Below(8)) {
    case 0:
      end = std::min(length, end + random.Between(1, random.Percent(10) ? 60 : 6));
      return;
    case 1:
      world_.transactions.ReadCommitted(read_);
      return;
    case 2:
      if (random.Percent(10)) world_.state.Compact(static_cast<int32_t>(partition), random);
      return;
    default:
      world_.transactions.Tick(world_.now_us(), random);
      return;
  }
}

void Simulation::ChangeRules() {
  Random& random = world_.random;
  world_.RollOut();
  const bool all = members_.empty() || random.Percent(30);
  for (size_t left = members_.size(); left > 0; --left) {
    // Those that have not been asked yet are in front.
    if (!all && random.Percent(50)) continue;
    if (random.Percent(50)) {
      StopMember(left - 1);
    } else {
      CrashMember(left - 1);
    }
    StartMember(*world_.rolled_out.back());
  }
}

void Simulation::Fault() {
  Random& random = world_.random;
  if (world_.changes_rules && random.Percent(30)) {
    ChangeRules();
    return;
  }
  const size_t index =
      members_.empty() ? 0
                       : static_cast<size_t>(random.Below(static_cast<int64_t>(members_.size())));
  const int64_t kind = random.Below(100);
  if (members_.empty() || (kind < 25 && members_.size() < kMembersMax)) {
    StartMember(world_.RulesOfNext());
  } else if (kind < 42) {
    CrashMember(index);
  } else if (kind < 50) {
    StopMember(index);
  } else if (kind < 62) {
    members_[index]->frozen_until_us = world_.now_us() + random.Below(8 * kSecond);
    world_.Trace(members_[index]->name(), "frozen");
  } else if (kind < 74) {
    members_[index]->cut_off_until_us = world_.now_us() + random.Below(5 * kSecond);
    world_.Trace(members_[index]->name(), "cut off from the group");
  } else if (kind < 90) {
    world_.Trace("group", "partitions are moved");
    world_.group.Shuffle(world_.now_us());
  } else if (kind < 97) {
    // Time passes and nobody does anything: timeouts of everything.
    world_.clock.Advance(random.Below(7 * kSecond));
  } else {
    Outage();
  }
}

void Simulation::Outage() {
  while (!members_.empty()) CrashMember(0);
  world_.network.DeliverAll();
  while (!world_.group.empty() || !world_.transactions.Idle()) {
    world_.clock.Advance(kSecond);
    world_.group.Tick(world_.now_us());
    world_.transactions.Tick(world_.now_us(), world_.random);
  }
  const auto partition = static_cast<int32_t>(world_.random.Below(world_.partitions));
  const int64_t committed = world_.ledger.committed(partition);
  const bool rewind = world_.Mutated(Mutation::kCopiesAhead) || world_.random.Percent(30);
  if (committed > 0 && rewind) {
    Rewind(partition, world_.random.Below(committed));
  }
  StartMember(world_.RulesOfNext());
}

void Simulation::Rewind(int32_t partition, int64_t offset) {
  GroupOffset recorded;
  GroupOffset set = {offset, ""};
  // By `caracal offsets set`, or by the Kafka tools; after these, what lies below raises nothing.
  if (world_.random.Percent(50) && world_.transactions.Read(partition, recorded)) {
    const GroupPosition position = {recorded.offset, recorded.metadata, /*log_start=*/0,
                                    world_.log_ends[static_cast<size_t>(partition)]};
    const OffsetChange change = ChangeOffset(position, offset, /*reset_state=*/false);
    if (!change.resets_state && change.metadata.alert_from <= offset) {
      set.metadata = FormatOffsetMetadata(change.metadata);
    }
  }
  world_.Trace("operator", fmt::format("partition {} set back to {}, metadata '{}'", partition,
                                       set.offset, set.metadata));
  world_.transactions.Rewind(partition, std::move(set));
}

void Simulation::StartMember(const Rules& rules) {
  members_.push_back(std::make_unique<Member>(world_, fmt::format("m{}", next_name_++), rules));
}

void Simulation::CrashMember(size_t index) {
  ++result_.crashes;
  members_.erase(members_.begin() + static_cast<int64_t>(index));
}

void Simulation::StopMember(size_t index) {
  Member& member = *members_[index];
  if (member.frozen_until_us > world_.now_us()) {
    CrashMember(index);
    return;
  }
  ++result_.stops;
  member.Stop([this] { Turn(); });
  members_.erase(members_.begin() + static_cast<int64_t>(index));
}

void Simulation::Mend() {
  world_.Trace("world", "mended");
  world_.faults = {};
  for (const auto& member : members_) member->frozen_until_us = member->cut_off_until_us = 0;
  if (members_.empty()) StartMember(world_.RulesOfNext());
  for (size_t p = 0; p < world_.log_ends.size(); ++p) {
    world_.log_ends[p] = static_cast<int64_t>(world_.workload.logs[p].size());
  }
}

template <typename Done>
bool Simulation::RunUntil(Done done, int64_t turns_max) {
  for (int64_t i = 0; i < turns_max && world_.failure.empty(); ++i) {
    if (done()) return true;
    Turn();
  }
  return !world_.failure.empty();
}

bool Simulation::AllCommitted() const {
  for (int32_t p = 0; p < world_.partitions; ++p) {
    if (world_.ledger.committed(p) != world_.log_ends[static_cast<size_t>(p)]) return false;
  }
  return world_.transactions.Idle();
}

int32_t Simulation::LivePartitions() const {
  return std::accumulate(members_.begin(), members_.end(), 0, [](int32_t sum, const auto& member) {
    return sum + member->LivePartitions();
  });
}

void Simulation::CheckPoison() {
  for (size_t p = 0; p < world_.workload.poison.size(); ++p) {
    std::set<int64_t> rejected;
    for (const Output& output : world_.ledger.expected(static_cast<int32_t>(p))->outputs) {
      if (output.kind == OutputKind::kDeadLetter) rejected.insert(output.offset);
    }
    if (rejected != world_.workload.poison[p]) {
      world_.Fail(fmt::format("partition {}: dead letters are not the planted ones", p));
    }
  }
}

}  // namespace caracal::pipeline::sim
