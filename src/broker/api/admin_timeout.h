// Administration with no time to wait: a client that gives a timeout of 0 asks for the work to be begun and expects
// REQUEST_TIMED_OUT as the sign that it was (librdkafka hides that code from the application).
#pragma once

#include <cstdint>
#include <vector>

#include "wire/kafka_error.h"

namespace barnabas::broker {

template <class Row>
void say_timed_out(int32_t timeout_ms, std::vector<Row>& rows) {
  if (timeout_ms > 0) return;
  for (Row& row : rows) {
    if (row.error_code != wire::KafkaError::kNone) continue;
    row.error_code = wire::KafkaError::kRequestTimedOut;
    row.error_message.reset();
  }
}

}  // namespace barnabas::broker
