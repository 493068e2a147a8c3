#include "tests/simulation/sim_outputs.h"

#include <utility>

#include <fmt/format.h>

#include "tests/simulation/sim_source.h"

namespace caracal::pipeline::sim {
namespace {

constexpr int64_t kSuspectMicros = 1'000'000;

}  // namespace

absl::Status SimTransactionSink::Renew() {
  const absl::Status started = StartProducer();
  if (!started.ok() || !std::exchange(changes_id_, false)) return started;
  producer_ = {fmt::format("{}-{}", id_, ++ids_), -1};
  return StartProducer();
}

absl::Status SimTransactionSink::StartProducer() {
  while (!process_.dead()) {
    const auto renewed = process_.Call(
        [&transactions = world_.transactions, id = producer_.id, now = world_.now_us()] {
          Transactions::Producer producer = {id, -1};
          return std::pair(transactions.Renew(producer, now), producer);
        });
    if (!renewed.has_value() || renewed->first != Answer::kOk) continue;
    producer_ = renewed->second;
    process_.Trace(fmt::format("producer of epoch {}", producer_.epoch));
    return absl::OkStatus();
  }
  return absl::CancelledError("cancelled");
}

TransactionResult SimTransactionSink::Send(const SealedEpoch& epoch) {
  const int64_t began_us = world_.now_us();
  repeated_ = false;
  TransactionResult result = Attempt(epoch);
  result.suspect = repeated_ || world_.now_us() - began_us > kSuspectMicros;
  if (world_.Mutated(Mutation::kKeepProducer)) result.suspect = false;
  process_.Trace(fmt::format("epoch {} {}{}: {}", epoch.id,
                             result.outcome == TransactionOutcome::kCommitted ? "committed"
                             : result.outcome == TransactionOutcome::kAborted ? "aborted"
                                                                              : "unknown",
                             result.suspect ? ", suspect" : "", result.message));
  return result;
}

TransactionResult SimTransactionSink::Attempt(const SealedEpoch& epoch) {
  if (auto failed = ProduceAll(epoch); failed.has_value()) return *std::move(failed);
  Transactions::GroupOffsets offsets;
  for (const EpochPartition& partition : epoch.partitions) {
    offsets[partition.lease->partition()] = {partition.end_offset, partition.metadata};
  }
  const auto added = Ask([&world = world_, producer = producer_, offsets,
                          membership = SimSource::ParseMetadata(epoch.group_metadata)] {
    return world.transactions.AddOffsets(producer, membership, offsets, world.now_us());
  });
  if (!added.has_value()) return Unknown("no answer to the offsets");
  if (*added == Answer::kIllegalGeneration) return Abort("illegal generation");
  if (*added != Answer::kOk) return Unknown("offsets refused");
  const auto ended = Ask([&world = world_, producer = producer_] {
    return world.transactions.End(producer, /*commit=*/true);
  });
  if (!ended.has_value()) return Unknown("no answer to the commit");
  if (*ended != Answer::kOk) return Unknown("commit refused");
  return {};
}

std::optional<TransactionResult> SimTransactionSink::ProduceAll(const SealedEpoch& epoch) {
  size_t number = 0;
  for (const OutputRecord& output : epoch.outputs) {
    while (true) {
      process_.Delay();
      if (process_.dead()) return Unknown("dead");
      if (world_.random.Percent(world_.faults.produce_failed))
        return Abort("not delivered in time");
      const Answer answer =
          world_.transactions.Produce(producer_, number, OutputOf(output), world_.now_us());
      if (answer == Answer::kOk) break;
      if (answer != Answer::kTryAgain) return Unknown("output refused");
    }
    ++number;
  }
  return std::nullopt;
}

TransactionResult SimTransactionSink::Abort(std::string reason) {
  const auto ended = Ask([&world = world_, producer = producer_] {
    return world.transactions.End(producer, /*commit=*/false);
  });
  if (!ended.has_value() || *ended != Answer::kOk) return Unknown("not aborted: " + reason);
  return {TransactionOutcome::kAborted, std::move(reason)};
}

std::optional<SimTransactionSink::Answer> SimTransactionSink::Ask(
    const std::function<Answer()>& request) {
  while (!process_.dead()) {
    const auto answer = process_.Call(request);
    if (answer.has_value() && *answer != Answer::kTryAgain) return answer;
    if (answer.has_value()) continue;
    repeated_ = true;
    if (world_.random.Percent(40)) return std::nullopt;
  }
  return std::nullopt;
}

TransactionResult SimTransactionSink::Unknown(std::string reason) const {
  return {TransactionOutcome::kUnknown, std::move(reason)};
}

absl::Status SimOutputSink::Deliver(std::span<const OutputRecord> outputs) {
  for (const OutputRecord& output : outputs) {
    // After a doubt the message goes out again; a new producer does not know the old one's.
    while (!process_.Call([&world = world_, record = OutputOf(output)] {
      world.transactions.Append(record);
      return true;
    })) {
      if (process_.dead()) return absl::CancelledError("dead");
    }
  }
  return absl::OkStatus();
}

OffsetCommitResult SimOffsets::Commit(std::span<const OffsetCommit> offsets) {
  if (offsets.empty()) return {};
  if (view_.rebalancing()) return {OffsetCommitOutcome::kRebalancing, "the group is rebalancing"};
  Transactions::GroupOffsets commits;
  for (const OffsetCommit& commit : offsets) {
    commits[commit.partition] = {commit.offset, commit.metadata};
  }
  // One connection carries these: none of them overtakes another, so none comes late.
  const Transactions::Membership membership = view_.membership();
  process_.Delay();
  const Faults& faults = world_.faults;
  const int64_t luck = world_.random.Below(100);
  if (process_.dead() || luck < faults.request_lost) {
    return {OffsetCommitOutcome::kTransient, "no reply"};
  }
  const Transactions::Answer answer = world_.transactions.Commit(membership, commits);
  if (luck < faults.request_lost + faults.reply_lost) {
    return {OffsetCommitOutcome::kTransient, "no reply"};
  }
  if (answer == Transactions::Answer::kOk) return {};
  return {OffsetCommitOutcome::kRebalancing, "illegal generation"};
}

absl::StatusOr<std::vector<CommittedOffset>> SimOffsets::Committed(std::span<const LeasePtr> leases,
                                                                   absl::Duration /*max_wait*/) {
  std::vector<int32_t> partitions;
  for (const LeasePtr& lease : leases) partitions.push_back(lease->partition());
  auto reply = process_.Call([&world = world_, partitions] {
    std::vector<CommittedOffset> committed;
    for (const int32_t partition : partitions) {
      GroupOffset offset;
      if (!world.transactions.Read(partition, offset)) return std::vector<CommittedOffset>();
      committed.push_back({offset.offset, offset.metadata});
    }
    return committed;
  });
  if (!reply.has_value() || reply->size() != leases.size()) {
    return absl::UnavailableError("no stable offsets");
  }
  return *std::move(reply);
}

}  // namespace caracal::pipeline::sim
