#include "pipeline/tools/offset_table.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "pipeline/config/json.h"
#include "pipeline/snapshot/bucket_assembler.h"
#include "pipeline/snapshot/state_topic_scan.h"

namespace caracal::pipeline {
namespace {

SnapshotRange RangeOf(const AssembledState& state) {
  SnapshotRange range;
  for (const auto& [bucket, catalog] : state.catalogs) {
    const auto& snapshots = catalog.snapshots();
    const auto newest =
        std::find_if(snapshots.rbegin(), snapshots.rend(), [&catalog = catalog](const auto& entry) {
          return catalog.FindComplete(entry.first) != nullptr;
        });
    if (newest == snapshots.rend()) continue;
    const int64_t offset = newest->first.offset;
    range.oldest = range.buckets == 0 ? offset : std::min(range.oldest, offset);
    range.newest = std::max(range.newest, offset);
    ++range.buckets;
  }
  return range;
}

std::string Offset(int64_t offset) { return offset < 0 ? "-" : fmt::to_string(offset); }

int64_t LagOf(const GroupPosition& position) {
  return position.committed < 0 ? -1 : std::max<int64_t>(0, position.log_end - position.committed);
}

/// The metadata in words; what is not ours, as it is.
std::string MetadataText(const GroupPosition& position) {
  const absl::StatusOr<OffsetMetadata> metadata = ParseOffsetMetadata(position.metadata);
  if (!metadata.ok()) {
    return position.metadata.empty() ? "no metadata" : fmt::format("'{}'", position.metadata);
  }
  std::string text = fmt::format("alerts from {}; rules", metadata->alert_from);
  for (const Activation& activation : ActivationsOf(*metadata)) {
    text += fmt::format(" {} from {}", activation.rules.empty() ? "unknown" : activation.rules,
                        activation.offset);
  }
  if (metadata->last.offset >= 0) {
    text += fmt::format("; last record {} ({:016x})", metadata->last.offset, metadata->last.hash);
  }
  return text;
}

Json MetadataJson(const OffsetMetadata& metadata) {
  Json activations = Json::MakeArray();
  for (const Activation& activation : ActivationsOf(metadata)) {
    activations.Append(std::move(
        Json::MakeObject().Set("offset", activation.offset).Set("rules", activation.rules)));
  }
  Json json = Json::MakeObject();
  json.Set("alert_from", metadata.alert_from).Set("activations", std::move(activations));
  if (metadata.last.offset >= 0) {
    json.Set("last_record",
             std::move(Json::MakeObject()
                           .Set("offset", metadata.last.offset)
                           .Set("timestamp_ms", metadata.last.timestamp_ms)
                           .Set("hash", fmt::format("{:016x}", metadata.last.hash))));
  }
  return json;
}

Json RowJson(const OffsetRow& row) {
  Json json = Json::MakeObject();
  json.Set("topic", row.topic).Set("partition", static_cast<int64_t>(row.partition));
  json.Set("committed_offset", row.position.committed);
  json.Set("log_start", row.position.log_start).Set("high_watermark", row.position.log_end);
  json.Set("lag_records", LagOf(row.position));
  json.Set("snapshot_buckets", static_cast<int64_t>(row.snapshots.buckets));
  json.Set("snapshot_oldest", row.snapshots.oldest).Set("snapshot_newest", row.snapshots.newest);
  const absl::StatusOr<OffsetMetadata> metadata = ParseOffsetMetadata(row.position.metadata);
  json.Set("metadata", metadata.ok() ? MetadataJson(*metadata) : Json(row.position.metadata));
  return json;
}

}  // namespace

absl::StatusOr<std::map<int32_t, SnapshotRange>> ReadSnapshotRanges(
    const KafkaConnection& connection, const std::string& group, const std::string& state_topic,
    const std::string& source) {
  std::map<int32_t, std::unique_ptr<BucketAssembler>> assemblers;
  RETURN_IF_ERROR(
      ScanStateTopic(connection, group, state_topic, [&](const StateTopicRecord& record) {
        std::unique_ptr<BucketAssembler>& assembler = assemblers[record.partition];
        if (assembler == nullptr) {
          // Which copies there are, not what is in them.
          AssemblerOptions options;
          options.topic = source;
          options.partition = record.partition;
          options.committed = -1;
          options.held_bytes_max = 0;
          assembler = std::make_unique<BucketAssembler>(std::move(options));
        }
        assembler->Add(record.key, record.value);
      }));
  std::map<int32_t, SnapshotRange> ranges;
  for (auto& [partition, assembler] : assemblers) {
    ranges[partition] = RangeOf(assembler->Finish());
  }
  return ranges;
}

std::string OffsetTableText(const std::vector<OffsetRow>& rows) {
  std::string text = fmt::format("{:>9}  {:>12}  {:>12}  {:>12}  {:>10}  {}\n", "partition",
                                 "committed", "log start", "log end", "lag", "saved buckets");
  std::string topic;
  for (const OffsetRow& row : rows) {
    if (row.topic != topic) text += fmt::format("{}\n", row.topic);
    topic = row.topic;
    const SnapshotRange& saved = row.snapshots;
    text += fmt::format(
        "{:>9}  {:>12}  {:>12}  {:>12}  {:>10}  {}\n{:>11}{}\n", row.partition,
        Offset(row.position.committed), row.position.log_start, row.position.log_end,
        Offset(LagOf(row.position)),
        saved.buckets == 0
            ? "none"
            : fmt::format("{} at {} to {}", saved.buckets, saved.oldest, saved.newest),
        "", row.position.committed < 0 ? "never committed" : MetadataText(row.position));
  }
  return text;
}

std::string OffsetTableJson(const std::vector<OffsetRow>& rows) {
  Json all = Json::MakeArray();
  for (const OffsetRow& row : rows) all.Append(RowJson(row));
  return all.DumpIndented() + "\n";
}

}  // namespace caracal::pipeline
