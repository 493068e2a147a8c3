#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agents/api/agent_registry.h"
#include "agents/api/ruleset.h"
#include "agents/api/transaction.h"
#include "caracal/config/v1/config.pb.h"
#include "pipeline/base/plugin_probe.h"

namespace caracal::pipeline {

/// What follows from one entry of `streams`, ready for the stages. Immutable once loaded.
struct LoadedStream {
  /// What rules are bound to. The attribute slots are: account (only when the stream is keyed by
  /// something else), currency, country, merchant, card_type, device, then the stream's own
  /// attributes by name; each only when mapped. A place table with a country column maps the
  /// country too.
  agents::StreamContext context;
  /// The column of each attribute slot; empty for a country that only the place table knows.
  std::vector<std::string> attribute_columns;
  /// The column the topic is partitioned by.
  std::string key_column;
  /// What rules call it: "account", another attribute's name, or the column's name when no field
  /// maps it.
  std::string key_name;
  /// The text of the place table's file; null when the stream has none. Held here, so that what is
  /// used is what was digested.
  std::shared_ptr<const std::string> places_csv;
  /// SHA-256 of places_csv, 64 hex digits.
  std::string places_sha256;
};

/// A ruleset bound to one stream: its version covers the stream's settings too, so that a ruleset
/// applied to two streams has two versions, and a change of one stream leaves the other's alone.
struct LoadedRuleset {
  agents::RulesetSpec spec;
  /// Index into LoadedConfig::streams and config.streams().
  size_t stream = 0;
  /// The text whose hash is spec.version (see canonical.h).
  std::string canonical_json;
};

/// A configuration without errors. Immutable; any thread.
struct LoadedConfig {
  /// Every setting holds its value or its default; unset are those with neither, and those that say
  /// `auto`. streams[].key and streams[].state_topic are always set.
  caracal::config::v1::Config config;
  /// In the order of config.streams().
  std::vector<LoadedStream> streams;
  /// By rule file and place in it, and per ruleset in the order of its streams. Rulesets and rules
  /// that are off are included.
  std::vector<LoadedRuleset> rulesets;
  /// The agents its rules may name: those the loader was given, which must outlive this, and its
  /// plugins'.
  std::shared_ptr<const agents::AgentRegistry> agents;
  /// What its plugins do while they run, in their order.
  std::vector<std::shared_ptr<const PluginProbe>> plugins;
  /// Settings whose value came from a reference, and the reference as written: what a redacted
  /// listing shows in place of the value.
  std::map<std::string, std::string> references;
  /// Path and SHA-256 of every configuration and rule file read.
  std::map<std::string, std::string> file_sha256;
};

/// The seed of the key hash for state.hash_seed; 0 when the text is empty.
uint64_t HashSeed(const std::string& text);
/// The first 32 bits of the SHA-256 of the seed's text, 8 hex digits: tells seeds apart without
/// giving them away.
std::string HashSeedFingerprint(const std::string& text);

}  // namespace caracal::pipeline
