#include "replication/transaction_index.h"

#include <string>

namespace barnabas::replication {

namespace {
constexpr int16_t kVersion = 0;
}

AbortedTransaction AbortedTransaction::of(const CompletedTransaction& transaction) {
  return {.producer_id = transaction.producer_id,
          .first_offset = transaction.first_offset,
          .last_offset = transaction.last_offset,
          .last_stable_offset = transaction.last_stable_offset};
}

void AbortedTransaction::encode(MutableBytes to) const {
  store_be(to.data(), kVersion);
  store_be(to.data() + 2, producer_id.value);
  store_be(to.data() + 10, first_offset.value);
  store_be(to.data() + 18, last_offset.value);
  store_be(to.data() + 26, last_stable_offset.value);
}

Result<AbortedTransaction> AbortedTransaction::decode(BytesView bytes) {
  if (bytes.size() < kSize) return fail(ErrorCode::kCorrupt, "an entry of the transaction index is cut short");
  if (int16_t version = load_be<int16_t>(bytes.data()); version != kVersion) {
    return fail(ErrorCode::kCorrupt, "an entry of the transaction index has the version " + std::to_string(version));
  }
  return AbortedTransaction{.producer_id = ProducerId(load_be<int64_t>(bytes.data() + 2)),
                            .first_offset = Offset(load_be<int64_t>(bytes.data() + 10)),
                            .last_offset = Offset(load_be<int64_t>(bytes.data() + 18)),
                            .last_stable_offset = Offset(load_be<int64_t>(bytes.data() + 26))};
}

Result<std::vector<AbortedTransaction>> decode_transaction_index(BytesView bytes) {
  if (bytes.size() % AbortedTransaction::kSize != 0) {
    return fail(ErrorCode::kCorrupt, "a transaction index of " + std::to_string(bytes.size()) + " bytes");
  }
  std::vector<AbortedTransaction> entries;
  entries.reserve(bytes.size() / AbortedTransaction::kSize);
  for (; !bytes.empty(); bytes = bytes.subspan(AbortedTransaction::kSize)) {
    TRY_ASSIGN(AbortedTransaction entry, AbortedTransaction::decode(bytes));
    if (entry.first_offset > entry.last_offset ||
        (!entries.empty() && entries.back().last_offset >= entry.last_offset)) {
      return fail(ErrorCode::kCorrupt, "the entries of the transaction index do not rise");
    }
    entries.push_back(entry);
  }
  return entries;
}

Buffer encode_transaction_index(const std::vector<AbortedTransaction>& entries) {
  Buffer bytes(entries.size() * AbortedTransaction::kSize);
  MutableBytes rest = bytes;
  for (const AbortedTransaction& entry : entries) {
    entry.encode(rest);
    rest = rest.subspan(AbortedTransaction::kSize);
  }
  return bytes;
}

bool collect_aborted(const std::vector<AbortedTransaction>& entries, Offset from, Offset upper,
                     std::vector<AbortedTransaction>& found) {
  for (const AbortedTransaction& entry : entries) {
    if (entry.last_offset >= from && entry.first_offset < upper) found.push_back(entry);
    if (entry.last_stable_offset >= upper) return true;
  }
  return false;
}

}  // namespace barnabas::replication
