#include "wire/frame.h"

#include <fmt/format.h>

#include <limits>

#include "wire/api.h"
#include "wire/messages/api_versions_response.h"

namespace barnabas::wire {

Result<RequestHeader> decode_request_header(Reader& in) {
  // Key and version stand first in every form of the header and decide which one it is.
  Reader ahead = in;
  int16_t key = ahead.int16();
  int16_t version = ahead.int16();
  if (ahead.failed()) return std::unexpected(ahead.error(RequestHeader::kName));
  const ApiInfo* api = find_api(key);
  if (!api) return fail(ErrorCode::kUnsupported, fmt::format("there is no API with key {}", key));
  return RequestHeader::decode(in, version >= api->flexible_from ? 2 : 1);
}

Result<int32_t> decode_response_header(Reader& in, int16_t api_key, int16_t flexible_from, int16_t version) {
  bool flexible = version >= flexible_from && api_key != ApiVersionsResponse::kApiKey;
  TRY_ASSIGN(ResponseHeader header, ResponseHeader::decode(in, flexible ? 1 : 0));
  return header.correlation_id;
}

OpenFrame open_response(Writer& out, int16_t api_key, bool flexible, int32_t correlation_id) {
  OpenFrame frame{out.hole_int32(), out.size()};
  out.int32(correlation_id);
  // ApiVersions answers with the oldest header always: its client may not know what the server is.
  if (flexible && api_key != ApiVersionsResponse::kApiKey) out.uvarint(0);
  return frame;
}

OpenFrame open_request(Writer& out, const RequestHeader& header, bool flexible) {
  OpenFrame frame{out.hole_int32(), out.size()};
  if (auto done = header.encode(out, flexible ? 2 : 1); !done) out.fail(done.error().message);
  return frame;
}

Result<> close_frame(Writer& out, OpenFrame frame) {
  uint64_t length = out.size() - frame.start;
  if (length > std::numeric_limits<int32_t>::max()) out.fail("a frame is longer than 2147483647 bytes");
  out.patch_int32(frame.length, static_cast<int32_t>(length));
  return out.status();
}

}  // namespace barnabas::wire
