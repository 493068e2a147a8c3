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

/// The longest window of the rules of a stream, in microseconds; 0 when no rule has one.
int64_t WidestWindow(const LoadedConfig& loaded, size_t stream);

}  // namespace caracal::pipeline
