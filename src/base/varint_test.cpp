#include "base/varint.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <vector>

namespace barnabas {
namespace {

constexpr int32_t kInt32Edges[] = {0,     -1,    1,       63,      -64,       64,        -65,       8191,     8192,
                                   -8192, -8193, 1048575, 1048576, 134217727, 134217728, INT32_MAX, INT32_MIN};
constexpr int64_t kInt64Edges[] = {0,
                                   -1,
                                   1,
                                   63,
                                   64,
                                   -64,
                                   -65,
                                   INT32_MAX,
                                   INT32_MIN,
                                   int64_t{1} << 34,
                                   int64_t{1} << 41,
                                   int64_t{1} << 48,
                                   int64_t{1} << 55,
                                   int64_t{1} << 62,
                                   INT64_MAX,
                                   INT64_MIN};

TEST(Varint, EdgesComeBackInTheSizeThatWasForetold) {
  for (int32_t value : kInt32Edges) {
    Buffer bytes;
    append_varint(bytes, value);
    EXPECT_EQ(bytes.size(), varint_size(value)) << value;
    VarintCursor cursor(bytes);
    int32_t read = 7;
    ASSERT_TRUE(read_varint(cursor, read));
    EXPECT_EQ(read, value);
    EXPECT_EQ(cursor.remaining(), 0u);
  }
  for (int64_t value : kInt64Edges) {
    Buffer bytes;
    append_varlong(bytes, value);
    EXPECT_EQ(bytes.size(), varlong_size(value)) << value;
    VarintCursor cursor(bytes);
    int64_t read = 7;
    ASSERT_TRUE(read_varlong(cursor, read));
    EXPECT_EQ(read, value);
    EXPECT_EQ(cursor.remaining(), 0u);
  }
}

TEST(Varint, KnownBytes) {
  Buffer bytes;
  append_varint(bytes, -1);
  append_varint(bytes, 300);
  append_uvarint(bytes, 300);
  append_varint(bytes, INT32_MIN);
  append_varlong(bytes, INT64_MIN);
  EXPECT_EQ(to_hex(bytes), "01d804ac02ffffffff0fffffffffffffffffff01");
}

TEST(Varint, EveryCutIsRefusedAndMovesNothing) {
  Buffer bytes;
  append_varlong(bytes, INT64_MIN);
  for (size_t size = 0; size < bytes.size(); ++size) {
    VarintCursor cursor(BytesView(bytes).first(size));
    int64_t value = 42;
    EXPECT_FALSE(read_varlong(cursor, value));
    EXPECT_EQ(value, 42);
    EXPECT_EQ(cursor.remaining(), size);
  }
}

TEST(Varint, ANumberThatNeverEndsIsRefused) {
  Buffer bytes(16, std::byte{0xff});
  VarintCursor cursor(bytes);
  int32_t narrow = 0;
  int64_t wide = 0;
  EXPECT_FALSE(read_varint(cursor, narrow));
  EXPECT_FALSE(read_varlong(cursor, wide));
  EXPECT_EQ(cursor.remaining(), 16u);
  bytes[4] = std::byte{0x0f};
  uint32_t plain = 0;
  EXPECT_TRUE(read_uvarint(cursor, plain));
  EXPECT_EQ(plain, UINT32_MAX);
}

TEST(Varint, ZeroMayBePaddedAsJavaAllows) {
  Buffer bytes{std::byte{0x80}, std::byte{0x80}, std::byte{0x00}};
  VarintCursor cursor(bytes);
  int32_t value = 9;
  EXPECT_TRUE(read_varint(cursor, value));
  EXPECT_EQ(value, 0);
}

}  // namespace
}  // namespace barnabas
