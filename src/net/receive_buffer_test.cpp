#include "net/receive_buffer.h"

#include <gtest/gtest.h>

#include <cstring>

namespace barnabas::net {
namespace {

Buffer frame_of(size_t size, char fill) {
  Buffer bytes(4 + size, std::byte(fill));
  store_be<uint32_t>(bytes.data(), static_cast<uint32_t>(size));
  return bytes;
}

void feed(ReceiveBuffer& buffer, BytesView bytes) {
  while (!bytes.empty()) {
    auto space = buffer.space();
    size_t take = std::min(space.size(), bytes.size());
    std::memcpy(space.data(), bytes.data(), take);
    buffer.received(take);
    bytes = bytes.subspan(take);
  }
}

TEST(ReceiveBuffer, CutsPipelinedFrames) {
  ReceiveBuffer buffer(1000);
  Buffer both = frame_of(3, 'a');
  Buffer second = frame_of(5, 'b');
  both.insert(both.end(), second.begin(), second.end());
  feed(buffer, both);
  auto first = buffer.next_frame();
  ASSERT_TRUE(first.has_value() && first->has_value());
  EXPECT_EQ(as_text((*first)->payload), "aaa");
  auto next = buffer.next_frame();
  ASSERT_TRUE(next.has_value() && next->has_value());
  EXPECT_EQ(as_text((*next)->payload), "bbbbb");
  EXPECT_FALSE(buffer.next_frame()->has_value());
  EXPECT_EQ(buffer.held_bytes(), 0u) << "an idle connection keeps no memory";
}

TEST(ReceiveBuffer, FramesOutliveTheNextOnes) {
  ReceiveBuffer buffer(1 << 20);
  feed(buffer, frame_of(10000, 'a'));
  auto first = *buffer.next_frame();
  feed(buffer, frame_of(100000, 'b'));
  auto second = *buffer.next_frame();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->payload[9999], std::byte('a'));
  EXPECT_EQ(second->payload[99999], std::byte('b'));
}

TEST(ReceiveBuffer, MemoryFollowsBytesNotClaims) {
  ReceiveBuffer buffer(100 << 20);
  Buffer prefix(4);
  store_be<uint32_t>(prefix.data(), 100 << 20);
  feed(buffer, prefix);
  ASSERT_TRUE(buffer.next_frame().has_value());
  feed(buffer, Buffer(50000));
  ASSERT_TRUE(buffer.next_frame().has_value());
  EXPECT_LE(buffer.held_bytes(), size_t{1} << 20);
}

TEST(ReceiveBuffer, RefusesSizesThatCannotBe) {
  for (uint32_t size : {0u, 0xffffffffu, 0x80000000u, 1001u}) {
    ReceiveBuffer buffer(1000);
    Buffer prefix(4);
    store_be<uint32_t>(prefix.data(), size);
    feed(buffer, prefix);
    EXPECT_FALSE(buffer.next_frame().has_value()) << size;
  }
}

TEST(ReceiveBuffer, AnyCutGivesTheSameFrames) {
  Buffer all;
  for (size_t size : {1, 7, 300, 20000, 2}) {
    Buffer frame = frame_of(size, static_cast<char>('a' + size % 26));
    all.insert(all.end(), frame.begin(), frame.end());
  }
  for (size_t step : {1, 3, 5, 1000, 16384}) {
    ReceiveBuffer buffer(1 << 20);
    std::vector<size_t> sizes;
    for (size_t at = 0; at < all.size(); at += step) {
      feed(buffer, BytesView(all).subspan(at, std::min(step, all.size() - at)));
      while (true) {
        auto frame = buffer.next_frame();
        ASSERT_TRUE(frame.has_value());
        if (!frame->has_value()) break;
        sizes.push_back((*frame)->payload.size());
      }
    }
    EXPECT_EQ(sizes, (std::vector<size_t>{1, 7, 300, 20000, 2})) << "step " << step;
  }
}

}  // namespace
}  // namespace barnabas::net
