#include <zstd.h>

#include <algorithm>

#include "base/check.h"
#include "wire/compression_codecs.h"

namespace barnabas::wire {

namespace {

constexpr size_t kGrowBy = 16 << 10;
// The library plans its tables by the size of the data. Unknown, that is up to 700 MiB at level 22, to be cleared for
// each batch; so plain bytes are held back until there are this many, and most batches are compressed in one go.
constexpr size_t kHeldBackMax = 1 << 20;
// For larger ones: the highest levels' tables as if the data were some MiB.
constexpr int kFirstLevelWithLargeTables = 9;
constexpr int kWindowLogMax = 21;
constexpr int kHashLogMax = 21;
constexpr int kChainLogMax = 22;

struct FreeCompression {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeDecompression {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

class ZstdCompressor final : public Compressor {
 public:
  ZstdCompressor(int level, Buffer& to) : to_(to), context_(ZSTD_createCCtx()) {
    CHECK(context_ != nullptr);
    level_ = std::clamp(level, ZSTD_minCLevel(), ZSTD_maxCLevel());
    set(ZSTD_c_compressionLevel, level_);
  }

  void write(BytesView plain) override {
    if (!streaming_ && held_back_.size() + plain.size() <= kHeldBackMax) {
      held_back_.insert(held_back_.end(), plain.begin(), plain.end());
      return;
    }
    if (!streaming_) start_streaming();
    pump(plain);
    pending_ += plain.size();
  }
  void finish() override {
    // All of the data with the first call tells the library its size.
    ZSTD_inBuffer in{held_back_.data(), held_back_.size(), 0};
    while (turn(in, ZSTD_e_end) != 0) {
    }
    held_back_.clear();
    pending_ = 0;
  }
  size_t pending() const override { return pending_ + held_back_.size(); }

 private:
  void set(ZSTD_cParameter parameter, int value) {
    CHECK(!ZSTD_isError(ZSTD_CCtx_setParameter(context_.get(), parameter, value)));
  }

  void start_streaming() {
    streaming_ = true;
    if (level_ >= kFirstLevelWithLargeTables) {
      set(ZSTD_c_windowLog, kWindowLogMax);
      set(ZSTD_c_hashLog, kHashLogMax);
      set(ZSTD_c_chainLog, kChainLogMax);
    }
    pump(held_back_);
    held_back_ = Buffer();
  }
  void pump(BytesView plain) {
    ZSTD_inBuffer in{plain.data(), plain.size(), 0};
    while (in.pos < in.size) turn(in, ZSTD_e_continue);
  }

  size_t turn(ZSTD_inBuffer& in, ZSTD_EndDirective directive) {
    size_t before = to_.size();
    to_.resize(before + kGrowBy);
    ZSTD_outBuffer out{to_.data() + before, kGrowBy, 0};
    size_t left = ZSTD_compressStream2(context_.get(), &out, &in, directive);
    CHECK(!ZSTD_isError(left));
    to_.resize(before + out.pos);
    if (out.pos > 0) pending_ = 0;
    return left;
  }

  Buffer& to_;
  std::unique_ptr<ZSTD_CCtx, FreeCompression> context_;
  int level_ = 0;
  Buffer held_back_;
  bool streaming_ = false;
  size_t pending_ = 0;
};

class ZstdDecompressor final : public Decompressor {
 public:
  explicit ZstdDecompressor(BytesView compressed)
      : in_{compressed.data(), compressed.size(), 0}, context_(ZSTD_createDCtx()) {
    CHECK(context_ != nullptr);
  }

  Result<size_t> read(MutableBytes into) override {
    while (in_.pos < in_.size || in_frame_) {
      ZSTD_outBuffer out{into.data(), into.size(), 0};
      size_t before = in_.pos;
      size_t hint = ZSTD_decompressStream(context_.get(), &out, &in_);
      if (ZSTD_isError(hint)) return fail(ErrorCode::kCorrupt, "the zstd frame is damaged");
      in_frame_ = hint != 0;
      if (out.pos > 0) return out.pos;
      if (in_frame_ && in_.pos == before) return fail(ErrorCode::kCorrupt, "the zstd frame ends early");
    }
    return 0;
  }

 private:
  ZSTD_inBuffer in_;
  std::unique_ptr<ZSTD_DCtx, FreeDecompression> context_;
  bool in_frame_ = true;  // no data at all is not a frame
};

}  // namespace

std::unique_ptr<Compressor> make_zstd_compressor(int level, Buffer& to) {
  return std::make_unique<ZstdCompressor>(level, to);
}
std::unique_ptr<Decompressor> make_zstd_decompressor(BytesView compressed) {
  return std::make_unique<ZstdDecompressor>(compressed);
}

}  // namespace barnabas::wire
