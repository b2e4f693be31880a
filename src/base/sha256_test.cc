#include "base/sha256.h"

#include <gtest/gtest.h>

namespace aio {
namespace {

// The examples of FIPS 180-4.
TEST(Sha256, IsTheStandards) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Uint64("abc"), 0xba7816bf8f01cfeaULL);
}

TEST(Sha256, PartsAreAsTheWhole) {
  Sha256 hash;
  hash.Add("a");
  EXPECT_EQ(hash.Hex(), Sha256Hex("a"));
  hash.Add("bc");
  EXPECT_EQ(hash.Hex(), Sha256Hex("abc"));
}

TEST(Sha256, IntegersAreEightBytesLittleEndian) {
  Sha256 hash;
  hash.AddInteger(0x0102030405060708ULL);
  EXPECT_EQ(hash.Hex(), Sha256Hex("\x08\x07\x06\x05\x04\x03\x02\x01"));
}

}  // namespace
}  // namespace aio
