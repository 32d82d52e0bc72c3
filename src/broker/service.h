// KafkaService: requests of one listener kind to the handlers in api/. Decides what is a known API and version, answers
// ApiVersions of any version (KIP-511), closes connections that speak something else.
#pragma once

#include "broker/api/api.h"
#include "net/service.h"

namespace barnabas::runtime {
class Logger;
}

namespace barnabas::broker {

class Broker;

enum class ListenerKind { kBroker, kController };

// One row of what is served on a listener.
struct ServedApi {
  int16_t key = 0;
  int16_t min_version = 0;  // really accepted
  int16_t max_version = 0;
  int16_t advertised_min_version = 0;  // Produce says 0, for clients that look for it there
  ServeFunction serve = nullptr;
};

class KafkaService : public net::Service {
 public:
  KafkaService(Broker& broker, ListenerKind kind);

  runtime::Task<net::Answer> serve(net::Frame frame, net::ConnectionInfo& connection,
                                   runtime::CancelToken token) override;
  bool may_overlap(BytesView frame, const net::ConnectionInfo& connection) const override;

 private:
  Broker& broker_;
  ListenerKind kind_;
  runtime::Logger& request_log_;  // one line a request at DEBUG, as Kafka's kafka.request.logger
};

// The rows of a listener kind, in ascending key order. Static storage.
const std::vector<ServedApi>& served_apis(ListenerKind kind);

}  // namespace barnabas::broker
