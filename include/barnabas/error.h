// What can go wrong, as a value. Every operation of the library ends in a Result: the value, or an Error that says who
// refused, by which of Kafka's codes, and whether trying again may help. The library throws nothing.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "barnabas/error_code.h"

namespace barnabas::client {

struct Error {
  enum class Kind {
    kBroker,           // a broker answered with `code`
    kInvalidArgument,  // the call itself is wrong: a name, a value, a state it may not be made in
    kConfig,           // a configuration key or value is wrong
    kTimedOut,         // no answer, no room, or no leader in the time allowed
    kNotReachable,     // no broker could be connected to
    kAuthentication,   // TLS or SASL was refused
    kBadAnswer,        // a peer sent bytes that are not Kafka's protocol
    kUnsupported,      // the cluster is too old for what was asked
    kClosed,           // the client was closed, or its object moved from
    kCancelled,        // given up because something before it failed, or on request
    kFull,             // buffer.memory is used up and max.block.ms is 0
    kIo,               // a file or a socket of this machine
  };

  Kind kind = Kind::kInvalidArgument;
  ErrorCode code = ErrorCode::kNone;  // Kafka's, where it has one for this
  std::string message{};              // one sentence: what was wrong, and what to do where that helps
  bool retriable = false;             // the same call may succeed later
  bool fatal = false;                 // this client object will not work again (fenced, closed)

  // "UNKNOWN_TOPIC_OR_PARTITION", or the kind ("TIMED_OUT") when no code says it.
  std::string_view name() const;
  // name and message: "TOPIC_ALREADY_EXISTS: Topic 'orders' already exists."
  std::string to_string() const;

  bool operator==(const Error&) const = default;
};

template <class T = void>
using Result = std::expected<T, Error>;

}  // namespace barnabas::client
