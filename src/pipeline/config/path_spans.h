#pragma once

#include <map>
#include <string>

#include "pipeline/config/diagnostics.h"

namespace caracal::pipeline {

/// Remembers where each bound setting was written, for checks that come after binding. Paths are
/// those of the reference: "streams[0].fields.account". One thread at a time.
class PathSpans {
 public:
  void Set(const std::string& path, SourceSpan key, SourceSpan value) {
    spans_[path] = {key, value};
  }
  bool Has(const std::string& path) const { return spans_.count(path) > 0; }

  /// The key of the setting; of the nearest enclosing one when it was not written.
  SourceSpan Key(const std::string& path) const { return Nearest(path).key; }
  /// The value of the setting; the key of the nearest enclosing one when it was not written.
  SourceSpan Value(const std::string& path) const {
    const auto it = spans_.find(path);
    return it == spans_.end() ? Nearest(path).key : it->second.value;
  }

 private:
  struct Spans {
    SourceSpan key;
    SourceSpan value;
  };

  Spans Nearest(std::string path) const {
    while (true) {
      const auto it = spans_.find(path);
      if (it != spans_.end()) return it->second;
      const size_t end = path.find_last_of(".[");
      if (end == std::string::npos) break;
      path.resize(end);
    }
    const auto root = spans_.find("");
    return root == spans_.end() ? Spans() : root->second;
  }

  std::map<std::string, Spans> spans_;
};

}  // namespace caracal::pipeline
