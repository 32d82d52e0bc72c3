// Our side of the proof that messages are Kafka's to the byte; run.py drives it against WireProof.java.
//
//   wire_proof_messages list                   writes "name min max" lines
//   wire_proof_messages make <seed> <rounds>   writes "name version hex" lines: random values
//   wire_proof_messages check                  reads such lines; decodes and encodes each; ends with "passed <n>"
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

#include "wire/metadata_record.h"
#include "wire/testing/catalog.h"

namespace barnabas::wire::testing {
namespace {

constexpr std::string_view kFramed = "framed/";

Buffer from_hex(std::string_view text) {
  auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Buffer bytes;
  for (size_t at = 0; at + 1 < text.size(); at += 2) {
    bytes.push_back(static_cast<std::byte>(digit(text[at]) * 16 + digit(text[at + 1])));
  }
  return bytes;
}

void list() {
  for (const MessageEntry& message : all_messages()) {
    std::cout << message.name << ' ' << message.min_version << ' ' << message.max_version << '\n';
  }
}

// A record of the metadata log as that log holds it.
Buffer frame(int16_t key, int16_t version, BytesView body) {
  Writer out;
  out.uvarint(1);
  out.uvarint(static_cast<uint32_t>(key));
  out.uvarint(static_cast<uint32_t>(version));
  out.raw(body);
  return out.take_contiguous();
}

template <class... Records>
int16_t metadata_key(std::string_view name, const std::variant<Records...>*) {
  int16_t key = -1;
  ((Records::kName == name ? void(key = Records::kApiKey) : void()), ...);
  return key;
}

int make(uint64_t seed, int rounds) {
  Sampler sampler(seed);
  for (const MessageEntry& message : all_messages()) {
    int16_t key = metadata_key(message.name, static_cast<const MetadataRecord*>(nullptr));
    for (int16_t version = message.min_version; version <= message.max_version; ++version) {
      for (int round = 0; round < rounds; ++round) {
        auto bytes = message.sample(sampler, version);
        if (!bytes) {
          std::cerr << message.name << " " << version << ": " << bytes.error().message << '\n';
          return 1;
        }
        std::cout << message.name << ' ' << version << ' ' << to_hex(*bytes) << '\n';
        if (key >= 0)
          std::cout << kFramed << message.name << ' ' << version << ' ' << to_hex(frame(key, version, *bytes)) << '\n';
      }
    }
  }
  return 0;
}

Result<Buffer> transcode(const std::string& name, int16_t version, const Buffer& bytes) {
  if (name.starts_with(kFramed)) {
    TRY_ASSIGN(MetadataRecord record, decode_metadata_record(bytes));
    return encode_metadata_record(record, version);
  }
  const MessageEntry* message = find_message(name);
  if (!message) return fail(ErrorCode::kNotFound, "there is no such message");
  return message->transcode(bytes, version);
}

void check() {
  uint64_t passed = 0;
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string name, hex;
    int16_t version = 0;
    words >> name >> version >> hex;
    Buffer bytes = from_hex(hex);
    auto again = transcode(name, version, bytes);
    if (!again) {
      std::cout << "fail " << line << " we say " << again.error().message << '\n';
    } else if (*again != bytes) {
      std::cout << "fail " << line << " we write it as " << to_hex(*again) << '\n';
    } else {
      ++passed;
    }
  }
  std::cout << "passed " << passed << '\n';
}

}  // namespace
}  // namespace barnabas::wire::testing

int main(int argc, char** argv) {
  using namespace barnabas::wire::testing;
  std::ios::sync_with_stdio(false);
  std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "list") {
    list();
  } else if (mode == "make" && argc == 4) {
    return make(std::strtoull(argv[2], nullptr, 10), std::atoi(argv[3]));
  } else if (mode == "check") {
    check();
  } else {
    std::cerr << "usage: wire_proof_messages list | make <seed> <rounds> | check\n";
    return 2;
  }
  return 0;
}
