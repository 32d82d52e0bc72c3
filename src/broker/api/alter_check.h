// What a broker has to say about a change of configuration before the controller hears of it: the rules that need this
// broker's own values, and the resources that live here only.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "broker/api/api.h"
#include "config/validate_alter.h"
#include "metadata/image.h"

namespace barnabas::broker {

struct AlteredResource {
  int8_t type = 0;
  const std::string& name;
};

// nullopt: the controller decides.
std::optional<config::Refusal> check_incremental(Broker& broker, const Caller& caller, const AlteredResource& resource,
                                                 std::span<const config::Change> changes);
std::optional<config::Refusal> check_replacement(Broker& broker, const Caller& caller, const AlteredResource& resource,
                                                 std::span<const config::WantedConfig> wanted);

// Fills a row of either answer; messages are null without an error.
template <class Row>
void fill_alter_row(Row& row, const AlteredResource& resource, std::optional<config::Refusal> refusal) {
  row.resource_type = resource.type;
  row.resource_name = resource.name;
  row.error_message.reset();
  if (!refusal) return;
  row.error_code = static_cast<wire::KafkaError>(refusal->error_code);
  row.error_message = std::move(refusal->message);
}

// Puts the controller's rows into the places that wait for them.
template <class Row>
void merge_alter_rows(std::vector<Row>& rows, const std::vector<size_t>& waiting, const std::vector<Row>& answered) {
  for (size_t place : waiting) {
    Row& row = rows[place];
    auto same = [&row](const Row& other) {
      return other.resource_type == row.resource_type && other.resource_name == row.resource_name;
    };
    auto found = std::ranges::find_if(answered, same);
    if (found == answered.end()) {
      row.error_code = wire::KafkaError::kUnknownServerError;
    } else {
      row = *found;
    }
  }
}

}  // namespace barnabas::broker
