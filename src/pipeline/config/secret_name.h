#pragma once

#include <string_view>

namespace caracal::pipeline {

/// True for names whose values must not be shown: passwords, private keys, tokens, seeds. Goes by
/// parts of the name, so that it holds for Kafka properties this version has never heard of. Any
/// thread.
bool IsSecretName(std::string_view name);

}  // namespace caracal::pipeline
