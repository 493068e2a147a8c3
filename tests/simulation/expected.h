#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agents/state/state_digest.h"
#include "pipeline/types/activation.h"
#include "pipeline/types/epoch.h"
#include "pipeline/types/event_batch.h"
#include "tests/simulation/model.h"

namespace caracal::pipeline::sim {

/// An alert or dead letter, as it is in its topic.
struct Output {
  OutputKind kind = OutputKind::kAlert;
  int32_t partition = 0;  ///< of the source record
  int64_t offset = 0;     ///< of the source record
  uint32_t sequence = 0;
  std::string key;
  std::string value;

  friend auto operator<=>(const Output&, const Output&) = default;
};

Output OutputOf(const OutputRecord& record);

/// What a single-threaded run over one partition's whole log gives.
struct Expected {
  std::vector<Output> outputs;  ///< by offset and sequence
  /// By bucket: (offset, digest once everything below the offset is in), increasing. Below the last
  /// activation: what its rules make of the records that their states may see.
  std::vector<std::vector<std::pair<int64_t, agents::StateDigest>>> digests;

  agents::StateDigest DigestAt(size_t bucket, int64_t offset) const;
};

/// Judges whole logs at once, on the thread of the caller, without pipeline: what it has to come to
/// whatever happens to it. The records from an activation on are judged by its rules, each of which
/// has seen the records since the first of the activations in a row, up to this one, whose rules
/// keep the same state; nothing is ever copied from one state to another.
///
/// A run of activations is judged when it is first asked for and kept.
class Judgements {
 public:
  using Activations = std::vector<Activation>;

  /// Both must outlive this. `rules` by hash: everything that can be activated.
  Judgements(const Model& model, const Workload& workload,
             std::map<std::string, const Rules*> rules);

  /// By activations of known rules, the first at offset 0; or the last of such a run that was asked
  /// for before, as they are recorded when they become too many. Else CHECK.
  const Expected& Of(int32_t partition, const Activations& activations);

 private:
  /// A log, decoded.
  struct Log {
    LeasePtr lease;
    std::shared_ptr<EventStorage> storage;
    std::vector<std::optional<Event>> events;  ///< by offset
    std::vector<Output> dead_letters;
    std::map<std::vector<std::pair<int64_t, std::string>>, std::unique_ptr<Expected>> judged;
  };
  class Run;

  Log Decode(int32_t partition, const std::vector<FakeRecord>& records) const;
  Expected Judge(int32_t partition, const Activations& activations);

  const Model& model_;
  const std::map<std::string, const Rules*> rules_;
  std::vector<Log> logs_;
};

}  // namespace caracal::pipeline::sim
