#include "pipeline/tools/offsets_command.h"

#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/api/status_macros.h"
#include "pipeline/engine/options_from_config.h"
#include "pipeline/tools/config_arguments.h"
#include "pipeline/tools/group_admin.h"
#include "pipeline/tools/offset_table.h"

namespace caracal::pipeline {
namespace {

struct OffsetsArguments {
  ConfigArguments config;
  std::string format = "text";
  std::string topic;
  std::optional<int32_t> partition;
  std::string to;
  bool reset_state = false;
  bool dry_run = false;
};

/// What --to names.
struct Target {
  enum class Kind : uint8_t { kBeginning, kEnd, kCommitted, kOffset, kTime };
  Kind kind = Kind::kOffset;
  int64_t number = 0;  ///< the offset, or milliseconds since 1970
};

absl::StatusOr<Target> ParseTarget(const std::string& text) {
  if (text == "beginning") return Target{Target::Kind::kBeginning};
  if (text == "end") return Target{Target::Kind::kEnd};
  if (text == "committed") return Target{Target::Kind::kCommitted};
  Target target;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), target.number);
  if (error == std::errc() && end == text.data() + text.size() && target.number >= 0) return target;
  absl::Time time;
  std::string problem;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, &problem)) {
    return Target{Target::Kind::kTime, absl::ToUnixMillis(time)};
  }
  return absl::InvalidArgumentError(
      fmt::format("--to '{}' is none of: an offset, a time like 2026-03-04T11:00:00Z, beginning, "
                  "end, committed",
                  text));
}

int Fail(const absl::Status& status) {
  fmt::print(stderr, "caracal offsets: {}\n", agents::MessageOf(status));
  if (absl::IsUnavailable(status)) return kExitUnavailable;
  if (absl::IsInvalidArgument(status)) return kExitUsage;
  return absl::IsFailedPrecondition(status) ? kExitFindings : kExitConfig;
}

bool Wanted(const OffsetsArguments& arguments, const std::string& topic) {
  return arguments.topic.empty() || arguments.topic == topic;
}

/// What group and state topics say of the partitions asked for.
absl::StatusOr<std::vector<OffsetRow>> ReadRows(const OffsetsArguments& arguments,
                                                const LoadedConfig& loaded, GroupAdmin& admin) {
  const KafkaConnection connection = ConnectionFromConfig(loaded);
  std::vector<OffsetRow> rows;
  for (const auto& stream : loaded.config.streams()) {
    if (!Wanted(arguments, stream.topic())) continue;
    ASSIGN_OR_RETURN(const std::vector<GroupPosition> positions, admin.Positions(stream.topic()));
    ASSIGN_OR_RETURN(const auto ranges,
                     ReadSnapshotRanges(connection, loaded.config.kafka().group_id(),
                                        stream.state_topic(), stream.topic()));
    for (size_t p = 0; p < positions.size(); ++p) {
      const auto partition = static_cast<int32_t>(p);
      if (arguments.partition.value_or(partition) != partition) continue;
      const auto range = ranges.find(partition);
      rows.push_back({stream.topic(), partition, positions[p],
                      range == ranges.end() ? SnapshotRange() : range->second});
    }
  }
  if (rows.empty()) {
    return absl::InvalidArgumentError("the configuration has no such topic and partition");
  }
  return rows;
}

/// The offset `target` means in a partition.
absl::StatusOr<int64_t> Resolve(const Target& target, const OffsetRow& row, GroupAdmin& admin) {
  const GroupPosition& position = row.position;
  int64_t offset = target.number;
  switch (target.kind) {
    case Target::Kind::kBeginning:
      return position.log_start;
    case Target::Kind::kEnd:
      return position.log_end;
    case Target::Kind::kTime: {
      ASSIGN_OR_RETURN(offset, admin.OffsetForTime(row.topic, row.partition, target.number));
      return offset < 0 ? position.log_end : offset;
    }
    case Target::Kind::kCommitted:
      offset = position.committed;
      break;
    case Target::Kind::kOffset:
      break;
  }
  if (offset < position.log_start || offset > position.log_end) {
    return absl::FailedPreconditionError(fmt::format(
        "{} [{}]: offset {} is not in the log, which goes from {} to {}. Nothing was set",
        row.topic, row.partition, offset, position.log_start, position.log_end));
  }
  return offset;
}

/// One line per partition: what changes and what follows from it.
std::string Describe(const OffsetRow& row, const OffsetChange& change) {
  std::string text = fmt::format(
      "{} [{}]: {} to {}", row.topic, row.partition,
      row.position.committed < 0 ? "from nowhere" : fmt::format("from {}", row.position.committed),
      change.offset);
  const int64_t step = change.offset - row.position.committed;
  if (row.position.committed >= 0 && step > 0) {
    text += fmt::format("; up to {} records will not be judged", step);
  }
  if (row.position.committed >= 0 && step < 0) {
    text += fmt::format("; up to {} records will be judged again", -step);
  }
  text += change.resets_state ? "; state begins there with nothing"
                              : fmt::format("; state goes on from what was made from {} on",
                                            change.metadata.activation);
  if (change.metadata.alert_from > change.offset) {
    text += fmt::format("; records below {} raise nothing", change.metadata.alert_from);
  }
  if (row.snapshots.newest > change.offset) text += "; saved buckets beyond it will be deleted";
  return text;
}

