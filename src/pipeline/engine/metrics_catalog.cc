#include "pipeline/engine/metrics_catalog.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "pipeline/engine/build_info.h"

namespace caracal::pipeline {
namespace {

using enum MetricType;

}  // namespace

MetricsCatalog::MetricsCatalog(MetricRegistry& registry, Engine& engine)
    : registry_(registry), engine_(engine) {
  AddBuildInfo();
  DeclareRules();
  AddStreams();
  AddPlugins();
  AddDelivery();
  AddSnapshots();
  AddSource();
  AddPartitions();
  AddRecovery();
  AddMemory();
}

MetricFamily& MetricsCatalog::Declare(MetricType type, std::string name, std::string help,
                                      std::vector<std::string> labels) {
  return registry_.Declare({std::move(name), std::move(help), type, std::move(labels)});
}

void MetricsCatalog::AddBuildInfo() {
  Keep(Declare(kGauge, "caracal_build_info",
               "Version of the engine and of its Kafka client; always 1.",
               {"version", "librdkafka"})
           .Add({kVersion, KafkaClientVersion()}, [] { return 1.0; }));
}

void MetricsCatalog::DeclareRules() {
  rule_hits_ = &Declare(kCounter, "caracal_rule_hits_total", "Transactions a rule fired on.",
                        {"ruleset", "rule", "agent", "severity", "mode"});
  rule_evaluations_ = &Declare(kCounter, "caracal_rule_evaluations_total",
                               "Transactions a rule judged.", {"ruleset", "rule", "agent"});
  rule_late_ = &Declare(kCounter, "caracal_rule_late_total",
                        "Transactions older than the rule's window.", {"ruleset", "rule"});
  rule_inactive_ = &Declare(kCounter, "caracal_rule_inactive_total",
                            "Transactions a rule had nothing to judge on.", {"ruleset", "rule"});
  rule_at_least_ = &Declare(kCounter, "caracal_rule_at_least_total",
                            "Judgements on a window at capacity: its values are lower bounds.",
                            {"ruleset", "rule"});
  rule_errors_ = &Declare(kCounter, "caracal_rule_errors_total",
                          "Transactions judged without a rule, because its plugin had an error "
                          "with them.",
                          {"ruleset", "rule", "agent"});
  alerts_ =
      &Declare(kCounter, "caracal_alerts_total", "Alerts raised.", {"ruleset", "severity", "mode"});
}

void MetricsCatalog::AddStreams() {
  auto& consumed =
      Declare(kCounter, "caracal_records_consumed_total",
              "Records taken from the source topic, counted at epoch boundaries.", {"topic"});
  auto& bytes = Declare(kCounter, "caracal_consumed_bytes_total",
                        "Key and value bytes of the consumed records.", {"topic"});
  auto& evaluated = Declare(kCounter, "caracal_transactions_evaluated_total",
                            "Transactions that changed the state and were judged.", {"topic"});
  auto& warmed = Declare(
      kCounter, "caracal_transactions_warmed_total",
      "Evaluated transactions that could raise nothing, by policy or alert_from.", {"topic"});
  auto& replayed =
      Declare(kCounter, "caracal_records_replayed_total",
              "Records read again below the committed offset to rebuild state.", {"topic"});
  auto& skipped = Declare(kCounter, "caracal_records_skipped_total",
                          "Records that are no transaction to judge.", {"topic", "reason"});
  auto& fallbacks = Declare(
      kCounter, "caracal_event_time_fallbacks_total",
      "Transactions whose mapped event time was missing or lay too far ahead: the clock of the "
      "database's commit or of the record was used instead.",
      {"topic", "time_source"});
  auto& parses = Declare(kCounter, "caracal_decode_full_parses_total",
                         "Records parsed as a whole, as no remembered layout fitted them; few "
                         "beside those consumed and replayed, but after a change of the schema; "
                         "the others took the fast path.",
                         {"topic"});
  auto& rejected = Declare(kCounter, "caracal_dead_letters_total",
                           "Records that could not be read and went to the dead-letter topic.",
                           {"topic", "reason"});
  auto& mismatches = Declare(kCounter, "caracal_key_mismatches_total",
                             "Sampled records whose Kafka key is not the stream's key.", {"topic"});
  auto& keys = Declare(kGauge, "caracal_state_keys", "Keys with state, over all open partitions.",
                       {"topic"});
  auto& state = Declare(kGauge, "caracal_state_bytes",
                        "Memory of the state of all open partitions.", {"topic"});
  auto& evictions = Declare(kCounter, "caracal_state_evictions_total",
                            "Keys evicted because a bucket was full.", {"topic"});
  auto& delay = Declare(kHistogram, "caracal_cdc_delay_seconds",
                        "From the database's commit to the append in Kafka, sampled.", {"topic"});
  for (size_t i = 0; i < engine_.options().streams.size(); ++i) {
    const std::string& topic = engine_.options().source.topics[i].name;
    const StreamProbe& probe = *engine_.probe().streams[i];
    Keep(consumed.Add({topic}, probe.consumed));
    Keep(bytes.Add({topic}, probe.consumed_bytes));
    Keep(evaluated.Add({topic}, probe.evaluated));
    Keep(warmed.Add({topic}, probe.warmed));
    Keep(replayed.Add({topic}, probe.replayed));
    Keep(fallbacks.Add({topic, "source_commit"}, probe.time_from_source_commit));
    Keep(fallbacks.Add({topic, "record"}, probe.time_from_record));
    Keep(parses.Add({topic}, probe.full_parses));
    Keep(mismatches.Add({topic}, probe.key_mismatches));
    Keep(keys.Add({topic}, probe.state_keys));
    Keep(state.Add({topic}, probe.state_bytes));
    Keep(evictions.Add({topic}, probe.state_evictions));
    Keep(delay.Add({topic}, probe.cdc_delay));
    for (size_t r = 0; r < kSkipReasonCount; ++r) {
      Keep(skipped.Add({topic, std::string(SkipReasonName(static_cast<SkipReason>(r)))},
                       probe.skipped[r]));
    }
    for (size_t r = 0; r < kRejectReasonCount; ++r) {
      Keep(rejected.Add({topic, std::string(RejectReasonName(static_cast<RejectReason>(r)))},
                        probe.rejected[r]));
    }
    AddRules(i);
  }
}

void MetricsCatalog::AddRules(size_t stream) {
  const std::vector<agents::RulesetInfo>& rulesets = engine_.rulesets(stream);
  for (size_t i = 0; i < rulesets.size(); ++i) {
    const agents::RulesetInfo& ruleset = rulesets[i];
    const RulesetProbe& probe = *engine_.probe().streams[stream]->rulesets[i];
    for (size_t s = 0; s < probe.alerts.size(); ++s) {
      Keep(alerts_->Add(
          {ruleset.name, std::string(agents::SeverityName(static_cast<agents::Severity>(s))),
           std::string(agents::ModeName(ruleset.mode))},
          probe.alerts[s]));
    }
    for (size_t r = 0; r < ruleset.rules.size(); ++r) {
      const agents::RuleInfo& rule = ruleset.rules[r];
      const RuleProbe& cells = probe.rules[r];
      const std::string mode(agents::ModeName(rule.mode));
      Keep(rule_hits_->Add({ruleset.name, rule.id, rule.agent,
                            std::string(agents::SeverityName(rule.severity)), mode},
                           cells.fired));
      Keep(rule_evaluations_->Add({ruleset.name, rule.id, rule.agent}, cells.evaluations));
      Keep(rule_late_->Add({ruleset.name, rule.id}, cells.late));
      Keep(rule_inactive_->Add({ruleset.name, rule.id}, cells.inactive));
      Keep(rule_at_least_->Add({ruleset.name, rule.id}, cells.at_least));
      Keep(rule_errors_->Add({ruleset.name, rule.id, rule.agent}, cells.errors));
    }
  }
}

void MetricsCatalog::AddPlugins() {
  auto& infos = Declare(kGauge, "caracal_plugin_info", "Plugins that are loaded; always 1.",
                        {"agent", "version", "licence", "sha256"});
  auto& errors = Declare(
      kCounter, "caracal_agent_errors_total",
      "What plugins did that they must not: errors with transactions, replayed ones too, verdicts "
      "that cannot be, failures as a whole, batches over their time budget.",
      {"agent", "reason"});
  auto& durations = Declare(kHistogram, "caracal_agent_duration_seconds",
                            "Time a plugin took for a batch of up to 32 transactions.", {"agent"});
  auto& events = Declare(kCounter, "caracal_plugin_events_total",
                         "What plugins count themselves; replayed transactions count again.",
                         {"agent", "counter"});
  for (const auto& plugin : engine_.options().plugins) {
    const PluginIdentity& identity = plugin->identity();
    const std::string& agent = identity.agent;
    Keep(infos.Add({agent, identity.version, identity.licence, identity.sha256},
                   [] { return 1.0; }));
    for (size_t i = 0; i < kPluginFaultCount; ++i) {
      const auto fault = static_cast<PluginFault>(i);
      Keep(errors.Add({agent, std::string(PluginFaultName(fault))}, [probe = plugin.get(), fault] {
        return static_cast<double>(probe->count(fault));
      }));
    }
    Keep(events.AddSource([probe = plugin.get()](SampleWriter& writer) {
      for (const auto& [name, value] : probe->counters()) {
        writer.Write({probe->identity().agent, name}, static_cast<double>(value));
      }
    }));
    for (size_t i = 0; i < PluginProbe::kShards; ++i) {
      Keep(durations.Add({agent}, plugin->durations(i)));
    }
  }
}

void MetricsCatalog::AddDelivery() {
  const CommitProbe& commit = engine_.commit_probe();
  const OutputSinkProbe& sink = engine_.sink_probe();
  const EngineProbe& engine = engine_.probe();
  Keep(Declare(kCounter, "caracal_epochs_committed_total",
               "Epochs whose alerts and offsets are durable.")
           .Add({}, commit.epochs_committed));
  Keep(Declare(kCounter, "caracal_epochs_resealed_total",
               "Epochs sealed again because the group changed before their commit.")
           .Add({}, commit.epochs_resealed));
  Keep(Declare(kHistogram, "caracal_epoch_commit_duration_seconds",
               "From the hand-over of an epoch to its commit.")
           .Add({}, commit.commit_duration));
  Keep(Declare(kHistogram, "caracal_end_to_end_latency_seconds",
               "From the database's commit of a row to the acknowledgement of its alert.")
           .Add({}, commit.end_to_end_latency));
  Keep(Declare(kCounter, "caracal_alerts_delivered_total", "Alerts acknowledged by the broker.")
           .Add({}, commit.alerts));
  Keep(Declare(kCounter, "caracal_dead_letters_delivered_total",
               "Dead letters acknowledged by the broker.")
           .Add({}, commit.dead_letters));
  Keep(Declare(kCounter, "caracal_send_failures_total", "Messages that had to be sent again.")
           .Add({}, sink.send_failures));
  Keep(Declare(kCounter, "caracal_dead_letter_values_omitted_total",
               "Dead letters too large for their topic, sent without their value.")
           .Add({}, sink.values_omitted));
  Keep(Declare(kCounter, "caracal_producer_resets_total",
               "Times the producer was made anew: it failed for good, or a request of its last "
               "transaction could still have been on its way.")
           .Add({}, sink.producer_resets));
  MetricFamily& transactions = Declare(
      kCounter, "caracal_transactions_failed_total",
      "Transactions that were aborted and sent again, or whose outcome the committed offsets had "
      "to tell.",
      {"outcome"});
  Keep(transactions.Add({"aborted"}, sink.transactions_aborted));
  Keep(transactions.Add({"unknown"}, sink.transactions_unknown));
  Keep(Declare(kCounter, "caracal_transactions_torn_total",
               "Transactions that are committed in part, which must not be: the engine stops, and "
               "answers metrics for two minutes before it ends.")
           .Add({}, commit.transactions_torn));
  auto& steps = Declare(kHistogram, "caracal_transaction_step_seconds",
                        "What transactions wait for: acknowledgements of the outputs, the answer "
                        "to the offsets, the answer to the commit.",
                        {"step"});
  Keep(steps.Add({"outputs"}, sink.outputs_step));
  Keep(steps.Add({"offsets"}, sink.offsets_step));
  Keep(steps.Add({"commit"}, sink.commit_step));
  Keep(Declare(kGauge, "caracal_producer_queue_records", "Messages sent and not acknowledged yet.")
           .Add({}, sink.queued_records));
  Keep(Declare(kGauge, "caracal_pending_output_bytes",
               "Alerts and dead letters waiting for their epoch.")
           .Add({}, engine.pending_output_bytes));
  Keep(Declare(kCounter, "caracal_backpressure_seconds_total",
               "Time no records were taken because the pipeline was full.")
           .Add({}, engine.backpressure_micros, CellUnit::kMicros));
  Keep(Declare(kGauge, "caracal_queue_depth", "Batches waiting for the workers.", {"stage"})
           .Add({"execute"}, engine.queued_batches));
  Keep(Declare(kGauge, "caracal_partitions_paused", "Partitions that are not read.", {"reason"})
           .Add({"reject_storm"}, engine.paused_partitions));
}

void MetricsCatalog::AddSnapshots() {
  const SnapshotProbe* const saved = engine_.snapshot_probe();
  const RestoreProbe* const restored = engine_.restore_probe();
  if (saved == nullptr || restored == nullptr) return;
  Keep(Declare(kCounter, "caracal_snapshot_buckets_saved_total", "Copies of buckets made durable.")
           .Add({}, saved->buckets_saved));
  Keep(Declare(kCounter, "caracal_snapshot_changes_saved_total",
               "Of these, copies of what has changed since the last whole one.")
           .Add({}, saved->changes_saved));
  Keep(Declare(kCounter, "caracal_snapshot_bytes_saved_total",
               "Bytes of the copies made durable, before compression.")
           .Add({}, saved->bytes_saved));
  Keep(Declare(kCounter, "caracal_snapshot_failures_total",
               "Times copies could not be written and were tried again.")
           .Add({}, saved->failures));
  Keep(Declare(kGauge, "caracal_snapshot_pending_bytes", "Copies on their way to the state topic.")
           .Add({}, saved->pending_bytes));
  Keep(Declare(kCounter, "caracal_snapshot_buckets_restored_total", "Buckets read back.")
           .Add({}, restored->buckets_restored));
  Keep(Declare(kCounter, "caracal_snapshot_changes_restored_total",
               "Of these, from a whole copy and what had changed since.")
           .Add({}, restored->changes_restored));
  Keep(Declare(kCounter, "caracal_snapshot_buckets_refused_total",
               "Copies of buckets that could not be used: their records are replayed.")
           .Add({}, restored->buckets_refused));
  Keep(Declare(kCounter, "caracal_snapshot_buckets_discarded_total",
               "Copies of buckets deleted because the group was set back behind them.")
           .Add({}, restored->buckets_discarded));
  Keep(Declare(kCounter, "caracal_snapshot_bytes_read_total", "Bytes read from the state topics.")
           .Add({}, restored->bytes_read));
  Keep(Declare(kCounter, "caracal_snapshot_partitions_put_off_total",
               "Partitions whose state was read again, alone, because there was no memory to read "
               "all at once.")
           .Add({}, restored->put_off));
  const PassedOverProbe& passed_over = restored->passed_over;
  auto& reasons =
      Declare(kCounter, "caracal_snapshot_passed_over_total",
              "What the state topics hold that no state could be made of: chunks of copies, but "
              "buckets where a newer copy was missed. Where nothing else stands in, records are "
              "replayed.",
              {"reason"});
  Keep(reasons.Add({"damaged"}, passed_over.damaged));
  Keep(reasons.Add({"older_format"}, passed_over.older_format));
  Keep(reasons.Add({"newer_format"}, passed_over.newer_format));
  Keep(reasons.Add({"other_scheme"}, passed_over.other_scheme));
  Keep(reasons.Add({"no_room"}, passed_over.no_room));
  Keep(reasons.Add({"missed"}, passed_over.missed));
}

void MetricsCatalog::AddSource() {
  const SourceProbe& source = engine_.source_probe();
  auto& rebalances = Declare(kCounter, "caracal_kafka_rebalances_total",
                             "Partitions that changed hands in rebalances.", {"type"});
  Keep(rebalances.Add({"assigned"}, source.assigned));
  Keep(rebalances.Add({"revoked"}, source.revoked));
  Keep(rebalances.Add({"lost"}, source.lost));
  Keep(Declare(kHistogram, "caracal_kafka_rebalance_callback_seconds",
               "What a change of the assignment takes of the ingest thread at once.")
           .Add({}, source.rebalance_callback));
  Keep(Declare(kGauge, "caracal_kafka_assigned_partitions", "Partitions this member owns.")
           .Add({}, source.assigned_partitions));
  Keep(Declare(kGauge, "caracal_kafka_open_partitions",
               "Owned partitions whose start is known and whose records are read.")
           .Add({}, source.open_partitions));
  Keep(Declare(kCounter, "caracal_records_discarded_total",
               "Records of partitions not owned, or below the next expected offset.")
           .Add({}, source.discarded_records));
  Keep(Declare(
           kCounter, "caracal_state_gaps_total",
           "Partitions opened although retention had removed records their state was built from.")
           .Add({}, source.state_gaps));
  Keep(Declare(kCounter, "caracal_rule_activations_total",
               "Partitions taken over with other rules than those recorded last.")
           .Add({}, source.restorer.activations));
  Keep(Declare(kCounter, "caracal_rule_conflicts_total",
               "Partitions that came back from a member with other rules: members of the group "
               "have different rule files.")
           .Add({}, source.restorer.rule_conflicts));
  Keep(Declare(kCounter, "caracal_kafka_client_errors_total",
               "Errors the Kafka consumer reported and went on from.")
           .Add({}, source.client_errors));
}

void MetricsCatalog::AddPartitions() {
  const auto each = [this](auto value) {
    return [this, value](SampleWriter& writer) {
      for (const PartitionStatus& partition : engine_.ingest().Partitions()) {
        const double sample = value(partition);
        if (sample >= 0) {
          writer.Write({partition.topic, fmt::to_string(partition.partition)}, sample);
        }
      }
    };
  };
  const std::vector<std::string> labels = {"topic", "partition"};
  Keep(Declare(kGauge, "caracal_kafka_lag_records", "Records between the position and the log end.",
               labels)
           .AddSource(each([this](const PartitionStatus& partition) {
             const int64_t high =
                 engine_.source().HighWatermark(partition.topic, partition.partition);
             return high < 0
                        ? -1.0
                        : static_cast<double>(std::max<int64_t>(0, high - partition.next_offset));
           })));
  Keep(Declare(kGauge, "caracal_kafka_committed_offset", "The offset committed last.", labels)
           .AddSource(each([](const PartitionStatus& partition) {
             return static_cast<double>(partition.committed_offset);
           })));
  Keep(Declare(kGauge, "caracal_replay_remaining_records",
               "Records still to be replayed before the partition is live.", labels)
           .AddSource(each([](const PartitionStatus& partition) {
             return static_cast<double>(
                 std::max<int64_t>(0, partition.replay_until - partition.next_offset));
           })));
  Keep(Declare(kGauge, "caracal_replay_eta_seconds",
               "Time the replay of the partition will take yet, at the speed measured.", labels)
           .AddSource(each([](const PartitionStatus& partition) {
             return static_cast<double>(partition.replay_eta_seconds);
           })));
  Keep(Declare(kGauge, "caracal_replay_debt_records",
               "Records a new owner would have to replay before it is live.", labels)
           .AddSource(each([](const PartitionStatus& partition) {
             return static_cast<double>(partition.replay_debt);
           })));
}

void MetricsCatalog::AddRecovery() {
  Keep(Declare(kGauge, "caracal_replay_records_per_second",
               "Speed of replay, measured while replaying or catching up; 0 = not measured yet.")
           .Add({}, engine_.probe().replay_rate));
  Keep(Declare(kGauge, "caracal_replay_budget_records",
               "Records that may have to be replayed when this member's partitions move: what "
               "replay manages within state.max_recovery.")
           .Add({}, engine_.probe().replay_budget));
  const RestoreProbe* const restored = engine_.restore_probe();
  const auto restore_rate = [restored] {
    return restored == nullptr ? int64_t{0} : restored->bytes_per_second.value();
  };
  Keep(Declare(kGauge, "caracal_restore_bytes_per_second",
               "Speed at which state was read back, of the last time that it was 32 MiB or more; 0 "
               "= not measured yet.")
           .Add({}, [restore_rate] { return static_cast<double>(restore_rate()); }));
  Keep(
      Declare(kGauge, "caracal_recovery_seconds",
              "Time until the partitions of this member were live again if all of them moved to "
              "one other member: reading state back and replay, at the speeds measured here, or at "
              "250 MB/s and 300,000 records/s while these are not known.")
          .Add({}, [this, restore_rate] {
            const IngestOptions& options = engine_.options().ingest;
            return RecoverySeconds(Work(), {restore_rate(), engine_.probe().replay_rate.value()},
                                   {kAssumedRestoreRate, options.assumed_replay_rate});
          }));
  Keep(Declare(kGauge, "caracal_recovery_limit_seconds", "state.max_recovery.").Add({}, [this] {
    return absl::ToDoubleSeconds(engine_.options().ingest.max_recovery);
  }));
}

RecoveryWork MetricsCatalog::Work() const {
  RecoveryWork work;
  for (const PartitionStatus& partition : engine_.ingest().Partitions()) {
    work.replay_records += partition.replay_debt;
    // Without copies there is nothing to read back.
    if (engine_.restore_probe() != nullptr) work.state_bytes += partition.state_bytes;
  }
  return work;
}

void MetricsCatalog::AddMemory() {
  Keep(Declare(kGauge, "caracal_state_budget_bytes",
               "What the state of the assigned partitions may take: each up to "
               "state.max_bytes_per_partition.")
           .Add({}, [this] { return static_cast<double>(engine_.state_budget()); }));
  Keep(Declare(kGauge, "caracal_memory_limit_bytes",
               "What the process may take: engine.memory_limit, else that of its cgroup, else most "
               "of the machine's memory.")
           .Add({}, [this] { return static_cast<double>(engine_.options().memory_limit); }));
}

}  // namespace caracal::pipeline
