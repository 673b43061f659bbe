// A handshake on virtual time, captured, and decrypted by Wireshark with the key log.
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <variant>
#include <vector>

#include "conformance/interop/child_process.h"
#include "conformance/socket/udp_driver.h"
#include "stack/base/rng.h"
#include "stack/dtls/transport.h"

namespace rtclab::conformance {
namespace {

// A file of raw IPv4 packets in the classic format of pcap.
class SmallCapture {
 public:
  explicit SmallCapture(const std::filesystem::path& path) : file_(path, std::ios::binary) {
    ByteWriter header;
    header.WriteU32(0xa1b2c3d4);
    header.WriteU16(2);
    header.WriteU16(4);
    header.WriteU64(0);
    header.WriteU32(65'535);
    header.WriteU32(101);  // LINKTYPE_RAW
    Put(header.view());
  }

  void Add(bool from_client, ByteView payload) {
    constexpr uint16_t kClientPort = 40'000;
    constexpr uint16_t kServerPort = 40'001;
    ByteWriter packet;
    const auto total = static_cast<uint16_t>(28 + payload.size());
    packet.WriteU32(0);  // seconds
    packet.WriteU32(++microseconds_);
    packet.WriteU32(total);
    packet.WriteU32(total);
    packet.WriteU16(0x4500);
    packet.WriteU16(total);
    packet.WriteU32(0);
    packet.WriteU16(0x4011);  // TTL 64, UDP
    packet.WriteU16(0);       // no checksum
    packet.WriteU32(from_client ? 0xc0000201 : 0xc0000202);
    packet.WriteU32(from_client ? 0xc0000202 : 0xc0000201);
    packet.WriteU16(from_client ? kClientPort : kServerPort);
    packet.WriteU16(from_client ? kServerPort : kClientPort);
    packet.WriteU16(static_cast<uint16_t>(8 + payload.size()));
    packet.WriteU16(0);
    packet.WriteBytes(payload);
    Put(packet.view());
  }
  void Close() { file_.close(); }

 private:
  void Put(ByteView bytes) {
    file_.write(reinterpret_cast<const char*>(bytes.data()),
                static_cast<std::streamsize>(bytes.size()));
  }
  std::ofstream file_;
  uint32_t microseconds_ = 0;
};

TEST(DtlsTsharkTest, KeyLogDecryptsTheCapture) {
  const TemporaryFolder folder;
  Rng rng(1);
  const auto client_certificate = dtls::Certificate::Generate(rng, Timestamp::Zero());
  const auto server_certificate = dtls::Certificate::Generate(rng, Timestamp::Zero());
  dtls::Transport client({.certificate = &client_certificate,
                          .remote_fingerprints = {server_certificate.fingerprint()},
                          .key_log = true},
                         rng);
  dtls::Transport server({.certificate = &server_certificate,
                          .role = dtls::Role::kServer,
                          .remote_fingerprints = {client_certificate.fingerprint()}},
                         rng);
  SmallCapture capture(folder.path() / "capture.pcap");
  client.Start(Timestamp::Zero());
  server.Start(Timestamp::Zero());
  const auto exchange = [&] {
    for (int i = 0; i < 2; ++i) {
      while (const auto datagram = client.PollTransmit()) {
        capture.Add(true, *datagram);
        server.HandlePacket(Timestamp::Zero(), *datagram);
      }
      while (const auto datagram = server.PollTransmit()) {
        capture.Add(false, *datagram);
        client.HandlePacket(Timestamp::Zero(), *datagram);
      }
    }
  };
  exchange();
  ASSERT_TRUE(client.Send(Timestamp::Zero(), AsBytes("the quick brown fox")));
  ASSERT_TRUE(server.Send(Timestamp::Zero(), AsBytes("over the lazy dog")));
  exchange();
  capture.Close();
  std::ofstream key_log(folder.path() / "keys.log");
  while (const auto event = client.PollEvent()) {
    if (const auto* line = std::get_if<dtls::KeyLogLine>(&*event)) key_log << line->line << '\n';
  }
  key_log.close();

  auto tshark =
      ChildProcess::Start({"tshark", "-r", (folder.path() / "capture.pcap").string(), "-o",
                           "tls.keylog_file:" + (folder.path() / "keys.log").string(), "-d",
                           "udp.port==40001,dtls", "-x"});
  ASSERT_TRUE(tshark) << tshark.error().reason << "; scripts/setup installs tshark";
  UdpDriver driver;
  ASSERT_TRUE(driver.RunUntil([&] { return tshark->Poll().has_value(); }, TimeDelta::Seconds(30)));
  const std::string output = tshark->Output();
  // The words as the hexadecimal listing shows them, cut after 16 bytes; and the Finished messages, which were encrypted too.
  EXPECT_NE(output.find("the quick brown "), std::string::npos) << output;
  EXPECT_NE(output.find("over the lazy do"), std::string::npos) << output;
  EXPECT_NE(output.find("Decrypted DTLS"), std::string::npos) << output;
}

}  // namespace
}  // namespace rtclab::conformance
