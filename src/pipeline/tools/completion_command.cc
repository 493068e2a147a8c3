#include "pipeline/tools/completion_command.h"

#include <cstdio>
#include <string>

#include <fmt/format.h>

#include "pipeline/tools/command_tree.h"
#include "pipeline/tools/completion_script.h"

namespace caracal::pipeline {
namespace {

struct Shell {
  const char* name;
  const char* where;
  std::string (*script)(const CommandDescription& root);
};
constexpr Shell kShells[] = {
    {"bash", "~/.local/share/bash-completion/completions/caracal", &BashCompletion},
    {"zsh", "~/.zsh/completions/_caracal", &ZshCompletion},
    {"fish", "~/.config/fish/completions/caracal.fish", &FishCompletion},
};

}  // namespace

void AddCompletionCommand(CLI::App& app) {
  CLI::App* completion = app.add_subcommand(
      "completion", "Print what completes this command line in bash, zsh or fish");
  completion->require_subcommand(1);
  completion->footer(
      "A package installs these scripts by itself.\n\n"
      "Examples:\n"
      "  caracal completion bash\n"
      "  caracal completion fish > ~/.config/fish/completions/caracal.fish");
  for (const Shell& shell : kShells) {
    CLI::App* command =
        completion->add_subcommand(shell.name, fmt::format("Completion script for {}", shell.name));
    command->footer(
        fmt::format("Examples:\n  caracal completion {0}\n  caracal completion {0} > {1}",
                    shell.name, shell.where));
    command->callback([&app, &shell] { fmt::print("{}", shell.script(DescribeCommand(app))); });
  }
}

}  // namespace caracal::pipeline
