// The word somebody meant: for "did you mean".
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace barnabas::config {

// The first of `words` that looks most like `text`, or "" if none is near: one that differs in at most one of every
// `letters_per_error` letters (2 at least).
std::string_view nearest_word(std::span<const std::string_view> words, std::string_view text,
                              size_t letters_per_error = 4);

}  // namespace barnabas::config
