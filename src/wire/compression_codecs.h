// The codecs one by one, for compression.cpp alone. Each file wraps one library; its header stays in there.
#pragma once

#include <memory>

#include "wire/compression.h"

namespace barnabas::wire {

// `level` is Kafka's and valid.
std::unique_ptr<Compressor> make_gzip_compressor(int level, Buffer& to);
std::unique_ptr<Compressor> make_snappy_compressor(Buffer& to);
std::unique_ptr<Compressor> make_lz4_compressor(int level, Buffer& to);
std::unique_ptr<Compressor> make_zstd_compressor(int level, Buffer& to);

std::unique_ptr<Decompressor> make_gzip_decompressor(BytesView compressed);
std::unique_ptr<Decompressor> make_snappy_decompressor(BytesView compressed, size_t block_bytes_max);
std::unique_ptr<Decompressor> make_lz4_decompressor(BytesView compressed);
std::unique_ptr<Decompressor> make_zstd_decompressor(BytesView compressed);

}  // namespace barnabas::wire
