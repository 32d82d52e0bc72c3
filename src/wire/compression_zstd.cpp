#include <zstd.h>

#include <algorithm>

#include "base/check.h"
#include "wire/compression_codecs.h"

namespace barnabas::wire {

namespace {

constexpr size_t kGrowBy = 16 << 10;

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
    // Levels below what this library has mean its lowest, as in Java.
    CHECK(!ZSTD_isError(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel,
                                               std::clamp(level, ZSTD_minCLevel(), ZSTD_maxCLevel()))));
  }

  void write(BytesView plain) override {
    ZSTD_inBuffer in{plain.data(), plain.size(), 0};
    while (in.pos < in.size) turn(in, ZSTD_e_continue);
    pending_ += plain.size();
  }
  void finish() override {
    ZSTD_inBuffer in{nullptr, 0, 0};
    while (turn(in, ZSTD_e_end) != 0) {
    }
    pending_ = 0;
  }
  size_t pending() const override { return pending_; }

 private:
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
