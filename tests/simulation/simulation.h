#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/member.h"
#include "tests/simulation/world.h"

namespace caracal::pipeline::sim {

/// What became of one seed.
struct SimulationResult {
  std::string failure;  ///< empty = every invariant held
  int64_t steps = 0;
  uint64_t alerts = 0;
  uint64_t crashes = 0;
  uint64_t stops = 0;
  /// Copies of changes handed over, and buckets restored from some.
  uint64_t copies = 0;
  uint64_t changes_saved = 0;
  uint64_t changes_restored = 0;
  /// Other rules took effect on a partition; of these, while a process with the rules before was
  /// alive. States of rules that were taken over from a copy that earlier rules had made.
  uint64_t activations = 0;
  uint64_t takeovers = 0;
  uint64_t slices_carried = 0;
};

/// Runs one seed: members of a group work through the logs while the scheduler, which the seed
/// drives, decides whose turn it is and what goes wrong; then everything is mended and they have to
/// come to what a fresh run comes to. One thread; equal seeds are equal runs.
class Simulation {
 public:
  Simulation(const Model& model, const SimulationOptions& options) : world_(model, options) {}

  SimulationResult Run();

 private:
  /// One turn of somebody.
  void Turn();
  void TurnOf(Member& member);
  void TurnOfCluster();
  void Fault();
  /// All members crash; perhaps an operator then sets offsets back.
  void Outage();
  /// An operator sets the offset of a partition back while the group has no members.
  void Rewind(int32_t partition, int64_t offset);
  /// Other rules are rolled out: some of the members are started again with them, or all.
  void ChangeRules();
  void StartMember(const Rules& rules);
  void CrashMember(size_t index);
  void StopMember(size_t index);
  /// Nothing goes wrong any more.
  void Mend();
  /// Takes turns until `done`; false = that takes too long.
  template <typename Done>
  bool RunUntil(Done done, int64_t turns_max);
  bool AllCommitted() const;
  int32_t LivePartitions() const;
  void CheckPoison();

  World world_;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<Output> read_;
  int next_name_ = 1;
  SimulationResult result_;
};

}  // namespace caracal::pipeline::sim
