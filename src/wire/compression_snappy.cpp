#include <snappy.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "wire/compression_codecs.h"

namespace barnabas::wire {

namespace {

// The framing of snappy-java, which Kafka's clients write: this header, then blocks, each with its size before it. All
// numbers are big-endian; others have written them the other way round, and kafka-python then fails.
constexpr std::array<std::byte, 8> kXerialMagic = {std::byte{0x82}, std::byte{'S'}, std::byte{'N'}, std::byte{'A'},
                                                   std::byte{'P'},  std::byte{'P'}, std::byte{'Y'}, std::byte{0}};
constexpr int32_t kXerialVersion = 1;
constexpr size_t kXerialHeader = 16;
constexpr size_t kBlock = 32 << 10;
// Snappy's densest element makes 64 bytes out of 3, so a block that claims much more than this lies.
constexpr size_t kRatioMax = 22;
constexpr size_t kRatioSlack = 64;

void append_be32(Buffer& to, uint32_t value) {
  size_t at = to.size();
  to.resize(at + sizeof(value));
  store_be(to.data() + at, value);
}

const char* chars(const std::byte* bytes) {
  return reinterpret_cast<const char*>(bytes);
}
char* chars(std::byte* bytes) {
  return reinterpret_cast<char*>(bytes);
}

class SnappyCompressor final : public Compressor {
 public:
  explicit SnappyCompressor(Buffer& to) : to_(to) { block_.reserve(kBlock); }

  void write(BytesView plain) override {
    begin();
    while (!plain.empty()) {
      size_t size = std::min(plain.size(), kBlock - block_.size());
      block_.insert(block_.end(), plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(size));
      plain = plain.subspan(size);
      if (block_.size() == kBlock) flush();
    }
  }
  void finish() override {
    begin();
    if (!block_.empty()) flush();
  }
  size_t pending() const override { return block_.size(); }

 private:
  void begin() {
    if (begun_) return;
    begun_ = true;
    to_.insert(to_.end(), kXerialMagic.begin(), kXerialMagic.end());
    append_be32(to_, kXerialVersion);
    append_be32(to_, kXerialVersion);  // the oldest version that can read it
  }
  void flush() {
    size_t at = to_.size();
    to_.resize(at + sizeof(uint32_t) + snappy::MaxCompressedLength(block_.size()));
    size_t written = 0;
    snappy::RawCompress(chars(block_.data()), block_.size(), chars(to_.data() + at + sizeof(uint32_t)), &written);
    store_be(to_.data() + at, static_cast<uint32_t>(written));
    to_.resize(at + sizeof(uint32_t) + written);
    block_.clear();
  }

  Buffer& to_;
  Buffer block_;
  bool begun_ = false;
};

class SnappyDecompressor final : public Decompressor {
 public:
  SnappyDecompressor(BytesView compressed, size_t block_bytes_max)
      : rest_(compressed), block_bytes_max_(block_bytes_max) {}

  Result<size_t> read(MutableBytes into) override {
    if (!begun_) TRY(begin());
    while (plain_at_ == plain_.size()) {
      if (rest_.empty()) return 0;
      TRY(next_block());
    }
    size_t size = std::min(into.size(), plain_.size() - plain_at_);
    std::copy_n(plain_.begin() + static_cast<std::ptrdiff_t>(plain_at_), size, into.begin());
    plain_at_ += size;
    return size;
  }

 private:
  Result<> begin() {
    begun_ = true;
    if (rest_.empty()) return fail(ErrorCode::kCorrupt, "the snappy data is missing");
    framed_ = starts_frame();
    // Java reads any version that says version 1 can read it, and so any number some writer put there does no harm.
    if (framed_) rest_ = rest_.subspan(kXerialHeader);
    return {};
  }
  bool starts_frame() const {
    return rest_.size() >= kXerialHeader && std::equal(kXerialMagic.begin(), kXerialMagic.end(), rest_.begin());
  }

  Result<> next_block() {
    BytesView block = rest_;
    if (framed_) {
      if (starts_frame()) {  // streams one behind the other
        rest_ = rest_.subspan(kXerialHeader);
        plain_.clear();
        plain_at_ = 0;
        return {};
      }
      if (rest_.size() < sizeof(uint32_t)) return fail(ErrorCode::kCorrupt, "the snappy stream ends early");
      uint32_t size = load_be<uint32_t>(rest_.data());
      if (size > rest_.size() - sizeof(uint32_t))
        return fail(ErrorCode::kCorrupt, "a snappy block is longer than its data");
      block = rest_.subspan(sizeof(uint32_t), size);
      rest_ = rest_.subspan(sizeof(uint32_t) + size);
    } else {
      rest_ = {};
    }
    return open_block(block);
  }

  Result<> open_block(BytesView block) {
    size_t size = 0;
    if (!snappy::GetUncompressedLength(chars(block.data()), block.size(), &size)) {
      return fail(ErrorCode::kCorrupt, "a snappy block has no size");
    }
    if (size > block.size() * kRatioMax + kRatioSlack) {
      return fail(ErrorCode::kCorrupt, "a snappy block claims more than it can hold");
    }
    if (size > block_bytes_max_) return fail(ErrorCode::kCorrupt, "a snappy block is too large to open");
    plain_.resize(size);
    plain_at_ = 0;
    if (!snappy::RawUncompress(chars(block.data()), block.size(), chars(plain_.data()))) {
      return fail(ErrorCode::kCorrupt, "a snappy block is damaged");
    }
    return {};
  }

  BytesView rest_;
  size_t block_bytes_max_;
  Buffer plain_;
  size_t plain_at_ = 0;
  bool begun_ = false;
  bool framed_ = false;
};

}  // namespace

std::unique_ptr<Compressor> make_snappy_compressor(Buffer& to) {
  return std::make_unique<SnappyCompressor>(to);
}
std::unique_ptr<Decompressor> make_snappy_decompressor(BytesView compressed, size_t block_bytes_max) {
  return std::make_unique<SnappyDecompressor>(compressed, block_bytes_max);
}

}  // namespace barnabas::wire
