// Fuzz target: any bytes as any message in any version. What decodes must encode, and decode to the same again.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "wire/coordinator_record.h"
#include "wire/frame.h"
#include "wire/metadata_record.h"
#include "wire/testing/catalog.h"

namespace barnabas::wire::testing {
namespace {

// A number that stays with a message's name, so that a corpus outlives additions to the schema.
uint16_t number_of(std::string_view name) {
  uint32_t hash = 2166136261;
  for (char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619;
  return static_cast<uint16_t>(hash ^ (hash >> 16));
}

const MessageEntry& choose(uint16_t number) {
  static const auto* sorted = [] {
    auto* all = new std::vector<std::pair<uint16_t, const MessageEntry*>>();
    for (const MessageEntry& message : all_messages()) all->emplace_back(number_of(message.name), &message);
    std::ranges::sort(*all);
    return all;
  }();
  auto at = std::ranges::lower_bound(*sorted, number, {}, [](const auto& entry) { return entry.first; });
  return at == sorted->end() ? *sorted->front().second : *at->second;
}

void run(BytesView input) {
  if (input.size() < 3) return;
  const MessageEntry& message = choose(load_be<uint16_t>(input.data()));
  int versions = message.max_version - message.min_version + 1;
  auto version = static_cast<int16_t>(message.min_version + std::to_integer<int>(input[2]) % versions);
  BytesView body = input.subspan(3);
  (void)message.print(body, version);
  if (auto once = message.transcode(body, version)) {
    auto twice = message.transcode(*once, version);
    CHECK(twice && *twice == *once);
  }
  // The decoders that choose a message by what is inside.
  Reader in(body);
  (void)decode_request_header(in);
  (void)decode_metadata_record(body);
  if (auto key = decode_group_key(body)) (void)decode_group_value(record_type(*key), body);
  (void)decode_share_key(body);
  (void)decode_transaction_key(body);
}

}  // namespace
}  // namespace barnabas::wire::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  barnabas::wire::testing::run({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
