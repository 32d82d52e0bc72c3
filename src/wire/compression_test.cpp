#include "wire/compression.h"

#include <gtest/gtest.h>
#include <lz4frame.h>
#include <snappy.h>
#include <zstd.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace barnabas::wire {
namespace {

constexpr Codec kCodecs[] = {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd};
constexpr Codec kRealCodecs[] = {Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd};
constexpr size_t kPlenty = size_t{64} << 20;

// Text with some repetition in it, as records have.
Buffer sample(size_t size, uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < size) {
    text += "{\"user\":" + std::to_string(random() % 5000) +
            ",\"action\":\"click\",\"at\":" + std::to_string(random()) + "}";
  }
  text.resize(size);
  return to_buffer(as_bytes(text));
}

Buffer noise(size_t size) {
  std::mt19937 random(7);
  Buffer bytes(size);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random());
  return bytes;
}

Buffer from_hex(std::string_view hex) {
  Buffer bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// What is read in pieces of an odd size, or the error.
Result<Buffer> read_in_pieces(Codec codec, BytesView compressed, size_t piece) {
  TRY_ASSIGN(auto stream, Decompressor::make(codec, compressed));
  Buffer plain;
  Buffer scratch(piece);
  for (;;) {
    TRY_ASSIGN(size_t got, stream->read(scratch));
    if (got == 0) return plain;
    plain.insert(plain.end(), scratch.begin(), scratch.begin() + static_cast<std::ptrdiff_t>(got));
  }
}

TEST(Compression, EveryCodecGivesBackWhatItTook) {
  for (Codec codec : kCodecs) {
    for (size_t size : {0, 1, 100, 32768, 65536, 65537, 300000}) {
      Buffer plain = sample(size);
      Buffer compressed = compress({codec}, plain);
      auto back = decompress(codec, compressed, size);
      if (size == 0 && codec == Codec::kNone) continue;
      ASSERT_TRUE(back.has_value()) << codec_name(codec) << size << back.error().message;
      EXPECT_EQ(*back, plain) << codec_name(codec) << size;
    }
  }
}

TEST(Compression, BytesThatDoNotShrinkComeBackToo) {
  Buffer plain = noise(200000);
  for (Codec codec : kRealCodecs) {
    auto back = decompress(codec, compress({codec}, plain), plain.size());
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(*back, plain);
  }
}

TEST(Compression, EveryLevelWorks) {
  Buffer plain = sample(70000);
  auto check = [&](Codec codec, int level) {
    ASSERT_TRUE(level_is_valid(codec, level));
    auto back = decompress(codec, compress({codec, level}, plain), plain.size());
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(*back, plain) << codec_name(codec) << level;
  };
  for (int level : {-1, 1, 2, 3, 4, 5, 6, 7, 8, 9}) check(Codec::kGzip, level);
  for (int level = 1; level <= 17; ++level) check(Codec::kLz4, level);
  for (int level : {-131072, -5, -1, 0, 1, 3, 9, 19, 22}) check(Codec::kZstd, level);
}

TEST(Compression, LevelsHaveKafkasBounds) {
  for (int level : {-2, 0, 10}) EXPECT_FALSE(level_is_valid(Codec::kGzip, level));
  for (int level : {-1, 0, 18}) EXPECT_FALSE(level_is_valid(Codec::kLz4, level));
  for (int level : {-131073, 23}) EXPECT_FALSE(level_is_valid(Codec::kZstd, level));
  EXPECT_FALSE(level_is_valid(Codec::kSnappy, 1));
}

TEST(Compression, NamesAreThoseOfConfigurations) {
  for (Codec codec : kCodecs) EXPECT_EQ(codec_named(codec_name(codec)), codec);
  EXPECT_EQ(codec_named("uncompressed"), Codec::kNone);
  EXPECT_EQ(codec_named("producer"), std::nullopt);
}

TEST(Compression, PiecesOfAnySizeAreTheSame) {
  Buffer plain = sample(100000);
  for (Codec codec : kCodecs) {
    Buffer compressed;
    auto compressor = Compressor::make({codec}, compressed);
    for (size_t at = 0; at < plain.size(); at += 777) {
      compressor->write(BytesView(plain).subspan(at, std::min<size_t>(777, plain.size() - at)));
    }
    compressor->finish();
    for (size_t piece : {1, 1000, 70000}) {
      auto back = read_in_pieces(codec, compressed, piece);
      ASSERT_TRUE(back.has_value());
      EXPECT_EQ(*back, plain) << codec_name(codec) << piece;
    }
  }
}

TEST(Compression, ACompressorAppends) {
  for (Codec codec : kCodecs) {
    Buffer to = to_buffer(as_bytes("header"));
    auto compressor = Compressor::make({codec}, to);
    compressor->write(as_bytes("payload"));
    compressor->finish();
    EXPECT_EQ(as_text(BytesView(to).first(6)), "header");
    auto back = decompress(codec, BytesView(to).subspan(6), 100);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(as_text(*back), "payload");
  }
}

TEST(Compression, EveryCutIsAnErrorOrLess) {
  Buffer plain = sample(3000);
  for (Codec codec : kRealCodecs) {
    Buffer compressed = compress({codec}, plain);
    for (size_t size = 0; size < compressed.size(); ++size) {
      auto back = decompress(codec, BytesView(compressed).first(size), kPlenty);
      if (back.has_value()) {
        EXPECT_LT(back->size(), plain.size()) << codec_name(codec) << " cut at " << size;
      } else {
        EXPECT_EQ(back.error().code, ErrorCode::kCorrupt);
      }
    }
  }
}

TEST(Compression, AFlippedByteNeverHarms) {
  Buffer plain = sample(3000);
  for (Codec codec : kRealCodecs) {
    Buffer compressed = compress({codec}, plain);
    for (size_t at = 0; at < compressed.size(); ++at) {
      for (uint8_t flip : {0x01, 0x80, 0xff}) {
        Buffer damaged = compressed;
        damaged[at] ^= std::byte{flip};
        auto back = decompress(codec, damaged, kPlenty);
        if (back.has_value()) EXPECT_LE(back->size(), kPlenty);
      }
    }
  }
}

TEST(Compression, GarbageIsRefused) {
  Buffer garbage = noise(500);
  garbage[0] = std::byte{0xff};  // for raw snappy, a claim it cannot keep
  for (Codec codec : kRealCodecs) EXPECT_FALSE(decompress(codec, garbage, kPlenty).has_value()) << codec_name(codec);
  for (int bits : {5, 6, 7}) {
    auto opened = Decompressor::make(static_cast<Codec>(bits), garbage);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, ErrorCode::kUnsupported);
  }
}

