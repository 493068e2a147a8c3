#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <caracal/agent_abi.h>

#include "absl/status/statusor.h"
#include "agents/api/parameters.h"
#include "agents/api/transaction.h"
#include "agents/plugin/plugin_counters.h"

namespace caracal::agents {

/// Takes the log lines of a plugin; `level` is a caracal_log_level, or what the plugin took for
/// one. Called on any thread.
using PluginLog =
    std::function<void(std::string_view agent, uint32_t level, std::string_view text)>;

/// Reads the bytes of a file that a rule names; they have its digest. Else a sentence that names
/// the path and says what to do. Called on any thread.
using PluginFileReading = std::function<absl::StatusOr<std::string>(const ParameterFile& file)>;

/// The services one plugin may call: the table it is given, and what stands behind it. Must outlive
/// the plugin's agents. Any thread.
class PluginHost {
 public:
  explicit PluginHost(PluginLog log);
  PluginHost(const PluginHost&) = delete;
  PluginHost& operator=(const PluginHost&) = delete;

  const caracal_host* table() const { return &table_; }
  /// What the plugin counts; may outlive this.
  std::shared_ptr<const PluginCounters> counters() const { return table_.counters; }
  /// What log lines say of their origin: the path until the agent's name is known.
  void set_agent(std::string agent) { table_.agent = std::move(agent); }

 private:
  struct Table : caracal_host {
    std::string agent;
    PluginLog log_lines;
    std::shared_ptr<PluginCounters> counters = std::make_shared<PluginCounters>();
  };

  static void Log(const caracal_host* host, uint32_t level, caracal_text text);
  static int32_t FindCounter(const caracal_host* host, const char* name);
  static void Count(const caracal_host* host, int32_t counter, uint64_t amount);

  Table table_;
};

/// A rule in the form `create` takes: the table, the texts it points to, and the files the plugin
/// asked for. Lives during one call; refers to what it is made from. One thread.
class PluginRuleArguments {
 public:
  /// `read_file` null = there are no files here.
  PluginRuleArguments(const Parameters& parameters, const StreamContext& stream,
                      std::string_view parameters_json, const PluginFileReading& read_file);
  PluginRuleArguments(const PluginRuleArguments&) = delete;
  PluginRuleArguments& operator=(const PluginRuleArguments&) = delete;

  const caracal_rule* table() const { return &table_; }
  /// The features the plugin asked for, as indices into the stream's.
  const std::vector<uint16_t>& features() const { return features_; }
  /// The first name it asked for that no earlier rule observes; empty = none.
  const std::string& unknown_feature() const { return unknown_feature_; }
  /// Why a file it asked for could not be had, the first one; OK = it was.
  const absl::Status& file_status() const { return file_status_; }

 private:
  friend class PluginHost;

  struct Table : caracal_rule {
    PluginRuleArguments* self = nullptr;
  };

  static int32_t FindParameter(const caracal_rule* rule, const char* path,
                               caracal_parameter* value);
  static int32_t FindAttribute(const caracal_rule* rule, const char* name);
  static int32_t FindFeature(const caracal_rule* rule, const char* name, uint32_t* kind);
  static int32_t FindFile(const caracal_rule* rule, const char* parameter, uint64_t index,
                          caracal_text* content, caracal_text* sha256);
  /// Null when there is no such parameter.
  const ParameterValue* Find(std::string_view path) const;
  /// False for an object: its fields are parameters, it is none.
  bool Fill(const ParameterValue& from, caracal_parameter& to);
  void FillTexts(uint32_t type, std::vector<caracal_text> texts, caracal_parameter& to);
  /// False, and file_status_ says why, when it cannot be read.
  bool ReadFile(std::string_view parameter, const ParameterFile& file, caracal_text& content);
  /// Null when the parameter names no such file.
  const ParameterFile* FileOf(std::string_view parameter, uint64_t index) const;

  const Parameters& parameters_;
  const StreamContext& stream_;
  const PluginFileReading& read_file_;
  std::deque<std::vector<caracal_text>> texts_;
  std::map<const ParameterFile*, std::string> contents_;
  absl::Status file_status_;
  std::vector<uint16_t> features_;
  std::string unknown_feature_;
  Table table_;
};

}  // namespace caracal::agents
