#include "barnabas/admin.h"

#include "client/admin/core.h"

namespace barnabas::client {

Result<Admin> Admin::create(const Config& config, AdminOptions options) {
  auto settings = admin_settings(config);
  if (!settings) return std::unexpected(settings.error());
  return Admin(std::make_shared<Core>(RuntimeLoop::of(std::move(options.runtime)), *std::move(settings)));
}

Admin::Admin(std::shared_ptr<Core> core) : core_(std::move(core)) {}
Admin::Admin(Admin&&) noexcept = default;
Admin& Admin::operator=(Admin&& other) noexcept {
  if (core_ && core_ != other.core_) core_->close();
  core_ = std::move(other.core_);
  return *this;
}
Admin::~Admin() {
  if (core_) core_->close();
}

Result<> Admin::close() {
  core_->close();
  return {};
}

}  // namespace barnabas::client
