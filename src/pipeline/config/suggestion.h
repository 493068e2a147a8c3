#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace caracal::pipeline {

/// Damerau-Levenshtein distance (optimal string alignment): insertions, deletions, substitutions
/// and swaps of neighbours that turn `a` into `b`. Any thread.
size_t EditDistance(std::string_view a, std::string_view b);

/// The candidate nearest to `word`, at most two edits and less than half of the word away (the
/// first of several); empty when there is none. Any thread.
std::string NearestName(std::string_view word, const std::vector<std::string>& candidates);

/// "did you mean 'x'?", or empty.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace caracal::pipeline
