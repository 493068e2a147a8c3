#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/ports/offset_store.h"
#include "pipeline/ports/output_sink.h"
#include "pipeline/ports/transaction_sink.h"
#include "tests/simulation/process.h"

namespace caracal::pipeline::sim {

/// A transactional producer with the outcomes of KafkaTransactionSink: what was asked more than
/// once, or took long, is suspect; what got no answer in the end is unknown.
class SimTransactionSink : public TransactionSink {
 public:
  SimTransactionSink(Process& process, std::string id)
      : process_(process), world_(process.world), id_(id), producer_{std::move(id), -1} {}

  absl::Status Renew() override;
  void ChangeId() override { changes_id_ = true; }
  TransactionResult Send(const SealedEpoch& epoch) override;
  void Cancel() override {}

 private:
  using Answer = Transactions::Answer;

  absl::Status StartProducer();
  TransactionResult Attempt(const SealedEpoch& epoch);
  /// nullopt = all are produced.
  std::optional<TransactionResult> ProduceAll(const SealedEpoch& epoch);
  TransactionResult Abort(std::string reason);
  /// Asks until there is an answer; nullopt = given up on.
  std::optional<Answer> Ask(const std::function<Answer()>& request);
  TransactionResult Unknown(std::string reason) const;

  Process& process_;
  World& world_;
  const std::string id_;
  Transactions::Producer producer_;
  int ids_ = 1;  ///< had so far
  bool changes_id_ = false;
  bool repeated_ = false;
};

/// A plain producer: what it delivers is visible at once, and after a doubt delivered again.
class SimOutputSink : public OutputSink {
 public:
  explicit SimOutputSink(Process& process) : process_(process), world_(process.world) {}

  absl::Status Deliver(std::span<const OutputRecord> outputs) override;
  void Cancel() override {}

 private:
  Process& process_;
  World& world_;
};

/// The group's offsets, asked for by a member. What it is now goes with a commit.
class SimOffsets : public OffsetStore {
 public:
  struct View {
    std::function<Transactions::Membership()> membership;
    std::function<bool()> rebalancing;
  };

  explicit SimOffsets(Process& process) : process_(process), world_(process.world) {}
  void set_view(View view) { view_ = std::move(view); }

  OffsetCommitResult Commit(std::span<const OffsetCommit> offsets) override;
  absl::StatusOr<std::vector<CommittedOffset>> Committed(std::span<const LeasePtr> leases,
                                                         absl::Duration max_wait) override;

 private:
  Process& process_;
  World& world_;
  View view_;
};

}  // namespace caracal::pipeline::sim
