#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/scenario/scenario_config.h"
#include "tests/scenario/scenario_document.h"
#include "tests/support/fake_source.h"

namespace caracal::pipeline {

/// One record of a scenario, as the source topic holds it.
struct ScenarioRecord {
  uint16_t stream = 0;
  int32_t partition = 0;
  /// How expectations may call it; empty = by its index only.
  std::string name;
  FakeRecord record;
};

/// Reads `records` with `defaults`, `schema` and `shape` of a scenario. Problems are reported.
///
/// A record has one of these: `row` (columns over `defaults`; written as a change event of
/// `shape`), `op` t or m (no row), `value` (text as it is, anything else as JSON), `base64`,
/// `tombstone`. Unless it says otherwise it is an insert, committed and appended at the start of
/// 2030, lies in partition 0 of the first stream and has the key {"<key column>":<value>} of its
/// row.
std::vector<ScenarioRecord> ReadRecords(const ScenarioDocument& document,
                                        const ScenarioConfig& config, Problems& problems);

}  // namespace caracal::pipeline
