// The rows of registrations: where a node listens and which feature levels it runs. Each message and record that
// carries them has row types of its own, generated with the same field names.
#pragma once

#include <string>
#include <vector>

namespace barnabas::metadata {

// `endpoints`: of metadata::Endpoint, or rows of another message.
template <class Row, class Endpoints>
std::vector<Row> endpoint_rows(const Endpoints& endpoints) {
  std::vector<Row> rows;
  for (const auto& endpoint : endpoints) {
    Row& row = rows.emplace_back();
    row.name = endpoint.name;
    row.host = endpoint.host;
    row.port = endpoint.port;
    row.security_protocol = endpoint.security_protocol;
  }
  return rows;
}

// `features`: of metadata::FeatureSupport or metadata::FeatureRange.
template <class Row, class Features>
std::vector<Row> feature_rows(const Features& features) {
  std::vector<Row> rows;
  for (const auto& feature : features) {
    Row& row = rows.emplace_back();
    row.name = std::string(feature.name);
    row.min_supported_version = feature.min;
    row.max_supported_version = feature.max;
  }
  return rows;
}

}  // namespace barnabas::metadata
