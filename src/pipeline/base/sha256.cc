#include "pipeline/base/sha256.h"

#include <openssl/evp.h>

#include "agents/api/check.h"

namespace caracal::pipeline {

Sha256Digest Sha256(std::string_view bytes) {
  Sha256Digest digest;
  unsigned int length = 0;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) == 1);
  CHECK(length == digest.size());
  return digest;
}

std::string Sha256Hex(std::string_view bytes, size_t digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const Sha256Digest digest = Sha256(bytes);
  CHECK(digits <= 2 * digest.size());
  std::string hex;
  for (size_t i = 0; i < digits; ++i) {
    hex.push_back(kDigits[(digest[i / 2] >> (i % 2 == 0 ? 4 : 0)) & 0xF]);
  }
  return hex;
}

}  // namespace caracal::pipeline
