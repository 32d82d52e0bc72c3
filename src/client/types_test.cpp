#include "barnabas/types.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/varint.h"

namespace barnabas::client {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Buffer encoded(std::initializer_list<Header> headers) {
  Buffer bytes;
  const auto append = [&](std::string_view text) {
    append_varint(bytes, static_cast<int32_t>(text.size()));
    const BytesView view = as_bytes(text);
    bytes.insert(bytes.end(), view.begin(), view.end());
  };
  append_varint(bytes, static_cast<int32_t>(headers.size()));
  for (const Header& header : headers) {
    append(header.key);
    if (header.value)
      append(*header.value);
    else
      append_varint(bytes, -1);
  }
  return bytes;
}

TEST(Headers, ComeInTheirOrderWithNullAndEmptyValuesApart) {
  const Buffer bytes = encoded({{"a", "1"}, {"b", std::nullopt}, {"a", ""}});
  const Headers headers(bytes);
  EXPECT_THAT(headers.all(), ElementsAre(Header{"a", "1"}, Header{"b", std::nullopt}, Header{"a", ""}));
  EXPECT_EQ(headers.last("a"), (Header{"a", ""}));
  EXPECT_EQ(headers.last("b"), (Header{"b", std::nullopt}));
  EXPECT_EQ(headers.last("c"), std::nullopt);
  EXPECT_FALSE(headers.empty());
}

TEST(Headers, OfARecordWithoutAnyAreEmpty) {
  EXPECT_TRUE(Headers().empty());
  EXPECT_THAT(Headers().all(), IsEmpty());
  const Buffer none = encoded({});
  EXPECT_TRUE(Headers(none).empty());
}

TEST(Headers, StopWhereTheBytesAreNoHeaders) {
  const Buffer bytes = encoded({{"a", "1"}, {"key", "value"}});
  for (size_t size = 0; size < bytes.size(); ++size) {
    const Buffer cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_LE(Headers(cut).all().size(), 1U);
  }
  Buffer lying;
  append_varint(lying, INT32_MAX);
  append_varint(lying, INT32_MAX);
  EXPECT_THAT(Headers(lying).all(), IsEmpty());
}

TEST(Uuid128, IsWrittenAsKafkaWritesIt) {
  EXPECT_EQ((Uuid128{0, 1}.to_string()), "AAAAAAAAAAAAAAAAAAAAAQ");
  EXPECT_TRUE(Uuid128{}.is_zero());
}

}  // namespace
}  // namespace barnabas::client
