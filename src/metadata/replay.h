// Replay: applies single records to the working image of an ImageBuilder. Parts that were copied since the last
// published image are changed in place, so replaying a long log costs its length.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "base/result.h"
#include "metadata/delta.h"
#include "metadata/features.h"
#include "metadata/image.h"
#include "metadata/image_builder.h"
#include "wire/metadata_record.h"

namespace barnabas::metadata {

class ImageBuilder::Replay {
 public:
  // Both outlive the replay.
  Replay(Image& image, Delta& delta) : image_(image), delta_(delta) {}

  Result<> apply(const wire::MetadataRecord& record);

  // From now on everything is shared with a published image and must be copied before it changes.
  void forget_owned() {
    owned_sections_ = 0;
    owned_topics_.clear();
  }

  Result<> operator()(const wire::RegisterBrokerRecord& record);
  Result<> operator()(const wire::UnregisterBrokerRecord& record);
  Result<> operator()(const wire::BrokerRegistrationChangeRecord& record);
  Result<> operator()(const wire::FenceBrokerRecord& record);
  Result<> operator()(const wire::UnfenceBrokerRecord& record);
  Result<> operator()(const wire::RegisterControllerRecord& record);
  Result<> operator()(const wire::UnregisterControllerRecord& record);
  Result<> operator()(const wire::TopicRecord& record);
  Result<> operator()(const wire::RemoveTopicRecord& record);
  Result<> operator()(const wire::PartitionRecord& record);
  Result<> operator()(const wire::PartitionChangeRecord& record);
  Result<> operator()(const wire::ClearElrRecord& record);
  Result<> operator()(const wire::ConfigRecord& record);
  Result<> operator()(const wire::FeatureLevelRecord& record);
  Result<> operator()(const wire::ClientQuotaRecord& record);
  Result<> operator()(const wire::ProducerIdsRecord& record);
  Result<> operator()(const wire::AccessControlEntryRecord& record);
  Result<> operator()(const wire::RemoveAccessControlEntryRecord& record);
  Result<> operator()(const wire::UserScramCredentialRecord& record);
  Result<> operator()(const wire::RemoveUserScramCredentialRecord& record);
  Result<> operator()(const wire::DelegationTokenRecord& record);
  Result<> operator()(const wire::RemoveDelegationTokenRecord& record);
  Result<> operator()(const wire::ZkMigrationStateRecord& record);
  Result<> operator()(const wire::NoOpRecord&) { return {}; }
  // The builder takes these.
  Result<> operator()(const wire::BeginTransactionRecord&) { return {}; }
  Result<> operator()(const wire::EndTransactionRecord&) { return {}; }
  Result<> operator()(const wire::AbortTransactionRecord&) { return {}; }

 private:
  enum Section : uint32_t {
    kFeatures = 1,
    kBrokers = 2,
    kControllers = 4,
    kQuotas = 8,
    kAcls = 16,
    kScram = 32,
    kTokens = 64
  };

  // The section for changing; copied first when a published image may share it.
  template <class T>
  T& edit(std::shared_ptr<const T>& section, Section which) {
    if ((owned_sections_ & which) == 0) {
      section = std::make_shared<T>(*section);
      owned_sections_ |= which;
    }
    return const_cast<T&>(*section);  // made non-const one line above, by us, since the last build
  }
  // Null when there is no such topic.
  Topic* edit_topic(const Uuid& id);
  void put_topic(std::shared_ptr<Topic> topic);
  Result<Broker*> edit_broker(BrokerId id, int64_t epoch, const char* what);
  TopicChange& touch(const Topic& topic);

  Image& image_;
  Delta& delta_;
  uint32_t owned_sections_ = 0;
  std::map<Uuid, std::shared_ptr<Topic>> owned_topics_;
};

}  // namespace barnabas::metadata