absl::StatusOr<std::unique_ptr<GroupAdmin>> Connect(const LoadedConfig& loaded) {
  return GroupAdmin::Create(ConnectionFromConfig(loaded), loaded.config.kafka().group_id());
}

absl::StatusOr<std::string> Show(const OffsetsArguments& arguments, const LoadedConfig& loaded) {
  ASSIGN_OR_RETURN(const std::unique_ptr<GroupAdmin> admin, Connect(loaded));
  ASSIGN_OR_RETURN(const std::vector<OffsetRow> rows, ReadRows(arguments, loaded, *admin));
  return arguments.format == "json" ? OffsetTableJson(rows) : OffsetTableText(rows);
}

absl::StatusOr<std::string> Set(const OffsetsArguments& arguments, const LoadedConfig& loaded) {
  ASSIGN_OR_RETURN(const Target target, ParseTarget(arguments.to));
  ASSIGN_OR_RETURN(const std::unique_ptr<GroupAdmin> admin, Connect(loaded));
  ASSIGN_OR_RETURN(const size_t members, admin->MemberCount());
  if (members > 0 && !arguments.dry_run) {
    return absl::FailedPreconditionError(fmt::format(
        "group '{}' has {} members: stop them first, they would commit over it. Nothing "
        "was set",
        loaded.config.kafka().group_id(), members));
  }
  ASSIGN_OR_RETURN(const std::vector<OffsetRow> rows, ReadRows(arguments, loaded, *admin));
  std::vector<OffsetCommit> commits;
  std::string text;
  for (const OffsetRow& row : rows) {
    ASSIGN_OR_RETURN(const int64_t offset, Resolve(target, row, *admin));
    const OffsetChange change = ChangeOffset(row.position, offset, arguments.reset_state);
    text += Describe(row, change) + "\n";
    commits.push_back(
        {row.topic, row.partition, change.offset, FormatOffsetMetadata(change.metadata)});
  }
  if (arguments.dry_run) {
    return text + (members > 0 ? "nothing was set: a dry run; the group has members now\n"
                               : "nothing was set: a dry run\n");
  }
  RETURN_IF_ERROR(admin->Commit(commits));
  return text + "set\n";
}

using Action = absl::StatusOr<std::string> (*)(const OffsetsArguments&, const LoadedConfig&);

int RunOffsets(const OffsetsArguments& arguments, const agents::AgentRegistry& registry,
               Action action) {
  const LoadResult result = LoadFromDisk(arguments.config, registry);
  if (!PrintFindings(result)) return kExitConfig;
  const absl::StatusOr<std::string> text = action(arguments, *result.config);
  if (!text.ok()) return Fail(text.status());
  fmt::print("{}", *text);
  return kExitOk;
}

void AddPlace(CLI::App& command, OffsetsArguments& arguments) {
  AddConfigOptions(command, arguments.config);
  command.add_option("--topic", arguments.topic, "Source topic; all unless given")
      ->type_name("TOPIC");
  command.add_option("--partition", arguments.partition, "Partition; all unless given");
}

void AddShow(CLI::App& offsets, const agents::AgentRegistry& registry, CommandResult& result) {
  auto arguments = std::make_shared<OffsetsArguments>();
  CLI::App* command = offsets.add_subcommand(
      "show", "Where the group stands, what its offsets record, and which state is saved");
  AddPlace(*command, *arguments);
  command->add_option("--format", arguments->format, "Form of the listing")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->footer(
      "Reads the state topics to their ends, which may take a while.\n\n"
      "Examples:\n"
      "  caracal offsets show -c caracal.yaml\n"
      "  caracal offsets show -c caracal.yaml --topic payments --format json");
  command->callback([arguments, &registry, &result] {
    result.exit_code = RunOffsets(*arguments, registry, Show);
  });
}

void AddSet(CLI::App& offsets, const agents::AgentRegistry& registry, CommandResult& result) {
  auto arguments = std::make_shared<OffsetsArguments>();
  CLI::App* command =
      offsets.add_subcommand("set", "Set the group's offsets; refused while it has members");
  AddPlace(*command, *arguments);
  command
      ->add_option("--to", arguments->to,
                   "An offset, a time (RFC 3339), beginning, end, or committed")
      ->type_name("WHERE")
      ->required();
  command->add_flag("--reset-state", arguments->reset_state,
                    "Begin with empty state at the offset, instead of what the records below it "
                    "make");
  command->add_flag("--dry-run", arguments->dry_run, "Say what would follow; set nothing");
  command->footer(
      "Records between an earlier offset and the old one are judged again, and their alerts are\n"
      "raised again with the same alert_id if the rules are the same.\n\n"
      "Examples:\n"
      "  caracal offsets set -c caracal.yaml --to beginning --dry-run\n"
      "  caracal offsets set -c caracal.yaml --to 2026-03-04T11:00:00Z\n"
      "  caracal offsets set -c caracal.yaml --to committed --reset-state --partition 3");
  command->callback([arguments, &registry, &result] {
    result.exit_code = RunOffsets(*arguments, registry, Set);
  });
}

}  // namespace

void AddOffsetsCommand(CLI::App& app, const agents::AgentRegistry& registry,
                       CommandResult& result) {
  CLI::App* offsets = app.add_subcommand("offsets", "Look at the group's offsets, or set them");
  offsets->require_subcommand(1);
  offsets->footer("Examples:\n  caracal offsets show -c caracal.yaml");
  AddShow(*offsets, registry, result);
  AddSet(*offsets, registry, result);
}

}  // namespace caracal::pipeline
