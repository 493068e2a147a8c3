#include "agents/state/state_digest.h"

#include <array>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "agents/api/check.h"

namespace caracal::agents {

struct StateDigester::Impl {
  XXH3_state_t state;
};

StateDigester::StateDigester() : impl_(std::make_unique<Impl>()) {
  CHECK(XXH3_128bits_reset(&impl_->state) == XXH_OK);
}

StateDigester::~StateDigester() = default;

void StateDigester::AddNumber(uint64_t number) {
  std::array<std::byte, sizeof(number)> bytes;
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(number >> (8 * i));
  AddBytes(bytes);
}

void StateDigester::AddBytes(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  CHECK(XXH3_128bits_update(&impl_->state, bytes.data(), bytes.size()) == XXH_OK);
}

void StateDigester::AddText(std::string_view text) {
  AddNumber(text.size());
  AddBytes(std::as_bytes(std::span(text)));
}

StateDigest StateDigester::Digest() const {
  const XXH128_hash_t digest = XXH3_128bits_digest(&impl_->state);
  return {digest.low64, digest.high64};
}

}  // namespace caracal::agents
