// The parts of an Extract or GetParameters stream, as a client gets them.
#ifndef HYDROPHONE_CLIENT_CPP_RECEIVED_H_
#define HYDROPHONE_CLIENT_CPP_RECEIVED_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cpp/tensor_bytes.h"
#include "hydrophone/v1/extract.pb.h"
#include "hydrophone/v1/parameters.pb.h"
#include "hydrophone/v1/tensor.pb.h"

namespace hydrophone::client {

// A whole tensor, its checksums verified. Copies share the bytes.
struct ReceivedTensor {
  v1::TensorInfo info;
  TensorBytes bytes;  // little-endian, C order; product(info.shape) * ElementSize(info.dtype) of them
};

// Bytes of one element; 0 for a type that this client does not know.
size_t ElementSize(v1::Dtype dtype);

// The elements, those of narrower types widened exactly; INVALID_ARGUMENT for a type that this client does not know.
absl::StatusOr<std::vector<float>> ToFloats(const ReceivedTensor& tensor);

// Takes a stream's parts in the order in which they arrive, captures when they are complete and verified. A status
// other than OK cancels the stream and becomes the call's status. Called on the thread that made the call.
class ExtractSink {
 public:
  virtual ~ExtractSink() = default;
  // Inputs, tensors and values are passed by value, so that an override can keep them.
  // NOLINTBEGIN(performance-unnecessary-value-param)
  virtual absl::Status OnHeader(const v1::Header& /*header*/) { return absl::OkStatus(); }
  virtual absl::Status OnInput(v1::InputInfo /*input*/) { return absl::OkStatus(); }
  virtual absl::Status OnTensor(ReceivedTensor /*tensor*/) { return absl::OkStatus(); }
  virtual absl::Status OnValues(v1::Values /*values*/) { return absl::OkStatus(); }
  virtual absl::Status OnTrailer(const v1::Trailer& /*trailer*/) { return absl::OkStatus(); }
  // NOLINTEND(performance-unnecessary-value-param)
};

// A whole answer in memory.
struct Extraction {
  v1::Header header;
  std::vector<v1::InputInfo> inputs;
  std::vector<ReceivedTensor> tensors;  // in the order in which they were complete
  std::vector<v1::Values> values;
  v1::Trailer trailer;
};

// Gathers a stream into an Extraction, which must outlive this.
class GatheringSink : public ExtractSink {
 public:
  explicit GatheringSink(Extraction* extraction) : extraction_(*extraction) {}
  absl::Status OnHeader(const v1::Header& header) override;
  absl::Status OnInput(v1::InputInfo input) override;
  absl::Status OnTensor(ReceivedTensor tensor) override;
  absl::Status OnValues(v1::Values values) override;
  absl::Status OnTrailer(const v1::Trailer& trailer) override;

 private:
  Extraction& extraction_;
};

// The same of a GetParameters stream.
class ParametersSink {
 public:
  virtual ~ParametersSink() = default;
  virtual absl::Status OnHeader(const v1::ParametersHeader& /*header*/) { return absl::OkStatus(); }
  // By value, so that an override can keep it.
  virtual absl::Status OnTensor(ReceivedTensor tensor) = 0;
  virtual absl::Status OnTrailer(const v1::ParametersTrailer& /*trailer*/) { return absl::OkStatus(); }
};

// A whole answer in memory.
struct ReceivedParameters {
  v1::ParametersHeader header;
  std::vector<ReceivedTensor> tensors;  // in the order of header.parameters; none with list_only
  v1::ParametersTrailer trailer;
};

}  // namespace hydrophone::client

#endif  // HYDROPHONE_CLIENT_CPP_RECEIVED_H_
