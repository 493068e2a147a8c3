#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/simulation/group.h"
#include "tests/simulation/ledger.h"

namespace caracal::pipeline::sim {

/// The broker side of transactions: producer epochs and fencing, one transaction per producer,
/// markers that are written one after the other, the output topics with their last stable offset,
/// and the group's offsets, pending ones included.
///
/// Requests carry (id, epoch) and nothing that tells transactions of one epoch apart, as before
/// KIP-890: an end that comes late ends whatever the producer has open.
class Transactions {
 public:
  static constexpr int64_t kTimeoutMicros = 5'000'000;
  static constexpr int32_t kOutputPartitions = 2;

  enum class Answer : uint8_t {
    kOk,
    kTryAgain,  ///< the transaction before is still being completed
    kFenced,    ///< a newer producer has this id, or the transaction has timed out
    kInvalid,   ///< there is no such transaction
    kIllegalGeneration,
  };
  struct Producer {
    std::string id;
    int32_t epoch = -1;
  };
  /// Who commits offsets.
  struct Membership {
    std::string member;
    int32_t generation = -1;
  };
  using GroupOffsets = Ledger::Offsets;

  /// `fencing` false: offsets are taken from anybody, whatever the generation.
  Transactions(int32_t partitions, const Group& group, Ledger& ledger, bool fencing)
      : group_(group), ledger_(ledger), fencing_(fencing), offsets_(ToSize(partitions)) {}

  /// A newer epoch of the id: aborts an open transaction. kTryAgain while it is not ended.
  Answer Renew(Producer& producer, int64_t now_us);
  /// Appends an output; `number` counts the transaction's outputs: one that came before is dropped.
  Answer Produce(const Producer& producer, size_t number, const Output& output, int64_t now_us);
  Answer AddOffsets(const Producer& producer, const Membership& membership,
                    const GroupOffsets& offsets, int64_t now_us);
  Answer End(const Producer& producer, bool commit);

  /// An output that is not in a transaction.
  void Append(const Output& output);
  /// Offsets that are not in a transaction.
  Answer Commit(const Membership& membership, const GroupOffsets& offsets);
  /// False while a transaction holds a newer one back.
  bool Read(int32_t partition, GroupOffset& offset) const;
  void Rewind(int32_t partition, GroupOffset offset);

  /// Aborts what has timed out; writes at most one marker.
  void Tick(int64_t now_us, Random& random);
  bool Idle() const;

  /// Reads on from where the last call ended, committed outputs only, up to the last stable offset.
  void ReadCommitted(std::vector<Output>& read);

 private:
  enum class State : uint8_t { kNone, kOngoing, kCommitting, kAborting, kCommitted, kAborted };
  enum class Fate : uint8_t { kOpen, kCommitted, kAborted };
  struct Log {
    struct Entry {
      Output output;
      Fate fate = Fate::kOpen;
    };
    std::vector<Entry> entries;
    size_t read = 0;
  };
  struct Transaction {
    int32_t epoch = 0;
    State state = State::kNone;
    int64_t began_us = 0;
    std::vector<Output> outputs;
    std::map<int32_t, std::vector<size_t>> entries;  ///< by output partition: indexes
    GroupOffsets offsets;
    bool offsets_marked = true;
  };

  static size_t ToSize(int32_t number) { return static_cast<size_t>(number); }
  Log& LogOf(const Output& output);
  /// kOk when the producer may go on with its transaction, which is begun if need be.
  Answer Enter(const Producer& producer, int64_t now_us);
  void Decide(Transaction& transaction, bool commit);
  void WriteMarker(Transaction& transaction, Random& random);

  const Group& group_;
  Ledger& ledger_;
  const bool fencing_;
  std::vector<GroupOffset> offsets_;
  std::map<std::string, Transaction> transactions_;
  std::vector<Log> logs_ = std::vector<Log>(2 * kOutputPartitions);
};

}  // namespace caracal::pipeline::sim
