#include "client/cpp/tensor_bytes.h"

#include <sys/resource.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace hydrophone::client {
namespace {

constexpr size_t kMebibyte = size_t{1} << 20;

bool IsAligned(const TensorBytes& bytes) { return reinterpret_cast<uintptr_t>(bytes.data()) % kTensorAlignment == 0; }

TensorBytes Filled(size_t size, char value) {
  TensorBytesBuilder builder;
  EXPECT_TRUE(builder.Reserve(size));
  builder.Append(std::string(size, value));
  return builder.Finish();
}

TEST(TensorBytes, NoneAreEmpty) {
  EXPECT_TRUE(TensorBytes().empty());
  EXPECT_EQ(TensorBytes::CopyOf("")->view(), "");
  EXPECT_EQ(TensorBytesBuilder().Finish().view(), "");
}

TEST(TensorBytes, ACopyForWhichThereIsNoMemoryIsAnErrorAndNoException) {
  // A view of more bytes than any address space has; it is refused before a byte is read.
  const absl::string_view endless("", std::numeric_limits<size_t>::max() / 2);
  EXPECT_EQ(TensorBytes::CopyOf(endless).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(TensorBytes, CopiesShareTheBytes) {
  std::optional<TensorBytes> first = *TensorBytes::CopyOf("abc");
  const TensorBytes second = *first;
  EXPECT_EQ(second.data(), first->data());
  first.reset();
  EXPECT_EQ(second.view(), "abc");
}

TEST(TensorBytes, AreAligned) {
  for (const size_t size : {size_t{1}, size_t{63}, size_t{4096}, 5 * kMebibyte + 1}) {
    EXPECT_TRUE(IsAligned(Filled(size, 'x'))) << size;
  }
}

TEST(TensorBytesBuilder, MoreRoomKeepsWhatIsThere) {
  TensorBytesBuilder builder;
  std::string expected;
  for (size_t i = 0; i < 40; ++i) {
    const std::string piece(i * i * 100, static_cast<char>('a' + i % 26));
    ASSERT_TRUE(builder.Reserve(expected.size() + piece.size()));
    builder.Append(piece);
    expected += piece;
  }
  EXPECT_EQ(builder.size(), expected.size());
  EXPECT_EQ(builder.Finish().view(), expected);
  EXPECT_EQ(builder.size(), 0u);
}

TEST(TensorBytesBuilder, WhatNoMemoryHoldsIsRefusedAndChangesNothing) {
  TensorBytesBuilder builder;
  ASSERT_TRUE(builder.Reserve(3));
  builder.Append("abc");
  EXPECT_FALSE(builder.Reserve(std::numeric_limits<size_t>::max()));
  EXPECT_FALSE(builder.Reserve(std::numeric_limits<size_t>::max() / 2));
  EXPECT_EQ(builder.Finish().view(), "abc");
}

TEST(TensorMemory, LargeBlocksAreUsedAgain) {
  const char* first = Filled(20 * kMebibyte, 'a').data();
  const TensorBytes again = Filled(19 * kMebibyte, 'b');
  EXPECT_EQ(again.data(), first);
  EXPECT_NE(Filled(20 * kMebibyte, 'c').data(), first) << "it is in use";
  EXPECT_EQ(again.view(), std::string(19 * kMebibyte, 'b'));
}

TEST(TensorMemory, ABlockIsNotSpentOnAMuchSmallerTensor) {
  const char* first = Filled(40 * kMebibyte, 'a').data();
  EXPECT_NE(Filled(5 * kMebibyte, 'b').data(), first);
}

// Not under a sanitizer, whose allocator is another; _GLIBCXX_TSAN is the thread sanitizer's (HydrophoneTargets.cmake).
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(_GLIBCXX_TSAN)
int64_t PageFaults() {
  rusage usage;
  EXPECT_EQ(::getrusage(RUSAGE_THREAD, &usage), 0);
  return usage.ru_minflt;
}

TEST(TensorMemory, FreedMemoryIsKeptWhenToldTo) {
  KeepFreedMemory();
  const auto use = [] { std::vector<char>(8 * kMebibyte, 'x'); };
  use();
  const int64_t before = PageFaults();
  for (int i = 0; i < 10; ++i) use();
  EXPECT_LT(PageFaults() - before, 1000) << "2048 pages each";
}
#endif

TEST(TensorMemory, IsFreedOnAnyThread) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i] {
      const char value = static_cast<char>('a' + i);
      for (size_t round = 0; round < 10; ++round) {
        const TensorBytes bytes = Filled((4 + round) * kMebibyte, value);
        EXPECT_EQ(bytes.view().find_first_not_of(value), absl::string_view::npos);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace hydrophone::client
