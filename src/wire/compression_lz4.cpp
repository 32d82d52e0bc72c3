#include <lz4frame.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "wire/compression_codecs.h"

namespace barnabas::wire {

namespace {

constexpr size_t kBlock = 64 << 10;
constexpr int kKafkaFastLevel = 9;  // Kafka's default, which Java reads as "the fast compressor, not the high one"
constexpr int kFrameHighMin = 3;    // below it liblz4's frames use the fast compressor
constexpr int kFrameHighMax = 12;

int frame_level(int kafka_level) {
  return kafka_level == kKafkaFastLevel ? 0 : std::clamp(kafka_level, kFrameHighMin, kFrameHighMax);
}

// Frames as Kafka's: 64 KiB blocks that stand alone, no checksum over the content.
class Lz4Compressor final : public Compressor {
 public:
  Lz4Compressor(int level, Buffer& to) : to_(to) {
    preferences_.frameInfo.blockSizeID = LZ4F_max64KB;
    preferences_.frameInfo.blockMode = LZ4F_blockIndependent;
    preferences_.frameInfo.contentChecksumFlag = LZ4F_noContentChecksum;
    preferences_.compressionLevel = frame_level(level);
    CHECK(!LZ4F_isError(LZ4F_createCompressionContext(&context_, LZ4F_VERSION)));
  }
  ~Lz4Compressor() override { LZ4F_freeCompressionContext(context_); }

  void write(BytesView plain) override {
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
    size_t before = to_.size();
    to_.resize(before + LZ4F_compressBound(0, &preferences_));
    settle(before, LZ4F_compressEnd(context_, to_.data() + before, to_.size() - before, nullptr));
  }
  size_t pending() const override { return block_.size(); }

 private:
  void begin() {
    if (begun_) return;
    begun_ = true;
    size_t before = to_.size();
    to_.resize(before + LZ4F_HEADER_SIZE_MAX);
    settle(before, LZ4F_compressBegin(context_, to_.data() + before, LZ4F_HEADER_SIZE_MAX, &preferences_));
  }
  // Room is made for a whole block, so it is not done for every record.
  void flush() {
    begin();
    size_t before = to_.size();
    to_.resize(before + LZ4F_compressBound(block_.size(), &preferences_));
    settle(before, LZ4F_compressUpdate(context_, to_.data() + before, to_.size() - before, block_.data(), block_.size(),
                                       nullptr));
    block_.clear();
  }
  void settle(size_t before, size_t written) {
    CHECK(!LZ4F_isError(written));
    to_.resize(before + written);
  }

  Buffer& to_;
  LZ4F_preferences_t preferences_{};
  LZ4F_cctx* context_ = nullptr;
  Buffer block_;
  bool begun_ = false;
};

// Any valid frames, one behind the other: linked blocks, larger blocks, checksums, skippable ones.
class Lz4Decompressor final : public Decompressor {
 public:
  explicit Lz4Decompressor(BytesView compressed) : rest_(compressed) {
    CHECK(!LZ4F_isError(LZ4F_createDecompressionContext(&context_, LZ4F_VERSION)));
  }
  ~Lz4Decompressor() override { LZ4F_freeDecompressionContext(context_); }

  Result<size_t> read(MutableBytes into) override {
    while (!rest_.empty() || in_frame_) {
      size_t got = into.size();
      size_t taken = rest_.size();
      size_t hint = LZ4F_decompress(context_, into.data(), &got, rest_.data(), &taken, nullptr);
      if (LZ4F_isError(hint)) return fail(ErrorCode::kCorrupt, "the lz4 frame is damaged");
      rest_ = rest_.subspan(taken);
      in_frame_ = hint != 0;
      if (got > 0) return got;
      if (in_frame_ && taken == 0) return fail(ErrorCode::kCorrupt, "the lz4 frame ends early");
    }
    return 0;
  }

 private:
  BytesView rest_;
  LZ4F_dctx* context_ = nullptr;
  bool in_frame_ = true;  // no data at all is not a frame
};

}  // namespace

std::unique_ptr<Compressor> make_lz4_compressor(int level, Buffer& to) {
  return std::make_unique<Lz4Compressor>(level, to);
}
std::unique_ptr<Decompressor> make_lz4_decompressor(BytesView compressed) {
  return std::make_unique<Lz4Decompressor>(compressed);
}

}  // namespace barnabas::wire
