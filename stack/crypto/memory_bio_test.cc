#include "stack/crypto/memory_bio.h"

#include <gtest/gtest.h>

#include <memory>

namespace rtclab::crypto {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

std::string ReadSome(BIO* bio, int size) {
  std::string out(static_cast<std::size_t>(size), '\0');
  const int count = BIO_read(bio, out.data(), size);
  if (count <= 0) return BIO_should_retry(bio) ? "retry" : "end";
  out.resize(static_cast<std::size_t>(count));
  return out;
}

TEST(MemoryBioTest, AStreamIsReadInPiecesAndWrittenTogether) {
  MemoryBio memory(MemoryBio::Kind::kStream, 1'200);
  const std::unique_ptr<BIO, FreeBio> bio(memory.MakeBio());
  memory.SetInput(AsBytes("abcdef"));
  EXPECT_EQ(ReadSome(bio.get(), 4), "abcd");
  EXPECT_EQ(ReadSome(bio.get(), 4), "ef");
  EXPECT_EQ(ReadSome(bio.get(), 4), "retry");
  BIO_write(bio.get(), "one", 3);
  BIO_write(bio.get(), "two", 3);
  EXPECT_EQ(AsString(*memory.PopOutput()), "onetwo");
  EXPECT_FALSE(memory.PopOutput());
}

TEST(MemoryBioTest, DatagramsStayApart) {
  MemoryBio memory(MemoryBio::Kind::kDatagrams, 1'200);
  const std::unique_ptr<BIO, FreeBio> bio(memory.MakeBio());
  memory.SetInput(AsBytes("abcdef"));
  EXPECT_EQ(ReadSome(bio.get(), 4), "abcd");
  EXPECT_EQ(ReadSome(bio.get(), 4), "retry");
  BIO_write(bio.get(), "one", 3);
  BIO_write(bio.get(), "two", 3);
  EXPECT_EQ(AsString(*memory.PopOutput()), "one");
  EXPECT_EQ(AsString(*memory.PopOutput()), "two");
  memory.set_mtu(500);
  EXPECT_EQ(BIO_ctrl(bio.get(), BIO_CTRL_DGRAM_QUERY_MTU, 0, nullptr), 500);
}

}  // namespace
}  // namespace rtclab::crypto
