#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "caracal/config/v1/rules.pb.h"
#include "pipeline/config/diagnostics.h"
#include "pipeline/config/file_reader.h"
#include "pipeline/config/path_spans.h"

namespace caracal::pipeline {

/// A list of a rule file that rules use by name.
struct NamedListValues {
  std::vector<std::string> values;
  /// SHA-256 over the values, each followed by a line break.
  std::string sha256;
};

/// The lists of one rule file, and which of them rules use. One thread at a time.
class NamedLists {
 public:
  /// Reads the lists, files included (relative to `rule_file`, at most 4 MiB and 100,000 values
  /// each). `spans` and `diagnostics` outlive it.
  NamedLists(const caracal::config::v1::RuleFile& file, const std::string& rule_file,
             const FileReader& files, const PathSpans& spans, Diagnostics& diagnostics);

  /// Marks the list as used. Null and a report at `span` when there is none of that name.
  const NamedListValues* Use(const std::string& name, SourceSpan span);
  /// Warns of lists that nothing used.
  void ReportUnused() const;

  const std::map<std::string, NamedListValues>& lists() const { return lists_; }

 private:
  bool ReadFile(const std::string& path, const std::string& rule_file, const FileReader& files,
                SourceSpan span, NamedListValues& list);

  const PathSpans& spans_;
  Diagnostics& diagnostics_;
  std::map<std::string, NamedListValues> lists_;
  std::set<std::string> used_;
};

}  // namespace caracal::pipeline
