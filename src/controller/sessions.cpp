#include "controller/sessions.h"

namespace barnabas::controller {

void Sessions::touch(BrokerId broker, MonotonicTime now, Offset metadata_offset) {
  Session& session = sessions_[broker];
  session.last_contact = now;
  session.metadata_offset = metadata_offset;
}

void Sessions::set_shutdown_offset(BrokerId broker, Offset offset) {
  auto found = sessions_.find(broker);
  if (found != sessions_.end()) found->second.shutdown_offset = offset;
}

bool Sessions::live(BrokerId broker, MonotonicTime now) const {
  auto found = sessions_.find(broker);
  return found != sessions_.end() && now < found->second.last_contact + timeout_;
}

std::optional<Offset> Sessions::metadata_offset(BrokerId broker) const {
  auto found = sessions_.find(broker);
  if (found == sessions_.end()) return std::nullopt;
  return found->second.metadata_offset;
}

std::optional<Offset> Sessions::shutdown_offset(BrokerId broker) const {
  auto found = sessions_.find(broker);
  if (found == sessions_.end()) return std::nullopt;
  return found->second.shutdown_offset;
}

std::vector<BrokerId> Sessions::expired(MonotonicTime now) const {
  std::vector<BrokerId> late;
  for (const auto& [broker, session] : sessions_) {
    if (session.last_contact + timeout_ <= now) late.push_back(broker);
  }
  return late;
}

std::optional<MonotonicTime> Sessions::next_expiry() const {
  std::optional<MonotonicTime> next;
  for (const auto& [broker, session] : sessions_) {
    MonotonicTime at = session.last_contact + timeout_;
    if (!next || at < *next) next = at;
  }
  return next;
}

}  // namespace barnabas::controller
