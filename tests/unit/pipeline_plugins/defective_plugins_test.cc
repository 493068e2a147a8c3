#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agents/api/status_macros.h"
#include "agents/builtin/builtin_agents.h"
#include "pipeline/config/plugin_binder.h"
#include "tests/support/rule_harness.h"
#include "tests/unit/pipeline_plugins/loaded_plugin.h"

// Every fixture of tests/plugin/defective has one defect, and one sentence that must be said of it.
namespace caracal::pipeline {
namespace {

using ::testing::HasSubstr;

struct Defect {
  std::string plugin;
  std::string code;  ///< empty where it shows later than at loading
  std::string says;
};

const std::vector<Defect> kRefusedAtLoad = {
    {"newer_major", "PLG010", "interface version 2.0, this program has 1.0"},
    {"older_major", "PLG010", "the major versions must be equal"},
    {"newer_minor", "PLG010", "it may be no newer"},
    {"newer_event_schema", "PLG010", "reads events of schema 99"},
    {"no_table", "PLG010", "gave no table"},
    {"no_symbol", "PLG006", "does not export caracal_agent_entry"},
    {"tiny_table", "PLG011", "has 8 bytes, too few for its version"},
    {"short_table", "PLG011", "has 104 bytes, version 1.0 needs 112"},
    {"unknown_flags", "PLG011", "unknown flags 0x80000000"},
    {"no_create", "PLG011", "no function 'create'"},
    {"no_describe", "PLG011", "no function 'describe'"},
    {"no_process", "PLG011", "no function 'process'"},
    {"no_destroy", "PLG011", "no function 'destroy'"},
    {"no_name", "PLG011", "no 'name'"},
    {"bad_name", "PLG011", "name 'Bad Name' must be lower-case"},
    {"bad_version", "PLG011", "version '1.0' must be three numbers"},
    {"no_licence", "PLG011", "'licence' must have 1 to"},
    {"no_description", "PLG011", "no 'description'"},
    {"control_character", "PLG011", "'description' contains a control character"},
    {"no_schema", "PLG011", "no 'parameters_schema'"},
    {"schema_too_long", "PLG011", "'parameters_schema' is longer than 65536 bytes"},
    {"schema_not_json", "PLG012", "is no JSON: line 1, column 2"},
    {"schema_not_an_object", "PLG012", "type: must be \"object\""},
    {"schema_unknown_keyword", "PLG012", "properties.max.multipleOf: this keyword is not known"},
    {"no_reasons", "PLG011", "declares 0 reasons"},
    {"too_many_reasons", "PLG011", "declares 257 reasons"},
    {"reason_twice", "PLG011", "the reason 'one' twice"},
    {"bad_reason", "PLG011", "reason 'Too-Many' must be lower-case"},
    {"unknown_limit", "PLG011", "limit 'max', which is no property"},
};

const std::vector<Defect> kRefusedAtBind = {
    {"create_refuses", "", "max: no value will do"},
    {"create_silent", "", "create returned 1) and does not say why"},
    {"create_gives_nothing", "", "create returned 0 and no agent"},
    {"state_too_large", "", "wants 65537 bytes of state per key; at most 65536"},
    {"state_misaligned", "", "alignment of 3; it must be a power of two"},
    {"too_many_observed", "", "declares 7 observed values; at most 6"},
    {"observed_slot", "", "'count' with kind 0 and slot 6"},
    {"observed_kind", "", "'count' with kind 9 and slot 0"},
    {"observed_twice", "", "observed value 1 has no name"},
};

const std::vector<Defect> kFailAtRun = {
    {"process_fails", "", "process returned 7: lost its model"},
    {"verdict_reason", "", "a verdict has reason 1, but there are 1"},
    {"verdict_fired", "", "a verdict has fired = 2"},
    {"verdict_flags", "", "a verdict has the unknown flags 0x80"},
    {"event_error", "", "it had error 5 with an event"},
    {"broken_promise", "", "it promises to have no errors with events, but it had error 5"},
    {"remembers", "", "it judged the same events and states in two ways"},
};

/// Judges four events of one key in one batch.
struct JudgedBatch {
  explicit JudgedBatch(const agents::BoundRule& rule) : agent(rule.NewAgent()) {
    std::vector<agents::Transaction> events(4);
    std::vector<const agents::Transaction*> pointers;
    for (const agents::Transaction& event : events) pointers.push_back(&event);
    const std::vector<std::byte*> states(4, reinterpret_cast<std::byte*>(&state));
    agent->Process(pointers, states, verdicts);
  }

