// Every RTCP and RTP format that we write, read back by Wireshark's own dissectors.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "stack/rtp/flexfec.h"
#include "stack/rtp/header_extensions.h"
#include "stack/rtp/rtcp.h"
#include "stack/rtp/test_util.h"
#include "stack/rtp/vp8.h"

namespace rtclab::rtp {
namespace {

using testing::Hex;

// A classic pcap file of raw IPv4 packets with UDP to `port`, no checksum (RFC 768 allows 0).
void AppendLittle32(Bytes& out, uint32_t v) {
  for (const int shift : {0, 8, 16, 24}) out.push_back(static_cast<uint8_t>(v >> shift));
}

Bytes PcapOf(const std::vector<Bytes>& datagrams, uint16_t port) {
  Bytes out;
  for (const uint32_t v : {0xa1b2c3d4u, 0x00040002u, 0u, 0u, 65535u, 101u}) AppendLittle32(out, v);
  uint32_t second = 0;
  for (const Bytes& datagram : datagrams) {
    const auto size = static_cast<uint32_t>(datagram.size() + 28);
    for (const uint32_t v : {second++, 0u, size, size}) AppendLittle32(out, v);
    Bytes headers = Hex("4500 0000 0000 4000 4011 0000 c0000201 c0000202 0000 0000 0000 0000");
    StoreU16(headers.data() + 2, static_cast<uint16_t>(size));
    StoreU16(headers.data() + 20, port);
    StoreU16(headers.data() + 22, port);
    StoreU16(headers.data() + 24, static_cast<uint16_t>(datagram.size() + 8));
    out.insert(out.end(), headers.begin(), headers.end());
    out.insert(out.end(), datagram.begin(), datagram.end());
  }
  return out;
}

std::string RunTshark(const std::vector<Bytes>& datagrams, const std::string& arguments) {
  std::string path = ::testing::TempDir() + "rtpXXXXXX";
  const int fd = mkstemp(path.data());
  const Bytes pcap = PcapOf(datagrams, 5005);
  EXPECT_EQ(write(fd, pcap.data(), pcap.size()), static_cast<ssize_t>(pcap.size()));
  close(fd);
  std::FILE* pipe = popen(("tshark -r " + path + " " + arguments + " 2>&1").c_str(), "r");
  std::string out;
  std::array<char, 4096> buffer;
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe))
    out.append(buffer.data(), n);
  EXPECT_EQ(pclose(pipe), 0) << out;
  std::remove(path.c_str());
  return out;
}

