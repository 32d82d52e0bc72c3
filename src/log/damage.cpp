#include "log/damage.h"

#include "log/file_names.h"

namespace barnabas::log {

std::string DamagedRange::to_string() const {
  std::string text = "offsets " + std::to_string(first.value) + " to " + std::to_string(end.value - 1) + " are lost: ";
  if (length == 0) return text + file_name(segment, kLogSuffix) + " ends before them";
  return text + "bytes " + std::to_string(position) + " to " + std::to_string(position + length - 1) + " of " +
         file_name(segment, kLogSuffix) + " are damaged";
}

}  // namespace barnabas::log