  int64_t state = 0;
  std::vector<agents::Verdict> verdicts = std::vector<agents::Verdict>(4);
  std::unique_ptr<agents::Agent> agent;
};

TEST(DefectivePluginsTest, AreRefusedWhenLoaded) {
  for (const Defect& defect : kRefusedAtLoad) {
    PluginRefusal refusal;
    EXPECT_EQ(LoadTestPlugin(defect.plugin, refusal), nullptr) << defect.plugin;
    EXPECT_EQ(InfoOf(refusal.code).name, defect.code) << defect.plugin << ": " << refusal.message;
    EXPECT_THAT(refusal.message, HasSubstr(defect.says)) << defect.plugin;
  }
}

TEST(DefectivePluginsTest, AreRefusedWhenBoundToARule) {
  for (const Defect& defect : kRefusedAtBind) {
    PluginRefusal refusal;
    const auto plugin = LoadTestPlugin(defect.plugin, refusal);
    ASSERT_NE(plugin, nullptr) << defect.plugin << ": " << refusal.message;
    EXPECT_THAT(agents::testing::BindError(*plugin, {}, {}), HasSubstr(defect.says))
        << defect.plugin;
  }
}

TEST(DefectivePluginsTest, StopTheEngineWhenTheyRun) {
  for (const Defect& defect : kFailAtRun) {
    PluginRefusal refusal;
    const auto plugin = LoadTestPlugin(defect.plugin, refusal);
    ASSERT_NE(plugin, nullptr) << defect.plugin << ": " << refusal.message;
    const auto rule = plugin->Bind({}, {});
    ASSERT_TRUE(rule.ok()) << defect.plugin << ": " << rule.status();
    // That one needs a later call to show what it remembers: an error must not end the first.
    const bool skip = defect.plugin == "remembers";
    const auto lenient = LoadTestPlugin(defect.plugin, refusal, skip);
    const JudgedBatch run(**(skip ? *lenient : *plugin).Bind({}, {}));
    EXPECT_THAT(agents::MessageOf(run.agent->status()), HasSubstr(defect.says)) << defect.plugin;
    for (const agents::Verdict& verdict : run.verdicts) EXPECT_FALSE(verdict.fired);
  }
}

TEST(DefectivePluginsTest, ErrorsWithEventsMayBePassedOver) {
  for (const std::string name : {"event_error", "verdict_reason"}) {
    PluginRefusal refusal;
    const auto plugin = LoadTestPlugin(name, refusal, /*skip_errors=*/true);
    ASSERT_NE(plugin, nullptr) << refusal.message;
    const auto rule = plugin->Bind({}, {});
    ASSERT_TRUE(rule.ok());
    const JudgedBatch run(**rule);
    EXPECT_TRUE(run.agent->status().ok()) << run.agent->status();
    if (name == "event_error") {
      EXPECT_EQ(run.state, 0) << "the state is as before";
    }
    EXPECT_TRUE((run.verdicts[3].flags & agents::kFailed) != 0) << name;
    EXPECT_FALSE(run.verdicts[3].fired);
  }
}

TEST(DefectivePluginsTest, MayNotTakeTheNameOfAnotherAgent) {
  agents::AgentRegistry builtin;
  ASSERT_TRUE(agents::RegisterBuiltinAgents(builtin).ok());
  agents::AgentRegistry registry(&builtin);
  caracal::config::v1::Config config;
  config.add_plugins()->set_path(CARACAL_TEST_PLUGIN_DIR "/name_taken.so");
  config.add_plugins()->set_path(CARACAL_TEST_PLUGIN_DIR "/busy.so");
  config.add_plugins()->set_path(CARACAL_TEST_PLUGIN_DIR "/busy.so");
  Diagnostics diagnostics;
  const PluginLoader loader(CARACAL_TEST_PLUGIN_DIR);
  LoadPlugins(
      config, PathSpans(),
      [&loader](const PluginRequest& request, PluginRefusal& refusal) {
        return loader.Load(request, refusal);
      },
      registry, diagnostics);
  const std::vector<Diagnostic> findings = diagnostics.Sorted();
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(InfoOf(findings[0].code).name, "PLG013");
  EXPECT_THAT(findings[0].message, HasSubstr("an agent 'velocity' already, built in"));
  EXPECT_THAT(findings[1].message, HasSubstr("an agent 'busy' already, from /"));
  EXPECT_NE(registry.Find("busy"), nullptr);
  EXPECT_EQ(builtin.Find("busy"), nullptr);
}

TEST(DefectivePluginsTest, EveryFixtureIsTried) {
  std::set<std::string> tried = {"name_taken", "busy",        "large",
                                 "velocity",   "first_minor", "pinned"};
  for (const auto* defects : {&kRefusedAtLoad, &kRefusedAtBind, &kFailAtRun}) {
    for (const Defect& defect : *defects) tried.insert(defect.plugin);
  }
  for (const auto& entry : std::filesystem::directory_iterator(CARACAL_TEST_PLUGIN_DIR)) {
    if (entry.path().extension() != ".so") continue;
    EXPECT_EQ(tried.count(entry.path().stem()), 1U) << entry.path();
  }
}

}  // namespace
}  // namespace caracal::pipeline
