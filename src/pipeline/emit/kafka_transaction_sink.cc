#include "pipeline/emit/kafka_transaction_sink.h"

#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/base/failpoint.h"
#include "pipeline/base/log.h"
#include "pipeline/base/random_id.h"

namespace caracal::pipeline {
namespace {

constexpr int kCallTimeoutMs = 1000;
constexpr int kPauseMs = 100;
// A transaction takes tens of milliseconds; one that took longer than this had trouble.
constexpr absl::Duration kSuspectAfter = absl::Seconds(1);

std::string Millis(absl::Duration duration) {
  return fmt::to_string(absl::ToInt64Milliseconds(duration));
}

KafkaProperties OwnedProperties(const TransactionOptions& options) {
  return {
      {"transactional.id", options.transactional_id},
      {"enable.idempotence", "true"},
      {"acks", "all"},
      {"message.max.bytes", fmt::to_string(options.outputs.max_message_bytes)},
      {"allow.auto.create.topics", "false"},
  };
}

const KafkaProperties& DefaultProperties() {
  static const auto* const kDefaults = new KafkaProperties{
      {"linger.ms", "0"},
      // The coordinator answers CONCURRENT_TRANSACTIONS while it writes the markers of the last
      // transaction: at 100 ms, the default, every second transaction would wait that long.
      {"retry.backoff.ms", "5"},
      {"socket.nagle.disable", "true"},
      {"socket.keepalive.enable", "true"},
      {"reconnect.backoff.max.ms", "2000"},
      {"queue.buffering.max.messages", "2000000"},
      {"queue.buffering.max.kbytes", "1048576"},
  };
  return *kDefaults;
}

bool MeansFenced(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
         code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

/// The time since the step before.
class StepTimer {
 public:
  void Note(DurationHistogram& step) {
    const absl::Time now = absl::Now();
    step.Observe(absl::ToInt64Microseconds(now - last_));
    last_ = now;
  }

 private:
  absl::Time last_ = absl::Now();
};

bool IsHopeless(rd_kafka_resp_err_t code) {
  return absl::IsPermissionDenied(KafkaStatus(code, ""));
}

}  // namespace

KafkaTransactionSink::KafkaTransactionSink(TransactionOptions options, OutputSinkProbe& probe)
    : options_(std::move(options)),
      probe_(probe),
      producer_(options_.outputs, DefaultProperties(), OwnedProperties(options_), probe),
      timeout_(options_.timeout) {}

absl::Status KafkaTransactionSink::Renew() {
  RETURN_IF_ERROR(StartProducer());
  if (std::exchange(changes_id_, false)) {
    const std::string id = fmt::format("{}-{}", options_.transactional_id, RandomId());
    LOG(kInfo, "emit",
        "a transaction came to nothing while a broker was out of reach: the next ones have another "
        "transactional id",
        {{"id", id}});
    producer_.Own("transactional.id", id);
    RETURN_IF_ERROR(StartProducer());
  }
  return producer_.LookForTopics();
}

absl::Status KafkaTransactionSink::StartProducer() {
  while (!producer_.cancelled()) {
    producer_.Own("transaction.timeout.ms", Millis(timeout_.current()));
    RETURN_IF_ERROR(producer_.Connect());
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    const StepResult result = Repeat("starting a producer", [this, &code] {
      KafkaError error(rd_kafka_init_transactions(producer_.client(), kCallTimeoutMs));
      if (error != nullptr) code = rd_kafka_error_code(error.get());
      return error;
    });
    if (result.step == Step::kDone) return absl::OkStatus();
    if (producer_.cancelled()) break;
    if (code == RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT && timeout_.Refused()) continue;
    if (IsHopeless(code)) return KafkaStatus(code, "starting a transactional producer");
    LOG(kWarning, "emit", "no transactional producer yet, trying again",
        {{"error", result.message}});
    producer_.Serve(kPauseMs);
  }
  return absl::CancelledError("cancelled");
}

TransactionResult KafkaTransactionSink::Send(const SealedEpoch& epoch) {
  std::vector<OutputProducer::Pending> pending = producer_.PendingOf(epoch.outputs);
  began_ = absl::Now();
  repeated_ = false;
  const uint64_t disturbances = producer_.disturbances();
  TransactionResult result = Attempt(epoch, pending);
  producer_.Serve(0);
  result.disturbed = producer_.disturbances() != disturbances;
  result.suspect =
      result.suspect || result.disturbed || repeated_ || absl::Now() - began_ > kSuspectAfter;
  result.suspect = AdaptTimeout(result) || result.suspect;
  if (result.outcome == TransactionOutcome::kCommitted) producer_.ForgetRefused();
  if (result.outcome == TransactionOutcome::kAborted) probe_.transactions_aborted.Add(1);
  if (result.outcome == TransactionOutcome::kUnknown) probe_.transactions_unknown.Add(1);
  return result;
}

bool KafkaTransactionSink::AdaptTimeout(const TransactionResult& result) {
  const bool committed = result.outcome == TransactionOutcome::kCommitted;
  if (!timeout_.Adapt(committed, absl::Now() - began_)) return false;
  LOG(kInfo, "emit",
      committed ? "transactions are fast again: the next ones have their usual time"
                : "a transaction has used up its time: the next ones have more",
      {{"timeout", absl::FormatDuration(timeout_.current())}});
  return true;
}

TransactionResult KafkaTransactionSink::Attempt(const SealedEpoch& epoch,
                                                std::vector<OutputProducer::Pending>& pending) {
  if (HitFailpoint(Failpoint::kTransactionBegin)) {
    return {TransactionOutcome::kAborted, "failpoint before the beginning"};
  }
  rd_kafka_t* const client = producer_.client();
  StepResult step = Judge(KafkaError(rd_kafka_begin_transaction(client)));
  if (step.step != Step::kDone) return Unknown(step);

  StepTimer timer;
  const absl::Status sent = producer_.Send(pending);
  if (absl::IsUnavailable(sent)) {
    LOG(kWarning, "emit", "alerts and dead letters cannot be written yet, trying again",
        {{"error", agents::MessageOf(sent)}});
  }
  if (!sent.ok() || !OutputProducer::AllAcknowledged(pending)) {
    TransactionResult aborted =
        Abort(sent.ok() ? "sending a dead letter without its value" : agents::MessageOf(sent));
    if (aborted.outcome != TransactionOutcome::kAborted) return aborted;
    // The broker has never seen the sequence number of a message that it refused, but librdkafka
    // counts on from it: the next transaction needs another producer.
    if (sent.ok()) aborted.suspect = true;
    const bool final = !sent.ok() && !absl::IsUnavailable(sent) && !absl::IsCancelled(sent);
    if (final) {
      aborted.outcome = TransactionOutcome::kFatal;
      aborted.code = sent.code();
    }
    return aborted;
  }
  timer.Note(probe_.outputs_step);

  if (HitFailpoint(Failpoint::kOffsetsSend)) return Abort("failpoint before the offsets");
  step = SendOffsets(epoch);
  if (step.step == Step::kAbort) return Abort(step.message);
  if (step.step != Step::kDone) return Unknown(step);
  timer.Note(probe_.offsets_step);

  if (HitFailpoint(Failpoint::kOffsetsSent)) return Abort("failpoint after the offsets");
  if (HitFailpoint(Failpoint::kTransactionCommit)) return Abort("failpoint before the commit");
  step = Repeat("committing", [client] {
    return KafkaError(rd_kafka_commit_transaction(client, kCallTimeoutMs));
  });
  if (step.step == Step::kAbort) return Abort(step.message);
  if (step.step != Step::kDone) return Unknown(step);
  timer.Note(probe_.commit_step);
  if (HitFailpoint(Failpoint::kTransactionDone)) {
    return {TransactionOutcome::kUnknown, "failpoint after the commit"};
  }
  return {};
}

KafkaTransactionSink::StepResult KafkaTransactionSink::SendOffsets(const SealedEpoch& epoch) {
  rd_kafka_consumer_group_metadata_t* read = nullptr;
  const KafkaError unreadable(rd_kafka_consumer_group_metadata_read(
      &read, epoch.group_metadata.data(), epoch.group_metadata.size()));
  if (unreadable != nullptr) return {Step::kAbort, rd_kafka_error_string(unreadable.get())};
  const KafkaGroupMetadata group(read);
  const KafkaPartitionList offsets(
      rd_kafka_topic_partition_list_new(static_cast<int>(epoch.partitions.size())));
  for (const EpochPartition& partition : epoch.partitions) {
    AddOffset(offsets.get(), partition.lease->topic(), partition.lease->partition(),
              partition.end_offset, partition.metadata);
  }
  return Repeat("sending the offsets", [&] {
    return KafkaError(rd_kafka_send_offsets_to_transaction(producer_.client(), offsets.get(),
                                                           group.get(), kCallTimeoutMs));
  });
}

TransactionResult KafkaTransactionSink::Abort(std::string reason) {
  const StepResult step = Repeat("aborting", [this] {
    return KafkaError(rd_kafka_abort_transaction(producer_.client(), kCallTimeoutMs));
  });
  if (step.step != Step::kDone) return Unknown(step);
  return {TransactionOutcome::kAborted, std::move(reason)};
}

template <typename Call>
KafkaTransactionSink::StepResult KafkaTransactionSink::Repeat(std::string_view step, Call call) {
  while (true) {
    StepResult result = Judge(call());
    if (result.step != Step::kRetry) return result;
    repeated_ = true;
    if (producer_.cancelled()) return {Step::kUnknown, std::move(result.message)};
    LOG(kWarning, "emit", "no answer from Kafka about a transaction yet, asking again",
        {{"step", step}, {"error", result.message}});
    producer_.Serve(kPauseMs);
  }
}

KafkaTransactionSink::StepResult KafkaTransactionSink::Judge(KafkaError error) {
  if (error == nullptr) return {};
  StepResult result;
  const bool silent = rd_kafka_error_code(error.get()) == RD_KAFKA_RESP_ERR__TIMED_OUT;
  result.message = silent ? fmt::format("no answer within {} s", kCallTimeoutMs / 1000)
                          : fmt::format("{} ({})", rd_kafka_error_string(error.get()),
                                        rd_kafka_error_name(error.get()));
  result.fenced = MeansFenced(rd_kafka_error_code(error.get()));
  result.step = Step::kUnknown;
  if (rd_kafka_error_is_fatal(error.get()) != 0) return result;
  if (rd_kafka_error_is_retriable(error.get()) != 0) result.step = Step::kRetry;
  if (rd_kafka_error_txn_requires_abort(error.get()) != 0) result.step = Step::kAbort;
  return result;
}

TransactionResult KafkaTransactionSink::Unknown(const StepResult& failure) const {
  // The coordinator fences a transaction that outlived its timeout as well: then the id is still
  // ours.
  const bool in_time = absl::Now() - began_ < timeout_.current() / 2;
  if (failure.fenced && options_.named && in_time) {
    return {TransactionOutcome::kFenced, failure.message};
  }
  return {TransactionOutcome::kUnknown, failure.message};
}

}  // namespace caracal::pipeline
