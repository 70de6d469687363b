// hydrophone_bench_products THREADS: computes GPT-2 124M's products as the server does, each block with weights of its
// own. Answers each line {"rows": n} of its input with a line {"seconds": s}.
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "server/model/kernels/cpu/packed_linear.h"
#include "server/model/libtorch/parallel.h"

namespace hydrophone::bench {
namespace {

constexpr int kUsageError = 2;
constexpr int kBlocks = 12;
constexpr std::pair<int64_t, int64_t> kShapes[] = {{768, 2304}, {768, 768}, {768, 3072}, {3072, 768}};

struct Products {
  std::vector<PackedLinear> linears;  // in the order of a forward pass

  Products() {
    for (int block = 0; block < kBlocks; ++block) {
      for (const auto& [in, out] : kShapes) linears.emplace_back(at::randn({in, out}), at::randn({out}));
    }
  }

  double Seconds(int64_t rows) const {
    const at::Tensor narrow = at::randn({rows, 768}), wide = at::randn({rows, 3072});
    const auto begun = std::chrono::steady_clock::now();
    for (size_t i = 0; i < linears.size(); ++i) {
      linears[i].Apply(kShapes[i % std::size(kShapes)].first == 768 ? narrow : wide);
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  }
};

int Main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: hydrophone_bench_products THREADS\n";
    return kUsageError;
  }
  const c10::InferenceMode inference;
  KeepLibtorchOnThisThread();
  SetThreads(std::atoi(argv[1]));
  const Products products;
  std::string line;
  while (std::getline(std::cin, line)) {
    const nlohmann::json answer = {
        {"seconds", products.Seconds(nlohmann::json::parse(line).at("rows").get<int64_t>())}};
    std::cout << answer.dump() << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace hydrophone::bench

int main(int argc, char** argv) {
  try {
    return hydrophone::bench::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
