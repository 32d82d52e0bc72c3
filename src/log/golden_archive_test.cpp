// The bodies of testing/golden_archive.h.
#include "log/testing/golden_archive.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <array>
#include <bit>

#include "base/check.h"

namespace barnabas::log::testing {

namespace {

Buffer gunzip(const std::string& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  CHECK(file != nullptr, "the archive is not there");
  Buffer content;
  std::array<std::byte, 65536> chunk;
  int got = 0;
  while ((got = gzread(file, chunk.data(), chunk.size())) > 0) {
    content.insert(content.end(), chunk.begin(), chunk.begin() + got);
  }
  CHECK(got == 0, "the archive is broken");
  gzclose(file);
  return content;
}

constexpr std::array<uint32_t, 64> kRound = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

}  // namespace

void unpack(const std::string& path, MemoryDisk& disk, const std::string& directory) {
  Buffer archive = gunzip(path);
  constexpr size_t kBlock = 512;
  for (size_t at = 0; at + kBlock <= archive.size();) {
    const char* header = reinterpret_cast<const char*>(archive.data() + at);
    std::string name(header, strnlen(header, 100));
    if (name.empty()) break;
    std::string prefix(header + 345, strnlen(header + 345, 155));
    if (!prefix.empty()) name = prefix + "/" + name;
    size_t size = std::stoul(std::string(header + 124, 11), nullptr, 8);
    if (header[156] == '0') disk.write(directory + "/" + name, BytesView(archive).subspan(at + kBlock, size));
    at += kBlock + (size + kBlock - 1) / kBlock * kBlock;
  }
}

std::string sha256_hex(BytesView bytes) {
  std::array<uint32_t, 8> state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  Buffer padded = to_buffer(bytes);
  padded.push_back(std::byte{0x80});
  while (padded.size() % 64 != 56) padded.push_back(std::byte{0});
  padded.resize(padded.size() + 8);
  store_be(padded.data() + padded.size() - 8, static_cast<uint64_t>(bytes.size()) * 8);
  for (size_t block = 0; block < padded.size(); block += 64) {
    std::array<uint32_t, 64> w{};
    for (size_t i = 0; i < 16; ++i) w[i] = load_be<uint32_t>(padded.data() + block + 4 * i);
    for (size_t i = 16; i < 64; ++i) {
      uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
      uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    auto [a, b, c, d, e, f, g, h] = state;
    for (size_t i = 0; i < 64; ++i) {
      uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
      uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + kRound[i] + w[i];
      uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
      uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    uint32_t mixed[] = {a, b, c, d, e, f, g, h};
    for (size_t i = 0; i < 8; ++i) state[i] += mixed[i];
  }
  Buffer digest(32);
  for (size_t i = 0; i < 8; ++i) store_be(digest.data() + 4 * i, state[i]);
  return to_hex(digest);
}

TEST(GoldenArchive, TheDigestIsSha256) {
  EXPECT_EQ(sha256_hex(as_bytes("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace barnabas::log::testing