TEST(Compression, ABombStopsAtTheLimit) {
  constexpr size_t kPlain = size_t{16} << 20;
  constexpr size_t kLimit = 1 << 20;
  Buffer zeros(kPlain);
  for (Codec codec : kRealCodecs) {
    Buffer bomb = compress({codec}, zeros);
    auto back = decompress(codec, bomb, kLimit);
    ASSERT_FALSE(back.has_value());
    EXPECT_EQ(back.error().code, ErrorCode::kCorrupt);
    EXPECT_TRUE(decompress(codec, bomb, kPlain).has_value());
    EXPECT_FALSE(decompress(codec, bomb, kPlain - 1).has_value());
  }
}

TEST(Snappy, FrameHeaderIsBigEndianAndBlocksAreJavas) {
  Buffer compressed = compress({Codec::kSnappy}, sample(32768 + 1));
  EXPECT_EQ(to_hex(BytesView(compressed).first(16)), "82534e41505059000000000100000001");
  uint32_t first = load_be<uint32_t>(compressed.data() + 16);
  size_t plain = 0;
  ASSERT_TRUE(snappy::GetUncompressedLength(reinterpret_cast<const char*>(compressed.data() + 20), first, &plain));
  EXPECT_EQ(plain, 32768u);
  EXPECT_EQ(load_be<uint32_t>(compressed.data() + 20 + first) + 24 + first, compressed.size());
}

