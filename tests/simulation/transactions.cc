#include "tests/simulation/transactions.h"

#include <algorithm>

namespace caracal::pipeline::sim {

Transactions::Answer Transactions::Renew(Producer& producer, int64_t now_us) {
  Transaction& transaction = transactions_[producer.id];
  switch (transaction.state) {
    case State::kOngoing:
      // The old producer is fenced before its transaction is aborted.
      transaction.epoch += 1;
      Decide(transaction, /*commit=*/false);
      return Answer::kTryAgain;
    case State::kCommitting:
    case State::kAborting:
      return Answer::kTryAgain;
    default:
      break;
  }
  const int32_t epoch = transaction.epoch + 1;
  transaction = Transaction();
  transaction.epoch = epoch;
  transaction.began_us = now_us;
  producer.epoch = epoch;
  return Answer::kOk;
}

Transactions::Answer Transactions::Enter(const Producer& producer, int64_t now_us) {
  Transaction& transaction = transactions_[producer.id];
  if (producer.epoch != transaction.epoch) return Answer::kFenced;
  if (transaction.state == State::kCommitting || transaction.state == State::kAborting) {
    return Answer::kTryAgain;
  }
  if (transaction.state != State::kOngoing) {
    const int32_t epoch = transaction.epoch;
    transaction = Transaction();
    transaction.epoch = epoch;
    transaction.state = State::kOngoing;
    transaction.began_us = now_us;
  }
  return Answer::kOk;
}

Transactions::Log& Transactions::LogOf(const Output& output) {
  const int32_t topic = output.kind == OutputKind::kAlert ? 0 : kOutputPartitions;
  return logs_[ToSize(topic + output.partition % kOutputPartitions)];
}

Transactions::Answer Transactions::Produce(const Producer& producer, size_t number,
                                           const Output& output, int64_t now_us) {
  if (const Answer answer = Enter(producer, now_us); answer != Answer::kOk) return answer;
  Transaction& transaction = transactions_[producer.id];
  if (number < transaction.outputs.size()) return Answer::kOk;
  Log& log = LogOf(output);
  transaction.outputs.push_back(output);
  transaction.entries[static_cast<int32_t>(&log - logs_.data())].push_back(log.entries.size());
  log.entries.push_back({output});
  return Answer::kOk;
}

Transactions::Answer Transactions::AddOffsets(const Producer& producer,
                                              const Membership& membership,
                                              const GroupOffsets& offsets, int64_t now_us) {
  if (const Answer answer = Enter(producer, now_us); answer != Answer::kOk) return answer;
  if (fencing_ && !group_.Admits(membership.member, membership.generation)) {
    return Answer::kIllegalGeneration;
  }
  Transaction& transaction = transactions_[producer.id];
  transaction.offsets = offsets;
  transaction.offsets_marked = false;
  return Answer::kOk;
}

Transactions::Answer Transactions::End(const Producer& producer, bool commit) {
  const auto found = transactions_.find(producer.id);
  if (found == transactions_.end() || producer.epoch != found->second.epoch) return Answer::kFenced;
  Transaction& transaction = found->second;
  switch (transaction.state) {
    case State::kOngoing:
      Decide(transaction, commit);
      return Answer::kOk;
    case State::kCommitting:
    case State::kCommitted:
      return commit ? Answer::kOk : Answer::kInvalid;
    case State::kAborting:
    case State::kAborted:
      return commit ? Answer::kInvalid : Answer::kOk;
    case State::kNone:
      break;
  }
  return commit ? Answer::kInvalid : Answer::kOk;
}

void Transactions::Decide(Transaction& transaction, bool commit) {
  transaction.state = commit ? State::kCommitting : State::kAborting;
  if (commit) ledger_.OnTransaction(transaction.outputs, transaction.offsets);
}

void Transactions::WriteMarker(Transaction& transaction, Random& random) {
  const bool commit = transaction.state == State::kCommitting;
  const bool offsets_first = random.Percent(50);
  if (!transaction.offsets_marked && (offsets_first || transaction.entries.empty())) {
    if (commit) {
      for (const auto& [partition, offset] : transaction.offsets) {
        offsets_[ToSize(partition)] = offset;
      }
    }
    transaction.offsets_marked = true;
  } else if (!transaction.entries.empty()) {
    const auto entries = transaction.entries.begin();
    for (const size_t index : entries->second) {
      logs_[ToSize(entries->first)].entries[index].fate =
          commit ? Fate::kCommitted : Fate::kAborted;
    }
    transaction.entries.erase(entries);
  }
  if (transaction.offsets_marked && transaction.entries.empty()) {
    transaction.state = commit ? State::kCommitted : State::kAborted;
  }
}

void Transactions::Append(const Output& output) {
  LogOf(output).entries.push_back({output, Fate::kCommitted});
  ledger_.OnOutput(output);
}

Transactions::Answer Transactions::Commit(const Membership& membership,
                                          const GroupOffsets& offsets) {
  if (fencing_ && !group_.Admits(membership.member, membership.generation)) {
    return Answer::kIllegalGeneration;
  }
  ledger_.OnOffsets(offsets);
  for (const auto& [partition, offset] : offsets) offsets_[ToSize(partition)] = offset;
  return Answer::kOk;
}

bool Transactions::Read(int32_t partition, GroupOffset& offset) const {
  const bool pending =
      std::any_of(transactions_.begin(), transactions_.end(), [partition](const auto& entry) {
        const Transaction& transaction = entry.second;
        return !transaction.offsets_marked && transaction.offsets.contains(partition);
      });
  offset = offsets_[ToSize(partition)];
  return !pending;
}

void Transactions::Rewind(int32_t partition, GroupOffset offset) {
  ledger_.OnRewind(partition, offset);
  offsets_[ToSize(partition)] = std::move(offset);
}

void Transactions::Tick(int64_t now_us, Random& random) {
  for (auto& [id, transaction] : transactions_) {
    if (transaction.state == State::kOngoing && now_us - transaction.began_us > kTimeoutMicros) {
      transaction.epoch += 1;
      Decide(transaction, /*commit=*/false);
    }
    if (transaction.state == State::kCommitting || transaction.state == State::kAborting) {
      WriteMarker(transaction, random);
      return;
    }
  }
}

bool Transactions::Idle() const {
  return std::none_of(transactions_.begin(), transactions_.end(), [](const auto& entry) {
    const State state = entry.second.state;
    return state == State::kOngoing || state == State::kCommitting || state == State::kAborting;
  });
}

void Transactions::ReadCommitted(std::vector<Output>& read) {
  for (Log& log : logs_) {
    for (; log.read < log.entries.size(); ++log.read) {
      const Log::Entry& entry = log.entries[log.read];
      if (entry.fate == Fate::kOpen) break;
      if (entry.fate == Fate::kCommitted) read.push_back(entry.output);
    }
  }
}

}  // namespace caracal::pipeline::sim
