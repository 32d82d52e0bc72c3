// UpdateFeatures: the controller raises or lowers the cluster's feature levels.

#include "broker/api/api.h"
#include "broker/broker.h"
#include "broker/controller_channel.h"
#include "wire/messages/update_features_request.h"
#include "wire/messages/update_features_response.h"

namespace barnabas::broker {

using wire::UpdateFeaturesRequest;
using wire::UpdateFeaturesResponse;

runtime::Task<UpdateFeaturesResponse> handle(Caller& caller, UpdateFeaturesRequest request, Broker& broker) {
  auto response = co_await broker.controller().update_features(caller.loop, std::move(request));
  co_return response;
}

BARNABAS_API(UpdateFeatures)

}  // namespace barnabas::broker
