// Frames that the nodes of real Apache Kafka 4.3.0 clusters exchanged (testdata/cluster_frames.txt.gz): boot,
// elections, replication, failures, changes of voters, transactions. Each must decode and encode to the same bytes.
#include <gtest/gtest.h>
#include <zlib.h>

#include <sstream>
#include <string>

#include "wire/frame.h"
#include "wire/testing/catalog.h"

namespace barnabas::wire {
namespace {

struct Captured {
  std::string api;
  int16_t version = 0;
  bool request = false;
  Buffer bytes;
};

Buffer from_hex(std::string_view text) {
  auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Buffer bytes;
  for (size_t at = 0; at + 1 < text.size(); at += 2) {
    bytes.push_back(static_cast<std::byte>(digit(text[at]) * 16 + digit(text[at + 1])));
  }
  return bytes;
}

std::vector<Captured> captured_frames() {
  gzFile file = gzopen(BARNABAS_TESTDATA "/cluster_frames.txt.gz", "rb");
  std::string text;
  std::string piece(1 << 16, '\0');
  for (int got; file && (got = gzread(file, piece.data(), static_cast<unsigned>(piece.size()))) > 0;) {
    text.append(piece, 0, static_cast<size_t>(got));
  }
  gzclose(file);

  std::vector<Captured> frames;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string run, seconds, listener, connection, arrow, version, id;
    Captured frame;
    words >> run >> seconds >> listener >> connection >> arrow >> frame.api >> version >> id;
    frame.request = arrow == ">";
    frame.version = static_cast<int16_t>(std::stoi(version.substr(1)));
    frame.bytes = from_hex(std::string_view(line).substr(line.rfind(' ') + 1));
    frames.push_back(std::move(frame));
  }
  return frames;
}

Result<Buffer> transcode_request(const Captured& frame, const testing::MessageEntry& message) {
  Reader in(frame.bytes);
  TRY_ASSIGN(RequestHeader header, decode_request_header(in));
  TRY_ASSIGN(Buffer body, message.transcode(in.rest(), header.api_version));
  Writer out;
  TRY(header.encode(out, frame.version >= message.flexible_from ? 2 : 1));
  out.raw(body);
  return out.take_contiguous();
}

Result<Buffer> transcode_response(const Captured& frame, const testing::MessageEntry& message, int16_t key) {
  Reader in(frame.bytes);
  TRY_ASSIGN(int32_t id, decode_response_header(in, key, message.flexible_from, frame.version));
  TRY_ASSIGN(Buffer body, message.transcode(in.rest(), frame.version));
  Writer out;
  OpenFrame open = open_response(out, key, frame.version >= message.flexible_from, id);
  out.raw(body);
  TRY(close_frame(out, open));
  Buffer whole = out.take_contiguous();
  return Buffer(whole.begin() + 4, whole.end());
}

TEST(CapturedFrames, OfARealClusterComeBackToTheByte) {
  std::vector<Captured> frames = captured_frames();
  ASSERT_EQ(frames.size(), 1188U);
  for (const Captured& frame : frames) {
    const auto* message = testing::find_message(frame.api + (frame.request ? "Request" : "Response"));
    ASSERT_NE(message, nullptr) << frame.api;
    int16_t key = frame.api == "ApiVersions" ? 18 : -1;
    auto again = frame.request ? transcode_request(frame, *message) : transcode_response(frame, *message, key);
    ASSERT_TRUE(again) << frame.api << " v" << frame.version << ": " << again.error().message << " in "
                       << to_hex(frame.bytes);
    EXPECT_EQ(to_hex(*again), to_hex(frame.bytes)) << frame.api << " v" << frame.version;
  }
}

}  // namespace
}  // namespace barnabas::wire
