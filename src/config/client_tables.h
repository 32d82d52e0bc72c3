// The tables of clients' configuration keys: what a Kafka 4.3 producer, consumer, share consumer or admin client takes.
// Constant, generated from schema/config/{client,producer,consumer,admin}.cfg; update modes mean nothing here.
#pragma once

#include "config/tables.h"

namespace barnabas::config {

const KeyTable& client_keys();    // those every kind of client has
const KeyTable& producer_keys();  // the producer's others
const KeyTable& consumer_keys();  // the consumer's and share consumer's others
const KeyTable& admin_keys();     // the admin client's others

}  // namespace barnabas::config
