#include "barnabas/types.h"

#include "base/bytes.h"
#include "base/uuid.h"
#include "base/varint.h"

namespace barnabas::client {
namespace {

// Reads the headers of a record one by one. Ends early at bytes that are none: the batch was checked when it came.
class HeaderReader {
 public:
  explicit HeaderReader(BytesView encoded) : cursor_(encoded) {
    if (!read_varint(cursor_, left_)) left_ = 0;
  }

  int32_t left() const { return left_; }

  std::optional<Header> next() {
    if (left_ <= 0) return std::nullopt;
    --left_;
    Header header;
    const auto key = text();
    if (!key) return std::nullopt;
    header.key = *key;
    int32_t length = 0;
    if (!read_varint(cursor_, length)) return std::nullopt;
    if (length < 0) return header;
    header.value = take(length);
    if (!header.value) return std::nullopt;
    return header;
  }

 private:
  std::optional<std::string_view> text() {
    int32_t length = 0;
    if (!read_varint(cursor_, length) || length < 0) return std::nullopt;
    return take(length);
  }
  std::optional<std::string_view> take(int32_t length) {
    const auto size = static_cast<size_t>(length);
    if (size > cursor_.remaining()) return std::nullopt;
    const std::string_view taken = as_text({cursor_.at, size});
    cursor_.at += size;
    return taken;
  }

  VarintCursor cursor_;
  int32_t left_ = 0;
};

}  // namespace

std::string Uuid128::to_string() const {
  return Uuid{.most = most, .least = least}.to_string();
}

std::vector<Header> Headers::all() const {
  std::vector<Header> headers;
  HeaderReader reader(encoded_);
  while (const auto header = reader.next()) headers.push_back(*header);
  return headers;
}

std::optional<Header> Headers::last(std::string_view key) const {
  std::optional<Header> found;
  HeaderReader reader(encoded_);
  while (const auto header = reader.next())
    if (header->key == key) found = header;
  return found;
}

bool Headers::empty() const {
  return HeaderReader(encoded_).left() <= 0;
}

}  // namespace barnabas::client
