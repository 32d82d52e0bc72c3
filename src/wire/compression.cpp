#include "wire/compression.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "wire/compression_codecs.h"

namespace barnabas::wire {

namespace {

constexpr int kGzipDefaultLevel = -1;
constexpr int kLz4DefaultLevel = 9;
constexpr int kZstdDefaultLevel = 3;
constexpr size_t kFirstPiece = 64 << 10;

class PlainCompressor final : public Compressor {
 public:
  explicit PlainCompressor(Buffer& to) : to_(to) {}
  void write(BytesView plain) override { to_.insert(to_.end(), plain.begin(), plain.end()); }
  void finish() override {}
  size_t pending() const override { return 0; }

 private:
  Buffer& to_;
};

class PlainDecompressor final : public Decompressor {
 public:
  explicit PlainDecompressor(BytesView bytes) : rest_(bytes) {}
  Result<size_t> read(MutableBytes into) override {
    size_t size = std::min(into.size(), rest_.size());
    std::copy_n(rest_.begin(), size, into.begin());
    rest_ = rest_.subspan(size);
    return size;
  }

 private:
  BytesView rest_;
};

}  // namespace

std::string_view codec_name(Codec codec) {
  switch (codec) {
    case Codec::kNone:
      return "none";
    case Codec::kGzip:
      return "gzip";
    case Codec::kSnappy:
      return "snappy";
    case Codec::kLz4:
      return "lz4";
    case Codec::kZstd:
      return "zstd";
  }
  return "unknown";
}

std::optional<Codec> codec_named(std::string_view name) {
  if (name == "uncompressed") return Codec::kNone;
  for (Codec codec : {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    if (codec_name(codec) == name) return codec;
  }
  return std::nullopt;
}

bool level_is_valid(Codec codec, int level) {
  switch (codec) {
    case Codec::kGzip:
      return level == kGzipDefaultLevel || (level >= 1 && level <= 9);
    case Codec::kLz4:
      return level >= 1 && level <= 17;
    case Codec::kZstd:
      return level >= -131072 && level <= 22;
    default:
      return false;
  }
}

std::unique_ptr<Compressor> Compressor::make(const Compression& compression, Buffer& to) {
  CHECK(!compression.level || level_is_valid(compression.codec, *compression.level));
  switch (compression.codec) {
    case Codec::kNone:
      return std::make_unique<PlainCompressor>(to);
    case Codec::kGzip:
      return make_gzip_compressor(compression.level.value_or(kGzipDefaultLevel), to);
    case Codec::kSnappy:
      return make_snappy_compressor(to);
    case Codec::kLz4:
      return make_lz4_compressor(compression.level.value_or(kLz4DefaultLevel), to);
    case Codec::kZstd:
      return make_zstd_compressor(compression.level.value_or(kZstdDefaultLevel), to);
  }
  CHECK(false, "a codec without a name");
}

Result<std::unique_ptr<Decompressor>> Decompressor::make(Codec codec, BytesView compressed, size_t block_bytes_max) {
  switch (codec) {
    case Codec::kNone:
      return std::make_unique<PlainDecompressor>(compressed);
    case Codec::kGzip:
      return make_gzip_decompressor(compressed);
    case Codec::kSnappy:
      return make_snappy_decompressor(compressed, block_bytes_max);
    case Codec::kLz4:
      return make_lz4_decompressor(compressed);
    case Codec::kZstd:
      return make_zstd_decompressor(compressed);
  }
  return fail(ErrorCode::kUnsupported, "no codec has the number " + std::to_string(static_cast<int>(codec)));
}

Result<Buffer> decompress(Codec codec, BytesView compressed, size_t limit) {
  TRY_ASSIGN(auto stream, Decompressor::make(codec, compressed, limit));
  Buffer plain;
  size_t filled = 0;
  for (;;) {
    if (filled == plain.size()) {
      // One byte of room beyond the limit tells "just full" from "too much".
      if (filled > limit) {
        return fail(ErrorCode::kCorrupt, "decompressed to more than " + std::to_string(limit) + " bytes");
      }
      size_t wanted = std::max(kFirstPiece, filled * 2);
      plain.resize(limit - filled < wanted - filled ? limit + 1 : wanted);
    }
    TRY_ASSIGN(size_t got, stream->read(MutableBytes(plain).subspan(filled)));
    if (got == 0) break;
    filled += got;
  }
  if (filled > limit) {
    return fail(ErrorCode::kCorrupt, "decompressed to more than " + std::to_string(limit) + " bytes");
  }
  plain.resize(filled);
  return plain;
}

Buffer compress(const Compression& compression, BytesView plain) {
  Buffer compressed;
  auto compressor = Compressor::make(compression, compressed);
  compressor->write(plain);
  compressor->finish();
  return compressed;
}

}  // namespace barnabas::wire
