#include "pipeline/tools/version_command.h"

#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "pipeline/config/json.h"

namespace caracal::pipeline {
namespace {

#if defined(__clang__)
constexpr const char* kCompiler = "clang " __clang_version__;
#else
constexpr const char* kCompiler = "gcc " __VERSION__;
#endif

void PrintVersion(bool as_json) {
  if (!as_json) {
    fmt::print("caracal {} (revision {}, {})\n", VersionText(), CARACAL_REVISION, kCompiler);
    return;
  }
  Json json = Json::MakeObject();
  json.Set("version", VersionText()).Set("revision", CARACAL_REVISION);
  json.Set("compiler", kCompiler);
  fmt::print("{}\n", json.DumpIndented());
}

}  // namespace

std::string VersionText() { return CARACAL_VERSION; }

void AddVersionCommand(CLI::App& app) {
  auto as_json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("version", "Version, revision and compiler");
  command->add_flag("--json", *as_json, "Print JSON");
  command->footer("Examples:\n  caracal version\n  caracal version --json");
  command->callback([as_json] { PrintVersion(*as_json); });
}

}  // namespace caracal::pipeline
