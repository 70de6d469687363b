#include "server/base/sha256.h"

#include <gtest/gtest.h>

#include <string>

namespace hydrophone {
namespace {

TEST(Sha256Test, GivesThePublishedDigests) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256Test, PiecesDigestAsTheWhole) {
  const std::string bytes(100000, 'x');
  Sha256 sha;
  sha.Update(bytes.substr(0, 1));
  sha.Update("");
  sha.Update(bytes.substr(1, 63));
  sha.Update(bytes.substr(64));
  EXPECT_EQ(sha.HexDigest(), Sha256Hex(bytes));
}

TEST(Sha256Test, MoreMayFollowADigest) {
  Sha256 sha;
  sha.Update("a");
  EXPECT_EQ(sha.HexDigest(), Sha256Hex("a"));
  sha.Update("bc");
  EXPECT_EQ(sha.HexDigest(), Sha256Hex("abc"));
}

}  // namespace
}  // namespace hydrophone
