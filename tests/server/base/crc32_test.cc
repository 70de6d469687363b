#include "server/base/crc32.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace hydrophone {
namespace {

TEST(Crc32Test, IsZlibs) {
  const std::string bytes = "The quick brown fox jumps over the lazy dog";
  EXPECT_EQ(ExtendCrc32(0, bytes.data(), bytes.size()), 0x414FA339u);
  EXPECT_EQ(ExtendCrc32(0, bytes.data(), bytes.size()),
            ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
  EXPECT_EQ(ExtendCrc32(0, nullptr, 0), 0u);
}

TEST(Crc32Test, GoesOnFromOnePieceToTheNext) {
  const std::string bytes = "in pieces of any size";
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    const uint32_t first = ExtendCrc32(0, bytes.data(), cut);
    EXPECT_EQ(ExtendCrc32(first, bytes.data() + cut, bytes.size() - cut), ExtendCrc32(0, bytes.data(), bytes.size()))
        << cut;
  }
}

}  // namespace
}  // namespace hydrophone
