#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "agents/api/check.h"
#include "pipeline/config/config_loader.h"
#include "pipeline/config/diagnostics_format.h"
#include "pipeline/config/redaction.h"
#include "pipeline/config/reference_docs.h"
#include "tests/unit/pipeline_config/config_fixture.h"

namespace caracal::pipeline {
namespace {

/// What must hold for any input: loading ends, findings can be printed, and a configuration exists
/// exactly when there are no errors; then its listings can be printed too.
void CheckResult(const LoadResult& result) {
  CHECK(result.config.has_value() == result.diagnostics.ok());
  for (const DiagnosticFormat format :
       {DiagnosticFormat::kText, DiagnosticFormat::kJson, DiagnosticFormat::kGithub}) {
    FormatDiagnostics(result.diagnostics, format);
  }
  if (!result.config.has_value()) {
    CHECK(!FormatDiagnostics(result.diagnostics, DiagnosticFormat::kText).empty());
    return;
  }
  RedactedConfigYaml(*result.config);
  ListRulesets(*result.config, ListFormat::kJson);
  for (const LoadedRuleset& ruleset : result.config->rulesets) {
    CHECK(ruleset.spec.version.size() == 12);
  }
}

}  // namespace
}  // namespace caracal::pipeline

/// An input is an optional first line `--set path=value` (any number of them), then a YAML text
/// that is tried as the configuration with good rules, and as the rules of a good configuration.
namespace caracal::pipeline {

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  ConfigCase config = MinimalCase();
  constexpr std::string_view kSet = "--set ";
  while (text.substr(0, kSet.size()) == kSet) {
    const size_t end = std::min(text.find('\n'), text.size());
    config.sets.emplace_back(text.substr(kSet.size(), end - kSet.size()));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  config.environment = {{"NAME", "value"}};
  config.files["secret"] = "secret-value\n";
  config.files["list.txt"] = "KP\nIR\n";
  config.files["places.csv"] = "merchant,latitude,longitude,country\n1,2,3,FR\n";

  ConfigCase as_config = config;
  as_config.files["caracal.yaml"] = std::string(text);
  CheckResult(Load(as_config));
  config.files["rules.yaml"] = std::string(text);
  CheckResult(Load(config));
  return 0;
}

}  // namespace caracal::pipeline
