#include "sim/own_data.h"

#include <utility>

namespace anybit {

OwnData::OwnData(std::unique_ptr<const FederatedData> dealt, Clients own)
    : dealt_(std::move(dealt)), own_(std::move(own)) {
  FederatedData::operator=(*dealt_);  // shape, test examples and all that is not a client's
}

ExamplesView OwnData::client(std::uint32_t client, ExamplePool& scratch) const {
  const auto found = own_.find(client);
  return found == own_.end() ? dealt_->client(client, scratch) : found->second.examples();
}

}  // namespace anybit