TEST(Snappy, RawBlocksAreReadToo) {
  Buffer plain = sample(100000);
  std::string raw;
  snappy::Compress(reinterpret_cast<const char*>(plain.data()), plain.size(), &raw);
  auto back = decompress(Codec::kSnappy, as_bytes(raw), plain.size());
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(*back, plain);
}

TEST(Snappy, StreamsOneBehindTheOtherAreOne) {
  Buffer two = compress({Codec::kSnappy}, as_bytes("first,"));
  Buffer second = compress({Codec::kSnappy}, as_bytes("second"));
  two.insert(two.end(), second.begin(), second.end());
  auto back = decompress(Codec::kSnappy, two, 100);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(as_text(*back), "first,second");
}

TEST(Snappy, AClaimedSizeIsNotBelieved) {
  // 2^32-1 plain bytes out of five.
  EXPECT_FALSE(decompress(Codec::kSnappy, from_hex("ffffffff0f00"), kPlenty).has_value());
  EXPECT_FALSE(decompress(Codec::kSnappy, from_hex("82534e41505059000000000100000001ffffffff00"), kPlenty).has_value());
}

TEST(Lz4, FramesAreKafkas) {
  Buffer compressed = compress({Codec::kLz4}, sample(200000));
  // Magic; version 1, independent blocks, no checksums; 64 KiB blocks; the checksum of those two bytes.
  EXPECT_EQ(to_hex(BytesView(compressed).first(7)), "04224d18604082");
}

TEST(Lz4, LinkedBlocksChecksumsAndLargeBlocksAreRead) {
  Buffer plain = sample(500000);
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockSizeID = LZ4F_max1MB;
  preferences.frameInfo.blockMode = LZ4F_blockLinked;
  preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  preferences.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled;
  preferences.frameInfo.contentSize = plain.size();
  Buffer compressed(LZ4F_compressFrameBound(plain.size(), &preferences));
  compressed.resize(LZ4F_compressFrame(compressed.data(), compressed.size(), plain.data(), plain.size(), &preferences));
  auto back = decompress(Codec::kLz4, compressed, plain.size());
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(*back, plain);
}

TEST(Frames, OneBehindTheOtherAreReadAsOne) {
  for (Codec codec : {Codec::kGzip, Codec::kLz4, Codec::kZstd}) {
    Buffer two = compress({codec}, as_bytes("first,"));
    Buffer second = compress({codec}, as_bytes("second"));
    two.insert(two.end(), second.begin(), second.end());
    auto back = decompress(codec, two, 100);
    ASSERT_TRUE(back.has_value()) << codec_name(codec);
    EXPECT_EQ(as_text(*back), "first,second");
  }
}

TEST(Gzip, WhatFollowsAMemberIsIgnoredAsJavaDoes) {
  Buffer bytes = compress({Codec::kGzip}, as_bytes("all"));
  bytes.push_back(std::byte{0x55});
  auto back = decompress(Codec::kGzip, bytes, 100);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(as_text(*back), "all");
}

TEST(Zstd, AHugeWindowClaimCostsNothing) {
  // As Java's level 22: it does not know the size of what will come, and announces a window of 128 MiB.
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), &ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, 1);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, 27);
  Buffer compressed(200);
  ZSTD_outBuffer out{compressed.data(), compressed.size(), 0};
  ZSTD_inBuffer in{"small", 5, 0};
  ZSTD_inBuffer nothing{nullptr, 0, 0};
  ZSTD_compressStream2(context.get(), &out, &in, ZSTD_e_continue);
  ASSERT_EQ(ZSTD_compressStream2(context.get(), &out, &nothing, ZSTD_e_end), 0u);
  compressed.resize(out.pos);
  auto back = decompress(Codec::kZstd, compressed, 5);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(as_text(*back), "small");
}

}  // namespace
}  // namespace barnabas::wire
