#include "pipeline/emit/alert_id.h"

#include <openssl/evp.h>

#include <array>
#include <cstddef>

#include "agents/api/check.h"
#include "pipeline/base/digits.h"

namespace caracal::pipeline {
namespace {

constexpr size_t kIdBytes = 16;
constexpr size_t kUsualTextBytes = 128;

/// Fetched once and never freed: looking an algorithm up takes OpenSSL's locks on every call.
const EVP_MD* Sha256Algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

}  // namespace

std::string AlertId(const AlertSource& source) {
  std::string text;
  text.reserve(kUsualTextBytes);
  text.append(source.ruleset).append(1, '\n');
  text.append(source.ruleset_version).append(1, '\n');
  text.append(source.topic).append(1, '\n');
  AppendInteger(source.partition, text);
  text += '\n';
  AppendInteger(source.offset, text);

  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned digest_bytes = 0;
  CHECK(Sha256Algorithm() != nullptr);
  CHECK(EVP_Digest(text.data(), text.size(), digest.data(), &digest_bytes, Sha256Algorithm(),
                   nullptr) == 1);
  CHECK(digest_bytes >= kIdBytes);

  constexpr std::string_view kHex = "0123456789abcdef";
  std::string id(2 * kIdBytes, '0');
  for (size_t i = 0; i < kIdBytes; ++i) {
    id[2 * i] = kHex[digest[i] >> 4];
    id[2 * i + 1] = kHex[digest[i] & 0xF];
  }
  return id;
}

}  // namespace caracal::pipeline
