#include "metadata/image_builder.h"

#include <utility>

#include "metadata/replay.h"

namespace barnabas::metadata {

ImageBuilder::ImageBuilder(ImagePtr from)
    : state_(std::make_unique<Image>(*from)), replay_(std::make_unique<Replay>(*state_, delta_)) {}

ImageBuilder::~ImageBuilder() = default;

Result<> ImageBuilder::replay(const wire::MetadataRecord& record) {
  if (const auto* begin = std::get_if<wire::BeginTransactionRecord>(&record)) {
    if (in_transaction_) return fail(ErrorCode::kCorrupt, "a metadata transaction begins inside another one");
    static_cast<void>(begin);
    in_transaction_ = true;
    pending_provenance_ = state_->provenance_;
    return {};
  }
  if (std::holds_alternative<wire::EndTransactionRecord>(record)) {
    if (!in_transaction_) return fail(ErrorCode::kCorrupt, "a metadata transaction ends that never began");
    in_transaction_ = false;
    state_->provenance_ = pending_provenance_;
    for (const wire::MetadataRecord& buffered : std::exchange(buffered_, {})) TRY(replay_->apply(buffered));
    return {};
  }
  if (std::holds_alternative<wire::AbortTransactionRecord>(record)) {
    if (!in_transaction_) return fail(ErrorCode::kCorrupt, "a metadata transaction is aborted that never began");
    in_transaction_ = false;
    state_->provenance_ = pending_provenance_;
    buffered_.clear();
    return {};
  }
  if (in_transaction_) {
    buffered_.push_back(record);
    return {};
  }
  return replay_->apply(record);
}

void ImageBuilder::set_kraft_version(int16_t level) {
  if (state_->kraft_version_ == level) return;
  state_->kraft_version_ = level;
  delta_.features.insert(std::string(kKraftVersion));
}

void ImageBuilder::set_provenance(const Provenance& provenance) {
  (in_transaction_ ? pending_provenance_ : state_->provenance_) = provenance;
}

Published ImageBuilder::build() {
  replay_->forget_owned();
  return {std::make_shared<const Image>(*state_), std::exchange(delta_, {})};
}

}  // namespace barnabas::metadata
