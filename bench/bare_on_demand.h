#pragma once

#include <cstddef>

/// The baseline of decode_bench: simdjson On-Demand reading the fields the decoder reads, and
/// nothing else made of them. Compiled twice from one source, as the product is compiled and for
/// the processor it is compiled on; each copy is a shared library that shows nothing but its
/// function, so that neither borrows the other's inline code.
namespace caracal::pipeline {

enum class BareForm { kEnvelope, kWrapped, kFlatRow };

/// A message with simdjson::SIMDJSON_PADDING readable bytes behind it.
struct BareMessage {
  const char* data;
  size_t size;
};

/// Reads the fields of every message, in the order they come in, with a parser that is reused, the
/// amount as an integer made of its digits. It stops after the last field, checks no value it does
/// not read, makes no key text, no hash and no event. Base64 amounts are read like text: an integer
/// made of their characters. False when a message has no such fields. One thread at a time.
using BareReader = bool (*)(const BareMessage* messages, size_t count, BareForm form);

extern "C" bool CaracalBareReadAsBuilt(const BareMessage* messages, size_t count, BareForm form);
extern "C" bool CaracalBareReadNative(const BareMessage* messages, size_t count, BareForm form);

}  // namespace caracal::pipeline
