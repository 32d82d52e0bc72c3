#include "wire/control_record.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "wire/record_batch_iterator.h"

namespace barnabas::wire {
namespace {

Buffer testdata(const std::string& name) {
  std::ifstream file(std::string(BARNABAS_TESTDATA) + "/batches/" + name, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  return to_buffer(as_bytes(text));
}

TEST(ControlRecord, SnapshotBatchesAreKafkasToTheByte) {
  Buffer file = testdata("bootstrap.checkpoint");
  BatchHeader first = *BatchHeader::decode(file);
  Buffer header_value(11);  // version 0, timestamp 0, no tagged fields
  ControlRecord records[] = {{ControlRecordType::kSnapshotHeader, header_value}};
  Buffer batch = encode_control_batch({Offset(0), LeaderEpoch(0), first.max_timestamp}, records);
  EXPECT_EQ(to_hex(batch), to_hex(BytesView(file).first(first.size_in_bytes())));
}

TEST(ControlRecord, TransactionMarkersAreKafkasToTheByte) {
  Buffer file = testdata("transactions.log");
  BatchCursor cursor(file);
  int markers = 0;
  for (;;) {
    auto next = cursor.next();
    ASSERT_TRUE(next.has_value());
    if (!*next) break;
    const BatchHeader& header = (*next)->header;
    if (!header.is_control()) continue;
    ++markers;
    RecordIterator records(header, (*next)->bytes);
    RecordView record;
    ASSERT_TRUE(records.next(record));
    auto marker = EndTxnMarker::decode(*record.key, *record.value);
    ASSERT_TRUE(marker.has_value());
    Buffer again = encode_end_txn_batch({header.first_offset(), header.leader_epoch(), header.max_timestamp},
                                        {ProducerId(header.producer_id), header.producer_epoch}, *marker);
    EXPECT_EQ(to_hex(again), to_hex((*next)->bytes));
  }
  EXPECT_GT(markers, 0);
}

TEST(ControlRecord, KeysAreReadWithCaution) {
  for (int16_t type = 0; type <= 6; ++type) {
    Buffer key = encode_control_key(static_cast<ControlRecordType>(type));
    auto decoded = decode_control_key(key);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(static_cast<int16_t>(*decoded), type);
    for (size_t size = 0; size < key.size(); ++size) {
      EXPECT_FALSE(decode_control_key(BytesView(key).first(size)).has_value());
    }
    store_be<int16_t>(key.data(), 5);
    EXPECT_TRUE(decode_control_key(key).has_value()) << "a later version is read as the one we know";
    store_be<int16_t>(key.data(), -1);
    EXPECT_FALSE(decode_control_key(key).has_value());
  }
  Buffer later(4);
  store_be<int16_t>(later.data() + 2, 99);
  EXPECT_EQ(decode_control_key(later).value_or(ControlRecordType::kAbort), ControlRecordType::kUnknown);
}

TEST(ControlRecord, OnlyEndsOfTransactionsAreMarkers) {
  Buffer value(6);
  EXPECT_TRUE(EndTxnMarker::decode(encode_control_key(ControlRecordType::kCommit), value).has_value());
  EXPECT_FALSE(EndTxnMarker::decode(encode_control_key(ControlRecordType::kLeaderChange), value).has_value());
  EXPECT_FALSE(
      EndTxnMarker::decode(encode_control_key(ControlRecordType::kAbort), BytesView(value).first(5)).has_value());
}

}  // namespace
}  // namespace barnabas::wire
