// Compression of a batch's records: Kafka's codecs in the framing its Java clients write, and every framing they and
// others read. All of it is streaming: memory stays at some codec blocks whatever a frame claims about its size. No
// exceptions, no state between uses; objects belong to one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace barnabas::wire {

// The numbers are those of a batch's attributes and of PushTelemetry.
enum class Codec : int8_t { kNone = 0, kGzip = 1, kSnappy = 2, kLz4 = 3, kZstd = 4 };

// "none", "gzip", "snappy", "lz4", "zstd", or "unknown".
std::string_view codec_name(Codec codec);
// Of codec_name(), and "uncompressed" as configurations say for none.
std::optional<Codec> codec_named(std::string_view name);

// Levels as in compression.{gzip,lz4,zstd}.level: gzip 1..9 or -1, lz4 1..17, zstd -131072..22; others take none.
struct Compression {
  Codec codec = Codec::kNone;
  std::optional<int> level;  // absent: the codec's default (gzip -1, lz4 9, zstd 3)

  bool operator==(const Compression&) const = default;
};
bool level_is_valid(Codec codec, int level);

// Takes plain bytes in pieces and appends the compressed ones to a buffer.
class Compressor {
 public:
  // `to` must outlive the compressor, and others may append to it only before the first write. The level must be valid.
  static std::unique_ptr<Compressor> make(const Compression& compression, Buffer& to);

  virtual ~Compressor() = default;
  virtual void write(BytesView plain) = 0;
  // Ends the frame; nothing may be written after it.
  virtual void finish() = 0;
  // Bytes taken in that are not in the buffer yet.
  virtual size_t pending() const = 0;
};

inline constexpr size_t kBlockBytesMax = size_t{128} << 20;

// Gives the plain bytes of a compressed blob piece by piece.
class Decompressor {
 public:
  // `compressed` must outlive the decompressor. An unknown codec is kUnsupported. A snappy block can only be opened
  // whole: one of more than `block_bytes_max` plain bytes is refused.
  static Result<std::unique_ptr<Decompressor>> make(Codec codec, BytesView compressed,
                                                    size_t block_bytes_max = kBlockBytesMax);

  virtual ~Decompressor() = default;
  // Writes at most into.size() (> 0) bytes; 0 only at the end of the data. kInvalid: a gzip stream that is cut short,
  // which Kafka tells from damage; kCorrupt: all other bad data.
  virtual Result<size_t> read(MutableBytes into) = 0;
};

// The whole of it at once. More than `limit` plain bytes is an error (kCorrupt), found before memory for more than
// `limit` and a block is used.
Result<Buffer> decompress(Codec codec, BytesView compressed, size_t limit);
Buffer compress(const Compression& compression, BytesView plain);

}  // namespace barnabas::wire
