// ImageBuilder: replays metadata records on top of an image and publishes the next one. Owned by whoever follows the
// log (one thread at a time). It never guesses: a record that cannot apply (an unknown topic or broker, a wrong epoch)
// is an error, and the builder must then be thrown away. Metadata transactions are buffered until their end and dropped
// on abort, so no image ever shows half of one.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "metadata/delta.h"
#include "metadata/image.h"
#include "wire/metadata_record.h"

namespace barnabas::metadata {

struct Published {
  ImagePtr image;
  Delta delta;
};

class ImageBuilder {
 public:
  explicit ImageBuilder(ImagePtr from = Image::empty());
  ~ImageBuilder();
  ImageBuilder(ImageBuilder&&) = delete;

  // Applies one record, in log order.
  Result<> replay(const wire::MetadataRecord& record);

  // kraft.version does not travel as a record but as a control record of the log or a snapshot.
  void set_kraft_version(int16_t level);

  // Says how far the replayed log reaches. Inside a metadata transaction build() keeps the provenance of before it.
  void set_provenance(const Provenance& provenance);

  // The state so far, including what build() has not published yet, without the records of an open transaction.
  const Image& current() const { return *state_; }
  bool in_transaction() const { return in_transaction_; }

  // The image of everything replayed so far and what changed since the last build() (or the start).
  Published build();

 private:
  class Replay;

  std::unique_ptr<Image> state_;
  Delta delta_;
  std::unique_ptr<Replay> replay_;
  bool in_transaction_ = false;
  std::vector<wire::MetadataRecord> buffered_;
  Provenance pending_provenance_;
};

}  // namespace barnabas::metadata
