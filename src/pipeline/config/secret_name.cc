#include "pipeline/config/secret_name.h"

#include <algorithm>
#include <array>

namespace caracal::pipeline {

bool IsSecretName(std::string_view name) {
  constexpr std::array<std::string_view, 8> kParts = {
      "password", "secret", "token", "jaas", "passphrase", ".pem", "oauthbearer.config", "seed"};
  return std::any_of(kParts.begin(), kParts.end(), [name](std::string_view part) {
    return name.find(part) != std::string_view::npos;
  });
}

}  // namespace caracal::pipeline
