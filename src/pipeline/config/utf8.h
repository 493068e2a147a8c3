#pragma once

#include <cstddef>
#include <string_view>

namespace caracal::pipeline {

/// Bytes of `text` before the first one that is not well-formed UTF-8 (RFC 3629: no overlong forms,
/// no surrogates, nothing past U+10FFFF); text.size() when all is well. Any thread.
size_t ValidUtf8Prefix(std::string_view text);

}  // namespace caracal::pipeline
