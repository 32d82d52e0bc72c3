// SaslAuthenticate: out of place on a listener without SASL.

#include "broker/api/api.h"
#include "wire/messages/sasl_authenticate_request.h"
#include "wire/messages/sasl_authenticate_response.h"

namespace barnabas::broker {

using wire::SaslAuthenticateRequest;
using wire::SaslAuthenticateResponse;

runtime::Task<SaslAuthenticateResponse> handle(Caller&, SaslAuthenticateRequest, Broker&) {
  SaslAuthenticateResponse response;
  response.error_code = wire::KafkaError::kIllegalSaslState;
  response.error_message = "SaslAuthenticate request received on a listener without SASL";
  co_return response;
}

BARNABAS_API(SaslAuthenticate)

}  // namespace barnabas::broker
