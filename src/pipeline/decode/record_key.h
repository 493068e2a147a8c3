#pragma once

#include <cstdint>
#include <string_view>

namespace caracal::pipeline {

/// How a record's Kafka key relates to the stream's key of its row.
enum class KeyMatch : uint8_t {
  kMatch,     ///< the key, or its only field, is the stream's key
  kMismatch,  ///< it is something else: rows of one account lie in several partitions
  kOpaque,    ///< not JSON or text this version can read (Avro, several fields)
};

/// Compares a Kafka key with the canonical text of the stream's key. Reads {"user_id":1042}, the
/// same in
/// {"schema":..,"payload":..}, a bare JSON value, and plain text. Allocates: for samples, not for
/// every record. Any thread.
KeyMatch MatchRecordKey(std::string_view record_key, std::string_view stream_key);

}  // namespace caracal::pipeline
