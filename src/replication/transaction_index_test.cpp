#include "replication/transaction_index.h"

#include <gtest/gtest.h>

namespace barnabas::replication {
namespace {

AbortedTransaction entry(int64_t first, int64_t last, int64_t stable) {
  return {.producer_id = ProducerId(1),
          .first_offset = Offset(first),
          .last_offset = Offset(last),
          .last_stable_offset = Offset(stable)};
}

TEST(TransactionIndex, AnEntryIsKafkasToTheByte) {
  // disk-4.3: firstOffset 10, marker at 14, last stable offset after it 15.
  Buffer bytes = encode_transaction_index({entry(10, 14, 15)});
  EXPECT_EQ(to_hex(bytes), "00000000000000000001000000000000000a000000000000000e000000000000000f");
  EXPECT_EQ(*decode_transaction_index(bytes), (std::vector{entry(10, 14, 15)}));
}

TEST(TransactionIndex, AFileThatIsNotOneIsRefused) {
  Buffer bytes = encode_transaction_index({entry(10, 14, 15), entry(16, 18, 19)});
  EXPECT_FALSE(decode_transaction_index(BytesView(bytes).first(60)));
  EXPECT_FALSE(decode_transaction_index(encode_transaction_index({entry(16, 18, 19), entry(10, 14, 15)})));
  EXPECT_FALSE(decode_transaction_index(encode_transaction_index({entry(16, 15, 19)})));
  bytes[1] = std::byte{1};
  EXPECT_FALSE(decode_transaction_index(bytes));
}

TEST(TransactionIndex, EntriesAreFoundByOverlap) {
  std::vector<AbortedTransaction> entries{entry(0, 10, 5), entry(5, 20, 21), entry(30, 40, 41)};
  std::vector<AbortedTransaction> found;
  EXPECT_FALSE(collect_aborted(entries, Offset(0), Offset(100), found));
  EXPECT_EQ(found, entries);
  found.clear();
  EXPECT_TRUE(collect_aborted(entries, Offset(11), Offset(20), found)) << "no later one can overlap";
  EXPECT_EQ(found, (std::vector{entry(5, 20, 21)}));
  found.clear();
  EXPECT_TRUE(collect_aborted(entries, Offset(21), Offset(30), found));
  EXPECT_TRUE(found.empty());
}

}  // namespace
}  // namespace barnabas::replication
