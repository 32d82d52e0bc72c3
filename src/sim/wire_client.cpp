#include "sim/wire_client.h"

namespace barnabas::sim {

void WireClient::disconnect() {
  if (stream_) stream_->close();
  stream_.reset();
}

runtime::Task<Result<>> WireClient::read_exactly(MutableBytes into) {
  size_t done = 0;
  while (done < into.size()) {
    auto got = stream_->try_read(into.subspan(done));
    if (!got) co_return std::unexpected(got.error());
    done += *got;
    if (*got > 0) continue;
    auto ready = co_await stream_->readable(stop_);
    if (!ready) co_return ready;
  }
  co_return Result<>{};
}

runtime::Task<Result<Buffer>> WireClient::exchange(std::vector<Payload> segments) {
  if (!stream_) {
    auto connected = co_await world_.network.connect(loop_, broker_, seconds(5), stop_);
    if (!connected) co_return std::unexpected(connected.error());
    stream_ = std::move(*connected);
  }
  auto sent = co_await runtime::write_all(*stream_, segments, stop_);
  if (!sent) {
    disconnect();
    co_return std::unexpected(sent.error());
  }
  Buffer prefix(4);
  auto length = co_await read_exactly(prefix);
  if (!length) {
    disconnect();
    co_return std::unexpected(length.error());
  }
  Buffer frame(load_be<uint32_t>(prefix.data()));
  auto body = co_await read_exactly(frame);
  if (!body) {
    disconnect();
    co_return std::unexpected(body.error());
  }
  co_return frame;
}

}  // namespace barnabas::sim
