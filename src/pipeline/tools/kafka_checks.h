#pragma once

#include <cstdint>
#include <vector>

#include "pipeline/config/loaded_config.h"
#include "pipeline/tools/kafka_facts.h"

namespace caracal::pipeline {

/// What the guarantees need of Kafka, looked at one by one: source topics that keep their records
/// as long as state must be rebuilt from them, state topics that keep the newest state, topics for
/// alerts and dead letters that keep what is written. Every setting is Kafka's own name. Pure: the
/// same answer for the same values.
std::vector<Check> CheckKafka(const LoadedConfig& loaded, const KafkaFacts& kafka);

/// Whether the state of one partition has room on this machine; `run` refuses it with the same
/// question. Pure but for the machine's memory, which counts where no limit is configured.
Check CheckMemory(const LoadedConfig& loaded);

/// The longest window of the rules of a stream, in microseconds; 0 when no rule has one. A window
/// is a parameter of that name, also inside a section: how far a plugin looks back under another
/// name is not known.
int64_t WidestWindow(const LoadedConfig& loaded, size_t stream);

}  // namespace caracal::pipeline
