// Fuzz target: any bytes as a server.properties. It is refused or understood, and every key is found where it stands.
// Apart from the other files, since explaining an unknown key takes its time.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "config/node_config.h"
#include "config/properties.h"
#include "metadata/java_properties.h"

namespace barnabas::config {
namespace {

void run(std::string_view text) {
  metadata::parse_java_properties(text);
  auto properties = Properties::parse(text);
  if (!properties) return;
  for (const Property& property : properties->entries()) CHECK(properties->find(property.key) == &property);
  (void)load_node_config({.file = *std::move(properties), .file_name = "server.properties"});
}

}  // namespace
}  // namespace barnabas::config

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  barnabas::config::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
