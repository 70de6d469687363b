#include "server/model/libtorch/libtorch_errors.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "server/model/libtorch/parallel.h"

namespace hydrophone {
namespace {

TEST(CatchingLibtorchTest, IsOkWhenNothingIsThrown) {
  EXPECT_EQ(CatchingLibtorch([] {}), absl::OkStatus());
}

TEST(CatchingLibtorchTest, TellsThatLibtorchGotNoMemory) {
  EXPECT_EQ(CatchingLibtorch([] { at::empty({int64_t{1} << 50}); }), OutOfMemory());
}

TEST(CatchingLibtorchTest, KnowsTheWordsOfEveryAllocator) {
  for (const char* words : {"DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes.",
                            "DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."}) {
    EXPECT_EQ(CatchingLibtorch([words] { TORCH_CHECK(false, words); }), OutOfMemory()) << words;
  }
}

TEST(CatchingLibtorchTest, TellsThatAGpuHasNoMemory) {
  EXPECT_EQ(CatchingLibtorch([] { TORCH_CHECK_WITH(OutOfMemoryError, false, "CUDA ran out"); }), OutOfMemory());
  EXPECT_EQ(CatchingLibtorch([] { TORCH_CHECK(false, "CUDA error: out of memory"); }), OutOfMemory());
}

TEST(CatchingLibtorchTest, TellsThatAnyThreadGotNoMemory) {
  EXPECT_EQ(CatchingLibtorch([] { throw std::bad_alloc(); }), OutOfMemory());
  SetThreads(2);
  EXPECT_EQ(CatchingLibtorch([] { ForEachTask(2, int64_t{1} << 40, [](int64_t) { throw std::bad_alloc(); }); }),
            OutOfMemory());
}

TEST(CatchingLibtorchTest, TellsOtherErrorsInTheirWords) {
  const absl::Status shapes = CatchingLibtorch([] { at::mm(at::empty({2, 3}), at::empty({2, 3})); });
  EXPECT_EQ(shapes.code(), absl::StatusCode::kInternal);
  EXPECT_NE(shapes.message().find("libtorch: "), std::string::npos);
  EXPECT_EQ(CatchingLibtorch([] { throw std::runtime_error("odd"); }),
            absl::InternalError("the forward pass failed: odd"));
}

}  // namespace
}  // namespace hydrophone
