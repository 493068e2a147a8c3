#pragma once

#include <string>
#include <vector>

#include "pipeline/config/plugin_loading.h"

namespace caracal::pipeline {

/// A plugin's file, after everything was checked that can be before its code runs.
struct PluginFile {
  /// Absolute, without symbolic links.
  std::string path;
  /// Of its bytes, 64 lower-case hex digits.
  std::string sha256;
};

/// Checks that a plugin may be loaded: an absolute path below one of the directories, a regular
/// file that only root or this process's user may write, in a directory of which the same holds, a
/// shared library for this machine, with the digest that was asked for. `directories` are absolute.
/// False, with `refusal` filled in, otherwise. Reads the whole file. Any thread.
bool CheckPluginFile(const PluginRequest& request, const std::vector<std::string>& directories,
                     PluginFile& file, PluginRefusal& refusal);

}  // namespace caracal::pipeline
