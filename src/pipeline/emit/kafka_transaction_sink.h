#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "pipeline/emit/output_producer.h"
#include "pipeline/emit/transaction_timeout.h"
#include "pipeline/kafka/handles.h"
#include "pipeline/ports/transaction_sink.h"

namespace caracal::pipeline {

struct TransactionOptions {
  OutputSinkOptions outputs;
  /// <group>-<instance>: Kafka fences the older of two producers with one id. After ChangeId() with
  /// a random suffix.
  std::string transactional_id;
  /// The id is a name somebody gave this instance: being fenced means that another process has it.
  bool named = false;
  /// How long a crashed member keeps readers of its partitions waiting. Transactions live
  /// milliseconds; TransactionTimeout says when they have longer.
  absl::Duration timeout = absl::Seconds(5);
};

/// delivery: exactly_once. One short Kafka transaction per epoch: begin, alerts and dead letters,
/// the group's offsets, commit.
///
/// Every call of the transactional API ends as one of: done; retriable, then the same call again;
/// to be aborted, then kAborted once the abort is through; anything else, then kUnknown. A commit
/// that was slow, repeated or disturbed is `suspect`: a request of it may be executed late by the
/// broker, and this client (librdkafka before KIP-890) cannot tell transactions of one producer
/// epoch apart. Commit thread only, except Cancel.
class KafkaTransactionSink : public TransactionSink {
 public:
  /// `probe` must outlive the sink. Nothing is connected before Renew.
  KafkaTransactionSink(TransactionOptions options, OutputSinkProbe& probe);

  absl::Status Renew() override;
  void ChangeId() override { changes_id_ = true; }
  TransactionResult Send(const SealedEpoch& epoch) override;
  void Cancel() override { producer_.Cancel(); }

 private:
  enum class Step : uint8_t { kDone, kRetry, kAbort, kUnknown };
  /// What a call of the transactional API came to.
  struct StepResult {
    Step step = Step::kDone;
    std::string message;
    bool fenced = false;
  };

  /// A producer of the next epoch of its transactional id.
  absl::Status StartProducer();
  static StepResult Judge(KafkaError error);
  /// Calls until the answer is not "the same call again", or we are cancelled (then kUnknown).
  /// `step` is for the log.
  template <typename Call>
  StepResult Repeat(std::string_view step, Call call);
  TransactionResult Attempt(const SealedEpoch& epoch,
                            std::vector<OutputProducer::Pending>& pending);
  StepResult SendOffsets(const SealedEpoch& epoch);
  /// Nothing of the transaction becomes visible; `reason` is why.
  TransactionResult Abort(std::string reason);
  TransactionResult Unknown(const StepResult& failure) const;
  /// Whether the next transactions have a timeout other than this one's.
  bool AdaptTimeout(const TransactionResult& result);

  const TransactionOptions options_;
  OutputSinkProbe& probe_;
  OutputProducer producer_;
  TransactionTimeout timeout_;
  bool changes_id_ = false;
  bool repeated_ = false;  ///< a call of the transaction under way had to be made again
  absl::Time began_ = absl::InfinitePast();
};

}  // namespace caracal::pipeline
