#include <zlib.h>

#include <algorithm>

#include "base/check.h"
#include "wire/compression_codecs.h"

namespace barnabas::wire {

namespace {

constexpr int kGzipWindowBits = 15 + 16;
constexpr int kMemoryLevel = 8;
constexpr size_t kGrowBy = 8 << 10;

// zlib counts in unsigned int.
uInt as_uint(size_t size) {
  return static_cast<uInt>(std::min<size_t>(size, size_t{1} << 30));
}

class GzipCompressor final : public Compressor {
 public:
  GzipCompressor(int level, Buffer& to) : to_(to) {
    CHECK(deflateInit2(&stream_, level, Z_DEFLATED, kGzipWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY) == Z_OK);
  }
  ~GzipCompressor() override { deflateEnd(&stream_); }

  void write(BytesView plain) override {
    while (!plain.empty()) {
      stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(plain.data()));
      stream_.avail_in = as_uint(plain.size());
      size_t offered = stream_.avail_in;
      while (stream_.avail_in > 0) turn(Z_NO_FLUSH);
      plain = plain.subspan(offered);
    }
  }
  void finish() override {
    while (turn(Z_FINISH) != Z_STREAM_END) {
    }
  }
  // What deflate has swallowed since it last let something out.
  size_t pending() const override { return stream_.total_in - in_at_last_output_; }

 private:
  // What deflate has swallowed since it last let something out.

  int turn(int flush) {
    size_t before = to_.size();
    to_.resize(before + kGrowBy);
    stream_.next_out = reinterpret_cast<Bytef*>(to_.data() + before);
    stream_.avail_out = kGrowBy;
    int code = deflate(&stream_, flush);
    CHECK(code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR);
    size_t written = kGrowBy - stream_.avail_out;
    to_.resize(before + written);
    if (written > 0) in_at_last_output_ = stream_.total_in;
    return code;
  }

  Buffer& to_;
  z_stream stream_{};
  size_t in_at_last_output_ = 0;
};

class GzipDecompressor final : public Decompressor {
 public:
  explicit GzipDecompressor(BytesView compressed) : rest_(compressed) {
    CHECK(inflateInit2(&stream_, kGzipWindowBits) == Z_OK);
  }
  ~GzipDecompressor() override { inflateEnd(&stream_); }

  Result<size_t> read(MutableBytes into) override {
    while (!ended_) {
      stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(rest_.data()));
      stream_.avail_in = as_uint(rest_.size());
      stream_.next_out = reinterpret_cast<Bytef*>(into.data());
      stream_.avail_out = as_uint(into.size());
      size_t room = stream_.avail_out;
      size_t offered = stream_.avail_in;
      int code = inflate(&stream_, Z_NO_FLUSH);
      rest_ = rest_.subspan(offered - stream_.avail_in);
      size_t got = room - stream_.avail_out;
      if (code == Z_STREAM_END) {
        TRY(next_member());
      } else if (got > 0) {
        return got;  // what is wrong behind it is said next time
      } else if (code == Z_BUF_ERROR || (code == Z_OK && got == 0 && rest_.empty())) {
        return fail(ErrorCode::kCorrupt, "the gzip data ends early");
      } else if (code != Z_OK) {
        return fail(ErrorCode::kCorrupt, "the gzip data is damaged");
      }
      if (got > 0) return got;
    }
    return 0;
  }

 private:
  // As java.util.zip: another member may follow; anything else behind a member is not looked at.
  Result<> next_member() {
    bool another = rest_.size() >= 2 && rest_[0] == std::byte{0x1f} && rest_[1] == std::byte{0x8b};
    if (!another) {
      ended_ = true;
    } else if (inflateReset(&stream_) != Z_OK) {
      return fail(ErrorCode::kCorrupt, "the gzip data is damaged");
    }
    return {};
  }

  BytesView rest_;
  z_stream stream_{};
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Compressor> make_gzip_compressor(int level, Buffer& to) {
  return std::make_unique<GzipCompressor>(level, to);
}
std::unique_ptr<Decompressor> make_gzip_decompressor(BytesView compressed) {
  return std::make_unique<GzipDecompressor>(compressed);
}

}  // namespace barnabas::wire
