#include "client/connection.h"

#include <fmt/format.h>

#include "client/cluster.h"
#include "wire/messages/api_versions_request.h"

namespace barnabas::client {

Result<int16_t> Connection::version(int16_t key, std::string_view name, int16_t ours_min, int16_t ours_max) const {
  wire::VersionRange theirs = api(key);
  int16_t highest = std::min(theirs.max, ours_max);
  if (!theirs.empty() && ours_min <= ours_max && highest >= std::max(theirs.min, ours_min)) return highest;
  if (name.ends_with("Request")) name.remove_suffix(std::string_view("Request").size());
  Error error{.kind = Error::Kind::kUnsupported, .code = ErrorCode::kUnsupportedVersion};
  std::string peer = options().to.to_string();
  if (theirs.empty()) {
    error.message = fmt::format("the broker at {} does not have {}", peer, name);
  } else {
    error.message = fmt::format("the broker at {} knows {} in versions {} to {}, but {} to {} is needed", peer, name,
                                theirs.min, theirs.max, ours_min, ours_max);
  }
  return std::unexpected(std::move(error));
}

Result<> Connection::skip_header(wire::Reader& in, int16_t key, bool flexible, int32_t correlation) {
  int32_t answered = in.int32();
  // An ApiVersions answer has the oldest header in every version (KIP-511).
  if (flexible && key != wire::ApiVersionsRequest::kApiKey) in.skip_tags();
  if (in.failed()) return std::unexpected(bad_answer("response header", in.error("response header")));
  if (answered != correlation) {
    return std::unexpected(Error{.kind = Error::Kind::kBadAnswer,
                                 .message = fmt::format("answer {} to request {}", answered, correlation)});
  }
  return {};
}

Error Connection::not_encodable(std::string_view message, const barnabas::Error& why) {
  auto kind = why.code == barnabas::ErrorCode::kUnsupported ? Error::Kind::kUnsupported : Error::Kind::kInvalidArgument;
  return {.kind = kind, .message = fmt::format("{}: {}", message, why.message)};
}

Error Connection::bad_answer(std::string_view message, const barnabas::Error& why) {
  return {.kind = Error::Kind::kBadAnswer,
          .message = fmt::format("the broker sent a malformed {}: {}", message, why.message)};
}

}  // namespace barnabas::client
