#pragma once

#include <string>

#include "pipeline/tools/command_tree.h"

namespace caracal::pipeline {

/// Scripts that complete commands, options, choices and file names of `root`, the whole program.
/// They need nothing but their shell. Any thread.
std::string BashCompletion(const CommandDescription& root);
std::string ZshCompletion(const CommandDescription& root);
std::string FishCompletion(const CommandDescription& root);

}  // namespace caracal::pipeline
