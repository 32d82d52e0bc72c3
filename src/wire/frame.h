// Frames: what surrounds a message on a connection. A frame is an int32 length, a header and the body; the header's
// form follows from the key and version of the API. Reading the length and the bytes is the connection's work; these
// take the bytes after the length.
#pragma once

#include "base/check.h"
#include "base/result.h"
#include "wire/messages/request_header.h"
#include "wire/messages/response_header.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace barnabas::wire {

// The header of a request, its client id a view into the bytes. An error if the key is unknown or the header malformed;
// whether the version is served is the caller's question. A version above those known has the newest header's form, so
// that ApiVersions can be refused politely.
Result<RequestHeader> decode_request_header(Reader& in);

// The correlation id of the response to a request that was sent as `api_key`, `version`.
Result<int32_t> decode_response_header(Reader& in, int16_t api_key, int16_t flexible_from, int16_t version);

// The parts of the encode functions below that do not depend on the message.
struct OpenFrame {
  Writer::Hole length;
  uint64_t start;
};
OpenFrame open_response(Writer& out, int16_t api_key, bool flexible, int32_t correlation_id);
OpenFrame open_request(Writer& out, const RequestHeader& header, bool flexible);
Result<> close_frame(Writer& out, OpenFrame frame);

// Length, header and body of a response.
template <class Response>
Result<> encode_response(Writer& out, int16_t api_key, int16_t version, int32_t correlation_id,
                         const Response& response) {
  CHECK(api_key == Response::kApiKey);
  OpenFrame frame = open_response(out, api_key, version >= Response::kFlexibleFrom, correlation_id);
  TRY(response.encode(out, version));
  return close_frame(out, frame);
}

// Length, header and body of a request.
template <class Request>
Result<> encode_request(Writer& out, int16_t version, int32_t correlation_id, std::optional<std::string_view> client_id,
                        const Request& request) {
  RequestHeader header;
  header.api_key = Request::kApiKey;
  header.api_version = version;
  header.correlation_id = correlation_id;
  header.client_id = client_id;
  OpenFrame frame = open_request(out, header, version >= Request::kFlexibleFrom);
  TRY(request.encode(out, version));
  return close_frame(out, frame);
}

}  // namespace barnabas::wire
