// The catalog of all messages, for tests, fuzzing and the proof against Kafka's own classes: what can be done to a
// message that is known by its name only. Generated code fills it; see tools/generator/emit_samples.py.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/reader.h"
#include "wire/testing/sampler.h"
#include "wire/writer.h"

namespace barnabas::wire::testing {

struct MessageEntry {
  std::string_view name;
  int16_t min_version;
  int16_t max_version;
  int16_t flexible_from;
  // Decodes all of the bytes and encodes what came out.
  Result<Buffer> (*transcode)(BytesView bytes, int16_t version);
  // Encodes a random value; an error if it does not come back equal.
  Result<Buffer> (*sample)(Sampler& sampler, int16_t version);
  // The log line of what the bytes hold.
  Result<std::string> (*print)(BytesView bytes, int16_t version);
};

// In the order of the schema.
const std::vector<MessageEntry>& all_messages();
// The one named `name`, or nothing.
const MessageEntry* find_message(std::string_view name);

template <class Message>
Result<Message> decode_whole(BytesView bytes, int16_t version) {
  Reader in(bytes);
  TRY_ASSIGN(Message message, Message::decode(in, version));
  if (!in.at_end()) return fail(ErrorCode::kInvalid, "bytes are left over");
  return message;
}

template <class Message>
Result<Buffer> encode_whole(const Message& message, int16_t version) {
  Writer out;
  TRY(message.encode(out, version));
  return out.take_contiguous();
}

template <class Message>
Result<Buffer> transcode(BytesView bytes, int16_t version) {
  TRY_ASSIGN(Message message, decode_whole<Message>(bytes, version));
  return encode_whole(message, version);
}

template <class Message>
Result<std::string> print(BytesView bytes, int16_t version) {
  TRY_ASSIGN(Message message, decode_whole<Message>(bytes, version));
  return message.to_string();
}

// `fill` makes a random message that `version` can carry.
template <class Message, void (*fill)(Sampler&, int16_t, Message&)>
Result<Buffer> sample(Sampler& sampler, int16_t version) {
  Message message;
  fill(sampler, version, message);
  TRY_ASSIGN(Buffer bytes, encode_whole(message, version));
  TRY_ASSIGN(Message back, decode_whole<Message>(bytes, version));
  if (back != message)
    return fail(ErrorCode::kInvalid, "came back different: " + back.to_string() + " from " + message.to_string());
  return bytes;
}

}  // namespace barnabas::wire::testing
