#include "controller/controller.h"

#include <algorithm>

#include "base/check.h"
#include "controller/partition_change.h"
#include "controller/topic_names.h"
#include "metadata/features.h"

namespace barnabas::controller {

namespace {

// Nobody asks this builder for images; now and then it may forget what changed.
constexpr int kForgetChangesEvery = 4096;

}  // namespace

Controller::Controller(Options options, const ConfigValidator& validator, metadata::ImagePtr from)
    : options_(std::move(options)), validator_(&validator), builder_(from), sessions_(options_.session_timeout) {
  CHECK(options_.random != nullptr);
  for (const metadata::TopicPtr& topic : from->topics()) note_topic_name(topic->name);
}

void Controller::note_topic_name(const std::string& name) {
  if (has_collision_chars(name)) collisions_[collision_form(name)].insert(name);
}

Result<> Controller::replay(const MetadataRecord& record, Offset offset) {
  if (const auto* removed = std::get_if<wire::RemoveTopicRecord>(&record)) {
    const metadata::Topic* topic = image().topic(removed->topic_id);
    if (topic && has_collision_chars(topic->name)) {
      auto found = collisions_.find(collision_form(topic->name));
      if (found != collisions_.end() && found->second.erase(topic->name) > 0 && found->second.empty()) {
        collisions_.erase(found);
      }
    }
  }
  TRY(builder_.replay(record));
  if (const auto* topic = std::get_if<wire::TopicRecord>(&record)) {
    note_topic_name(topic->name);  // may yet be undone by an aborted transaction: looked up before it counts
  } else if (const auto* change = std::get_if<wire::BrokerRegistrationChangeRecord>(&record)) {
    if (change->in_controlled_shutdown > 0) sessions_.set_shutdown_offset(BrokerId(change->broker_id), offset);
  } else if (const auto* registered = std::get_if<wire::RegisterBrokerRecord>(&record)) {
    const BrokerId id(registered->broker_id);
    // A new incarnation has not been heard of yet, whatever the old one did.
    if (registered->fenced) sessions_.remove(id);
  } else if (const auto* gone = std::get_if<wire::UnregisterBrokerRecord>(&record)) {
    sessions_.remove(BrokerId(gone->broker_id));
  }
  if (++replayed_ % kForgetChangesEvery == 0) builder_.build();
  return {};
}

void Controller::activate(MonotonicTime now) {
  active_ = true;
  sessions_.clear();
  for (const auto& [id, broker] : image().brokers()) {
    if (!broker.fenced) sessions_.touch(id, now, Offset(-1));
  }
  next_noop_ = options_.noop_interval.count() > 0 ? now + options_.noop_interval : MonotonicTime{INT64_MAX};
}

void Controller::deactivate() {
  active_ = false;
  sessions_.clear();
  next_noop_ = {INT64_MAX};
}

bool Controller::needs_bootstrap() const {
  return !builder_.in_transaction() && image().features().empty() && image().brokers().empty() &&
         image().topic_count() == 0;
}

std::vector<MetadataRecord> Controller::bootstrap(const std::vector<MetadataRecord>& bootstrap) const {
  int16_t level = metadata::kMinMetadataVersion;
  bool elr = false;
  for (const MetadataRecord& record : bootstrap) {
    const auto* feature = std::get_if<wire::FeatureLevelRecord>(&record);
    if (feature && feature->name == metadata::kMetadataVersion) level = feature->feature_level;
    if (feature && feature->name == metadata::kElrVersion) elr = feature->feature_level > 0;
  }
  std::vector<MetadataRecord> records;
  bool transaction = level >= metadata::kMvTransactions;
  if (transaction) {
    wire::BeginTransactionRecord begin;
    begin.name = "Bootstrap records";
    records.emplace_back(std::move(begin));
  }
  records.insert(records.end(), bootstrap.begin(), bootstrap.end());
  if (elr) {
    // With eligible leader replicas the cluster's minimum must be known to the controller.
    wire::ConfigRecord min_isr;
    min_isr.resource_type = static_cast<int8_t>(metadata::ResourceType::kBroker);
    min_isr.name = "min.insync.replicas";
    min_isr.value = "1";
    records.emplace_back(std::move(min_isr));
  }
  if (transaction) records.emplace_back(wire::EndTransactionRecord{});
  return records;
}

Controller::Due Controller::tick(MonotonicTime now) {
  Due due;
  if (!active_) return due;
  for (BrokerId late : sessions_.expired(now)) {
    sessions_.remove(late);
    const metadata::Broker* broker = image().broker(late);
    if (!broker || broker->fenced) continue;
    due.batches.push_back(fence(*broker));
    break;  // the next one is judged when this one's records are replayed: its partitions must not go to a dead broker
  }
  if (now >= next_noop_) {
    due.batches.push_back({wire::NoOpRecord{}});
    next_noop_ = now + options_.noop_interval;
  }
  return due;
}

MonotonicTime Controller::wake_at() const {
  if (!active_) return {INT64_MAX};
  return std::min(next_noop_, sessions_.next_expiry().value_or(MonotonicTime{INT64_MAX}));
}

std::vector<MetadataRecord> Controller::fence(const metadata::Broker& broker) const {
  std::vector<MetadataRecord> records;
  append_changes(image(), {.leaving = broker.id}, records);
  wire::BrokerRegistrationChangeRecord change;
  change.broker_id = broker.id.value;
  change.broker_epoch = broker.epoch.value;
  change.fenced = 1;
  records.emplace_back(std::move(change));
  return records;
}

Uuid Controller::random_uuid() const {
  // Kafka keeps the first hundred ids for itself and avoids a leading '-', which shells take for an option.
  while (true) {
    Uuid id{options_.random(), options_.random()};
    id.most = (id.most & ~uint64_t{0xf000}) | 0x4000;  // version 4
    id.least = (id.least & ~(uint64_t{3} << 62)) | uint64_t{2} << 62;
    if (id.most >> 58 != 62) return id;
  }
}

}  // namespace barnabas::controller
