#include "sim/capture/pcapng_writer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace rtclab::sim {
namespace {

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

class PcapngWriterTest : public testing::Test {
 protected:
  PcapngWriterTest() {
    std::string pattern = testing::TempDir() + "pcapngXXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~PcapngWriterTest() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path directory_;
};

// Every byte of a small file, by the format's own description.
TEST_F(PcapngWriterTest, WritesTheBlocksOfTheFormat) {
  const auto path = directory_ / "a.pcapng";
  auto writer = PcapngWriter::Create(path);
  ASSERT_TRUE(writer);
  const Bytes packet = *FromHex("45 01 02");
  (*writer)->OnPacket("ab", TapDirection::kUp, Timestamp::Nanos(1), packet, "why");
  EXPECT_FALSE(std::filesystem::exists(path));
  ASSERT_TRUE((*writer)->Finish());
  const std::string expected =
      // Section header: "rtclab" as the application.
      "0a0d0d0a 2c000000 4d3c2b1a 0100 0000 ffffffffffffffff"
      "0400 0600 7274636c6162 0000 0000 0000 2c000000"
      // Interface: LINKTYPE_RAW, no snap length, if_name "ab", if_tsresol 9.
      "01000000 28000000 6500 0000 00000000 0200 0200 6162 0000 0900 0100 09 000000 0000 0000"
      "28000000"
      // Packet: interface 0, 1577836800000000001 ns, 3 bytes, outbound, the comment.
      "06000000 38000000 00000000 359ae515 01008ab9 03000000 03000000 450102 00"
      "0200 0400 02000000 0100 0300 776879 00 0000 0000 38000000";
  EXPECT_EQ(ToHex(AsBytes(ReadAll(path))), ToHex(*FromHex(expected)));
}

// A secret that comes after the packets stands before them in the file.
TEST_F(PcapngWriterTest, SecretsStandBeforeThePackets) {
  const auto plain = directory_ / "plain.pcapng", secret = directory_ / "secret.pcapng";
  for (const auto& path : {plain, secret}) {
    auto writer = PcapngWriter::Create(path);
    ASSERT_TRUE(writer);
    for (int i = 0; i < 100; ++i) {
      (*writer)->OnPacket("ab", TapDirection::kUp, Timestamp::Nanos(i), Bytes(1400), "why");
      if (i == 50 && path == secret) (*writer)->AddSecret("CLIENT_RANDOM 01 02");
    }
    ASSERT_TRUE((*writer)->Finish());
  }
  const std::string block =
      // Decryption secrets: TLS key log, 20 bytes and no padding.
      ToHex(*FromHex("0a000000 28000000 4b534c54 14000000")) +
      ToHex(AsBytes("CLIENT_RANDOM 01 02\n")) + ToHex(*FromHex("28000000"));
  std::string expected = ToHex(AsBytes(ReadAll(plain)));
  constexpr std::size_t kHeaderDigits = 2 * 0x2c;
  expected.insert(kHeaderDigits, block);
  EXPECT_TRUE(ToHex(AsBytes(ReadAll(secret))) == expected) << expected.substr(0, 300);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 2);
}

TEST_F(PcapngWriterTest, LeavesNothingBehindWithoutFinish) {
  {
    auto writer = PcapngWriter::Create(directory_ / "b.pcapng");
    ASSERT_TRUE(writer);
    (*writer)->AddInterface("x");
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

TEST_F(PcapngWriterTest, SaysWhyItCannotWrite) {
  const auto writer = PcapngWriter::Create(directory_ / "missing" / "c.pcapng");
  ASSERT_FALSE(writer);
  EXPECT_NE(writer.error().reason.find("missing"), std::string::npos);
}

}  // namespace
}  // namespace rtclab::sim