TEST(TsharkTest, UnderstandsAllOurRtcp) {
  TransportFeedback transport{1, 2, 65534, 7, -3, {}};
  for (int i = 0; i < 60; ++i)
    transport.packets.push_back({i % 7 != 3, static_cast<int16_t>(i % 7 == 3    ? 0
                                                                  : i % 13 == 5 ? -40
                                                                                : i)});
  const ReportBlock block{2, 64, -2, 0x10064, 33, 0x2c008000, 0x18000};
  const std::vector<RtcpMessage> messages = {
      SenderReport{1, {0xe1b52c00, 0x80000000}, 90000, 100, 50000, {block, block}},
      ReceiverReport{1, {block}},
      SourceDescription{{{1, {{SdesType::kCname, "cname"}, {SdesType::kTool, "rtclab"}}},
                         {2, {{SdesType::kCname, "xy"}}}}},
      Goodbye{{1, 2}, "done"},
      AppPacket{5, 1, {'t', 'e', 's', 't'}, Bytes{1, 2, 3, 4}},
      ExtendedReport{1, {ReceiverReferenceTime{{0xe1b52c00, 0}}, Dlrr{{{2, 3, 4}}}}},
      Nack{1, 2, {10, 11, 26, 65535, 0}},
      Tmmbr{1, {{2, DataRate::KilobitsPerSec(1500), 40}}},
      Tmmbn{1, {{2, DataRate::KilobitsPerSec(1500), 40}}},
      transport,
      CongestionFeedback{
          1,
          {{2, 65534, {{true, 0, 1}, {}, {true, 3, 0x1ffe}}}, {3, 1, {{true, 1, 5}, {true, 2, 5}}}},
          0x2c008000},
      PictureLoss{1, 2},
      SliceLoss{1, 2, {{1, 2, 5}}},
      ReferencePictureSelection{1, 2, 96, Bytes{0xa1, 0xb2}, 0},
      FullIntraRequest{1, {{2, 9}}},
      Remb{1, DataRate::KilobitsPerSec(2500), {2, 3}},
  };
  std::vector<Bytes> datagrams = {BuildRtcp(messages)};
  for (const RtcpMessage& message : messages) {
    const RtcpMessage compound[] = {ReceiverReport{1, {}}, message};
    datagrams.push_back(BuildRtcp(compound));
  }
  const std::string out = RunTshark(datagrams, "-d udp.port==5005,rtcp -V");
  EXPECT_EQ(out.find("Malformed"), std::string::npos) << out;
  EXPECT_EQ(out.find("[Dissector bug"), std::string::npos);
  EXPECT_EQ(out.find("Expert Info (Error"), std::string::npos) << out;
  for (const char* found :
       {"Sender Report (200)", "Receiver Report (201)", "Source description (202)", "Goodbye (203)",
        "Application specific (204)", "Extended report (RFC 3611) (207)", "REMB",
        "Full Intra Request", "Picture Loss Indication", "Generic negative acknowledgement",
        "cname"}) {
    EXPECT_NE(out.find(found), std::string::npos) << found;
  }
}

TEST(TsharkTest, ReadsOurNumbers) {
  TransportFeedback transport{1, 2, 10, 7, 3, {{true, 4}, {}, {true, 1000}}};
  const RtcpMessage nack[] = {ReceiverReport{1, {}}, Nack{1, 2, {10, 12}}};
  const RtcpMessage remb[] = {ReceiverReport{1, {}}, Remb{1, DataRate::KilobitsPerSec(2500), {2}}};
  const RtcpMessage twcc[] = {ReceiverReport{1, {}}, transport};
  const std::string out =
      RunTshark({BuildRtcp(nack), BuildRtcp(remb), BuildRtcp(twcc)},
                "-d udp.port==5005,rtcp -T fields -E separator=/s -e rtcp.rtpfb.nack_pid "
                "-e rtcp.psfb.remb.fci.br_mantissa -e rtcp.rtpfb.transportcc.baseseq "
                "-e rtcp.rtpfb.transportcc.statuscount");
  EXPECT_NE(out.find("10"), std::string::npos) << out;
  EXPECT_NE(out.find("156250"), std::string::npos) << out;  // 2.5 Mbit/s in 18 bits, exponent 4
  EXPECT_NE(out.find("10 3"), std::string::npos) << out;
}

TEST(TsharkTest, ReadsOurRtpHeader) {
  PacketBuilder builder({true, 96, 4660, 90000, 0xa1a2a3a4});
  builder.AddCsrc(0xc1c1c1c1);
  EXPECT_TRUE(builder.AddExtension(1, Hex("aabbcc")));
  EXPECT_TRUE(builder.AddExtension(2, Bytes(20, 1)));
  builder.AppendPayload(AsBytes("payload"));
  const std::string out =
      RunTshark({builder.Build(4)},
                "-d udp.port==5005,rtp -T fields -E separator=/s -e rtp.seq -e rtp.timestamp "
                "-e rtp.ssrc -e rtp.csrc.item -e rtp.ext.rfc5285.id -e rtp.ext.rfc5285.len -e "
                "rtp.padding.count");
  EXPECT_NE(out.find("4660 90000 0xa1a2a3a4 0xc1c1c1c1 1,2 3,20 4"), std::string::npos) << out;
}

}  // namespace
}  // namespace rtclab::rtp
