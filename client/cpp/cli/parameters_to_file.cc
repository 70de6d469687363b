#include "client/cpp/cli/parameters_to_file.h"

#include <memory>
#include <utility>
#include <vector>

#include "client/cpp/cli/session.h"
#include "client/cpp/files/array_file.h"
#include "client/cpp/files/atomic_output.h"
#include "client/cpp/files/safetensors_writer.h"
#include "client/cpp/files/spool.h"

namespace hydrophone::client {
namespace {

// Puts the tensors into a spool as they come.
class SpoolingSink final : public ParametersSink {
 public:
  explicit SpoolingSink(Spool* spool) : spool_(*spool) {}

  absl::Status OnHeader(const v1::ParametersHeader& header) override {
    header_ = header;
    return absl::OkStatus();
  }
  absl::Status OnTensor(ReceivedTensor tensor) override {
    const auto segment = spool_.Append(tensor.bytes.view());
    if (!segment.ok()) return segment.status();
    const auto& shape = tensor.info.shape();
    arrays_.push_back(
        {tensor.info.name(), ElementTypeOf(tensor.info.dtype()), {shape.begin(), shape.end()}, {*segment}});
    return absl::OkStatus();
  }

  const v1::ParametersHeader& header() const { return header_; }
  const std::vector<StoredArray>& arrays() const { return arrays_; }

 private:
  Spool& spool_;
  v1::ParametersHeader header_;
  std::vector<StoredArray> arrays_;
};

}  // namespace

absl::StatusOr<v1::ParametersHeader> ParametersToFile(Client& client, const v1::GetParametersRequest& request,
                                                      const std::string& out) {
  auto spool = Spool::Create(DirectoryOf(out));
  if (!spool.ok()) return spool.status();
  SpoolingSink sink(spool->get());
  if (absl::Status status = client.GetParameters(request, &sink); !status.ok()) return status;
  const Metadata metadata = {{"hydrophone.provenance", CompactJson(sink.header().provenance())}};
  if (absl::Status status = WriteSafetensors(out, sink.arrays(), metadata, **spool); !status.ok()) return status;
  return sink.header();
}

}  // namespace hydrophone::client
