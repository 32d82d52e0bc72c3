// ImageTopicLookup: topics of a metadata image, as the group cores ask for them.
#pragma once

#include "group/topic_lookup.h"
#include "metadata/image.h"

namespace barnabas::broker {

class ImageTopicLookup final : public group::TopicLookup {
 public:
  explicit ImageTopicLookup(metadata::ImagePtr image) : image_(std::move(image)) {}

  std::optional<group::TopicInfo> by_name(std::string_view name) const override { return info(image_->topic(name)); }
  std::optional<group::TopicInfo> by_id(const Uuid& id) const override { return info(image_->topic(id)); }

 private:
  static std::optional<group::TopicInfo> info(const metadata::Topic* topic) {
    if (!topic) return std::nullopt;
    return group::TopicInfo{.name = topic->name, .id = topic->id, .partitions = topic->partition_count()};
  }

  metadata::ImagePtr image_;
};

}  // namespace barnabas::broker
