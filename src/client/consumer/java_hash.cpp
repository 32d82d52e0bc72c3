#include "client/consumer/java_hash.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace barnabas::client {

namespace {

size_t buckets_for(size_t entries, size_t buckets = 16) {
  while (entries > buckets * 3 / 4) buckets *= 2;
  return buckets;
}

size_t bucket(int32_t hash, size_t buckets) {
  auto raw = static_cast<uint32_t>(hash);
  return (raw ^ raw >> 16) & (buckets - 1);
}

}  // namespace

int32_t java_hash(std::string_view text) {
  uint32_t hash = 0;
  for (size_t at = 0; at < text.size();) {
    auto lead = static_cast<unsigned char>(text[at]);
    size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint32_t point = length == 1 ? lead : lead & (0xffu >> (length + 1));
    for (size_t more = 1; more < length && at + more < text.size(); ++more) {
      point = point << 6 | (static_cast<unsigned char>(text[at + more]) & 0x3fu);
    }
    if (point >= 0x10000) {
      hash = hash * 31 + (0xd800u + ((point - 0x10000) >> 10));
      point = 0xdc00u + ((point - 0x10000) & 0x3ffu);
    }
    hash = hash * 31 + point;
    at += length;
  }
  return static_cast<int32_t>(hash);
}

int32_t java_hash(const TopicPartition& at) {
  uint32_t hash = 31 + static_cast<uint32_t>(at.partition);
  return static_cast<int32_t>(31 * hash + static_cast<uint32_t>(java_hash(std::string_view(at.topic))));
}

std::vector<size_t> java_hash_order(const std::vector<int32_t>& hashes) {
  size_t buckets = buckets_for(hashes.size());
  std::vector<size_t> order(hashes.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](size_t index) { return std::pair(bucket(hashes[index], buckets), index); });
  return order;
}

void JavaPartitionSet::insert(const TopicPartition& partition) {
  if (std::ranges::find(entries_, partition) != entries_.end()) return;
  entries_.push_back(partition);
  buckets_ = buckets_for(entries_.size(), buckets_);
}

const TopicPartition& JavaPartitionSet::first() const {
  return *std::ranges::min_element(entries_, {},
                                   [&](const TopicPartition& at) { return bucket(java_hash(at), buckets_); });
}

}  // namespace barnabas::client
