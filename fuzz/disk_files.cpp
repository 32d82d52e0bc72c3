// Fuzz target: any bytes as one of the files that a log directory holds; the first byte chooses which. Damage is an
// error, never a crash. What is read is written again, and reads the same.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/check.h"
#include "log/offset_checkpoint.h"
#include "log/sparse_index.h"
#include "log/testing/memory_disk.h"
#include "metadata/meta_properties.h"
#include "raft/quorum_state_file.h"
#include "raft/voter_set.h"
#include "replication/epoch_cache.h"
#include "replication/producer_snapshot.h"
#include "replication/transaction_index.h"

namespace barnabas {
namespace {

void try_producer_snapshot(BytesView bytes) {
  auto state = replication::decode_producer_snapshot(bytes);
  if (!state) return;
  auto again = replication::decode_producer_snapshot(replication::encode_producer_snapshot(*state));
  CHECK(again && *again == *state);
}

void try_epochs(std::string_view text) {
  auto epochs = replication::EpochCache::parse(text);
  if (!epochs) return;
  auto again = replication::EpochCache::parse(epochs->print());
  CHECK(again && again->print() == epochs->print());
}

void try_offsets(std::string_view text) {
  auto offsets = log::parse_offset_checkpoint(text);
  if (!offsets) return;
  auto again = log::parse_offset_checkpoint(log::print_offset_checkpoint(*offsets));
  CHECK(again && *again == *offsets);
}

void try_transactions(BytesView bytes) {
  auto entries = replication::decode_transaction_index(bytes);
  if (entries) CHECK(std::ranges::equal(replication::encode_transaction_index(*entries), bytes));
}

void try_meta_properties(std::string_view text) {
  auto properties = metadata::parse_meta_properties(text);
  if (!properties) return;
  auto again = metadata::parse_meta_properties(metadata::render_meta_properties(*properties, 0));
  CHECK(again && *again == *properties);
}

void try_quorum_state(std::string_view text) {
  auto state = raft::parse_quorum_state(text);
  if (!state) return;
  auto again = raft::parse_quorum_state(raft::render_quorum_state(*state, 1, {}));
  CHECK(again && *again == *state);
}

void try_voters(BytesView bytes) {
  auto voters = raft::VoterSet::decode(bytes);
  if (!voters) return;
  auto again = raft::VoterSet::decode(voters->encode());
  CHECK(again && *again == *voters);
}

template <class Entry>
void try_index(BytesView bytes) {
  log::testing::MemoryDisk disk;
  disk.write("/d/index", bytes);
  auto directory = disk.open_directory("/d", false);
  CHECK(directory.has_value());
  auto file = (*directory)->open("index", runtime::OpenMode::kReadWrite);
  CHECK(file.has_value());
  auto index = log::SparseIndex<Entry>::load(*file);
  if (!index) return;
  for (int64_t key : {int64_t{INT64_MIN}, int64_t{-1}, int64_t{0}, int64_t{1000}, int64_t{INT64_MAX}}) {
    (void)index->floor(key);
    (void)index->ceiling_of_other(key);
  }
  if (!index->empty()) {
    Entry last = *index->last();
    index->append(last);
    CHECK(index->truncate(last.key(), last.other_key()).has_value());
  }
}

void run(uint8_t kind, BytesView bytes) {
  std::string_view text = as_text(bytes);
  switch (kind % 10) {
    case 0:
      return try_producer_snapshot(bytes);
    case 1:
      return try_epochs(text);
    case 2:
      return try_offsets(text);
    case 3:
      return try_transactions(bytes);
    case 4:
      return try_meta_properties(text);
    case 5:
    case 6:
      return try_quorum_state(text);
    case 7:
      return try_voters(bytes);
    case 8:
      return try_index<log::OffsetEntry>(bytes);
    default:
      return try_index<log::TimeEntry>(bytes);
  }
}

}  // namespace
}  // namespace barnabas

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  barnabas::run(data[0], {reinterpret_cast<const std::byte*>(data) + 1, size - 1});
  return 0;
}
