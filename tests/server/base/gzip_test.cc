#include "server/base/gzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace hydrophone {
namespace {

// The bytes as zlib packs them.
std::string Packed(const std::string& bytes) {
  z_stream stream = {};
  constexpr int kGzip = 16 + MAX_WBITS;
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

TEST(Gzip, UnpacksWhatZlibPacked) {
  for (const std::string& bytes : {std::string(), std::string("Hello"), std::string(1'000'000, 'x')}) {
    std::string packed = Packed(bytes);
    EXPECT_TRUE(IsGzip(packed));
    EXPECT_EQ(SizeUnpacked(packed), bytes.size());
    absl::StatusOr<std::string> unpacked = Unpack(packed);
    ASSERT_TRUE(unpacked.ok()) << unpacked.status();
    EXPECT_EQ(*unpacked, bytes);
  }
}

TEST(Gzip, OtherBytesAreNone) {
  EXPECT_FALSE(IsGzip(""));
  EXPECT_FALSE(IsGzip("\x1f"));
  EXPECT_FALSE(IsGzip("\x1f\x8a more"));
}

TEST(Gzip, EveryPrefixIsRefused) {
  std::string packed = Packed("Hello world, Hello world");
  for (size_t size = 0; size < packed.size(); ++size) {
    // A cut stream's last bytes may say any size: the test allows what a caller would.
    std::string prefix = packed.substr(0, size);
    if (SizeUnpacked(prefix) < 1'000'000) {
      EXPECT_FALSE(Unpack(prefix).ok()) << size;
    }
  }
}

TEST(Gzip, AWrongSizeIsRefused) {
  for (int difference : {-1, 1}) {
    std::string packed = Packed("Hello");
    packed[packed.size() - 4] = static_cast<char>(packed[packed.size() - 4] + difference);
    EXPECT_FALSE(Unpack(packed).ok()) << difference;
  }
}

TEST(Gzip, AChangedByteIsRefused) {
  std::string packed = Packed("Hello");
  packed[packed.size() - 6] ^= 1;  // in the checksum
  EXPECT_FALSE(Unpack(packed).ok());
}

TEST(Gzip, MoreThanOneMemberIsRefused) { EXPECT_FALSE(Unpack(Packed("Hello") + Packed("world")).ok()); }

}  // namespace
}  // namespace hydrophone
