#include <cstdio>
#include <exception>
#include <memory>
#include <system_error>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "agents/api/agent_registry.h"
#include "agents/api/status_macros.h"
#include "agents/builtin/builtin_agents.h"
#include "pipeline/tools/command.h"
#include "pipeline/tools/command_line.h"
#include "pipeline/tools/completion_command.h"
#include "pipeline/tools/demo_command.h"
#include "pipeline/tools/doctor_command.h"
#include "pipeline/tools/generate_command.h"
#include "pipeline/tools/help_formatter.h"
#include "pipeline/tools/init_command.h"
#include "pipeline/tools/list_command.h"
#include "pipeline/tools/offsets_command.h"
#include "pipeline/tools/resume_command.h"
#include "pipeline/tools/run_command.h"
#include "pipeline/tools/schema_command.h"
#include "pipeline/tools/standard_streams.h"
#include "pipeline/tools/validate_command.h"
#include "pipeline/tools/version_command.h"

namespace caracal::pipeline {
namespace {

int Main(int argc, char** argv) {
  agents::AgentRegistry registry;
  if (const absl::Status status = agents::RegisterBuiltinAgents(registry); !status.ok()) {
    fmt::print(stderr, "caracal: {}\n", agents::MessageOf(status));
    return kExitInternal;
  }
  CommandResult result;
  CLI::App app("Fraud detection on Debezium change events in Kafka", "caracal");
  app.formatter(std::make_shared<HelpFormatter>());
  app.require_subcommand(1);
  app.set_version_flag("--version", "caracal " + VersionText());
  app.footer(
      "`caracal COMMAND --help` shows what a command does and takes.\n\n"
      "Exit codes: 0 done; 1 done, with findings; 64 wrong command line; 65 wrong input file; 69 "
      "broker, database or instance out of reach; 70 a bug of caracal; 74 reading or writing "
      "failed; 76 torn transaction; 78 wrong configuration.\n\n"
      "Examples:\n"
      "  caracal validate -c deploy/examples/caracal.yaml\n"
      "  caracal list agents");

  AddDemoCommand(app, registry, result);
  AddRunCommand(app, registry, result);
  AddInitCommand(app, registry, result);
  AddValidateCommand(app, registry, result);
  AddDoctorCommand(app, registry, result);
  AddGenerateCommand(app, result);
  AddResumeCommand(app, result);
  AddOffsetsCommand(app, registry, result);
  AddListCommand(app, registry, result);
  AddSchemaCommand(app, registry, result);
  AddCompletionCommand(app);
  AddVersionCommand(app);
  CheckNumbers(app);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return EndCommandLine(app, error);
  }
  return result.exit_code;
}

}  // namespace
}  // namespace caracal::pipeline

int main(int argc, char** argv) {
  using caracal::pipeline::FinishOutput;
  caracal::pipeline::OccupyStandardDescriptors();
  try {
    return FinishOutput(caracal::pipeline::Main(argc, argv));
  } catch (const std::system_error& error) {
    // fmt::print throws it where standard output cannot be written.
    if (std::ferror(stdout) != 0) {
      return FinishOutput(caracal::pipeline::kExitIo, error.code().message());
    }
    std::fprintf(stderr, "caracal: internal error: %s\n", error.what());
    return caracal::pipeline::kExitInternal;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "caracal: internal error: %s\n", error.what());
    return caracal::pipeline::kExitInternal;
  }
}
