#include "config/nearest.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace barnabas::config {
namespace {

// Letters to insert, leave out, replace, or swap with their neighbour.
size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<size_t> before(right.size() + 1), last(right.size() + 1), row(right.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= left.size(); ++i) {
    before = std::exchange(last, row);
    row[0] = i;
    for (size_t j = 1; j <= right.size(); ++j) {
      const size_t replaced = last[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row.back();
}

}  // namespace

std::string_view nearest_word(std::span<const std::string_view> words, std::string_view text,
                              size_t letters_per_error) {
  constexpr size_t kLongest = 200;  // nothing longer is a typing error, and the comparison is quadratic
  if (text.size() > kLongest) return "";
  std::string_view best;
  size_t best_distance = std::max<size_t>(2, text.size() / letters_per_error) + 1;
  for (const std::string_view word : words) {
    const size_t distance = edit_distance(word, text);
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = word;
  }
  return best;
}

}  // namespace barnabas::config
