#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <caracal/agent.hpp>

#include "agents/plugin/plugin_factory.h"
#include "agents/plugin/plugin_table.h"

namespace caracal::agents {

/// Adds the amounts of a key up. Has an error with the amount kBadAmount, after it has spoilt the
/// state.
class SummingPlugin {
 public:
  static constexpr int64_t kBadAmount = 13;

  struct State {
    int64_t sum;
  };
  static constexpr const char* kName = "summing";
  static constexpr const char* kVersion = "1.0.0";
  static constexpr const char* kLicence = "Apache-2.0";
  static constexpr const char* kDescription = "Adds amounts up.";
  static constexpr const char* kSchema = R"({"type": "object"})";
  static constexpr caracal::Reason kReasons[] = {{"too_much", "more than 100 together"}};
  static constexpr caracal::Observed kObserved[] = {{"sum", CARACAL_MONEY, 0}};

  explicit SummingPlugin(const caracal::Rule&) {}

  void Judge(const caracal::Event& event, State& state, caracal::Verdict& verdict) const {
    state.sum += event.amount();
    if (event.amount() == kBadAmount) {
      state.sum = -1;
      throw std::runtime_error("bad amount");
    }
    verdict.Observe(0, state.sum);
    if (state.sum > 100) verdict.Raise(0);
  }
};

/// Observes the value of an earlier rule that its parameter names, -1 where there is none, and
/// always fires.
class EchoPlugin {
 public:
  static constexpr const char* kName = "echo";
  static constexpr const char* kVersion = "1.0.0";
  static constexpr const char* kLicence = "Apache-2.0";
  static constexpr const char* kDescription = "Observes what an earlier rule observed.";
  static constexpr const char* kSchema =
      R"({"type": "object", "required": ["of"], "properties": {"of": {"type": "string"}}})";
  static constexpr caracal::Reason kReasons[] = {{"seen", "always"}};
  static constexpr caracal::Observed kObserved[] = {{"value", CARACAL_MONEY, 2}};

  explicit EchoPlugin(const caracal::Rule& rule) : value_(rule.Feature(rule.Text("of"))) {}

  void Judge(const caracal::Event& event, caracal::Verdict& verdict) const noexcept {
    verdict.Observe(2, event.feature(value_).value_or(-1));
    verdict.Raise(0);
  }

 private:
  uint32_t value_;
};

/// Adds up the values of an earlier rule that its parameter names, and always fires.
class TotalPlugin {
 public:
  struct State {
    int64_t total;
  };
  static constexpr const char* kName = "total";
  static constexpr const char* kVersion = "1.0.0";
  static constexpr const char* kLicence = "Apache-2.0";
  static constexpr const char* kDescription = "Adds up what an earlier rule observed.";
  static constexpr const char* kSchema = EchoPlugin::kSchema;
  static constexpr caracal::Reason kReasons[] = {{"seen", "always"}};
  static constexpr caracal::Observed kObserved[] = {{"total", CARACAL_MONEY, 2}};

  explicit TotalPlugin(const caracal::Rule& rule) : value_(rule.Feature(rule.Text("of"))) {}

  void Judge(const caracal::Event& event, State& state, caracal::Verdict& verdict) const noexcept {
    state.total += event.feature(value_).value_or(0);
    verdict.Observe(2, state.total);
    verdict.Raise(0);
  }

 private:
  uint32_t value_;
};

/// The agent class `T` as the engine sees a plugin.
template <typename T>
std::unique_ptr<PluginFactory> MakePlugin(PluginErrorPolicy on_error, PluginLog log = nullptr,
                                          CallWatchMaker watch = nullptr) {
  PluginFactoryOptions options;
  options.api = caracal::Plugin<T>::Api();
  options.info = ReadPluginTable(options.api).value();
  options.host = std::make_unique<PluginHost>(std::move(log));
  options.host->set_agent(options.info.name);
  options.on_error = on_error;
  options.watch = std::move(watch);
  return PluginFactory::Make(std::move(options)).value();
}

}  // namespace caracal::agents
