#include "server/model/taps/host_copies.h"

#include <utility>

namespace hydrophone {

void HostCopies::Fetch(const at::Tensor& value, Arrived arrived) {
  Poll();
  const size_t bytes = value.nbytes();
  while (!under_way_.empty() && bytes_ + bytes > most_bytes_) DeliverOldest();
  std::unique_ptr<CopyUnderWay> copy = copier_->Start(value);
  under_way_.push_back({std::move(copy), {}, std::move(arrived), bytes});
  bytes_ += bytes;
}

void HostCopies::Queue(const at::Tensor& host, Arrived arrived) {
  under_way_.push_back({nullptr, host, std::move(arrived), 0});
  Poll();
}

void HostCopies::Poll() {
  while (!under_way_.empty() && (under_way_.front().copy == nullptr || under_way_.front().copy->Done())) {
    DeliverOldest();
  }
}

void HostCopies::Finish() {
  while (!under_way_.empty()) DeliverOldest();
}

void HostCopies::DeliverOldest() {
  const Entry oldest = std::move(under_way_.front());
  under_way_.pop_front();
  bytes_ -= oldest.bytes;
  if (oldest.copy != nullptr) oldest.copy->Wait();
  oldest.arrived(oldest.copy != nullptr ? oldest.copy->host() : oldest.host);
}

}  // namespace hydrophone
