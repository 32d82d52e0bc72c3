// SaslHandshake: there is nothing to negotiate on a listener without SASL.

#include "broker/api/api.h"
#include "wire/messages/sasl_handshake_request.h"
#include "wire/messages/sasl_handshake_response.h"

namespace barnabas::broker {

using wire::SaslHandshakeRequest;
using wire::SaslHandshakeResponse;

runtime::Task<SaslHandshakeResponse> handle(Caller&, SaslHandshakeRequest, Broker&) {
  SaslHandshakeResponse response;
  response.error_code = wire::KafkaError::kIllegalSaslState;
  co_return response;
}

BARNABAS_API(SaslHandshake)

}  // namespace barnabas::broker
