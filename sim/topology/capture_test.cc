// A run's capture, read back by Wireshark's own reader.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "sim/topology/network_test_util.h"

namespace rtclab::sim {
namespace {

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

class CaptureTest : public NetworkTestBase {
 protected:
  CaptureTest() {
    std::string pattern = testing::TempDir() + "captureXXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~CaptureTest() override {
    network_.reset();
    std::filesystem::remove_all(directory_);
  }

  // Two families, a NAT, an ICMP error, fragments, and one packet that the NAT drops.
  void RunAndCapture(const std::filesystem::path& path) {
    LanSpec home = Lan("home");
    home.ipv6 = true;
    Build({.lans = {home}, .hosts = {Host("alice", "home", true), Host("server", "", true)}});
    ASSERT_TRUE(network_->StartCapture(path));
    Echo echo;
    EchoHost server(network_->host("server"), echo, {});
    Inbox inbox;
    for (const int family : {0, 1}) {
      const auto target =
          server.Bind({network_->addresses("server")[static_cast<std::size_t>(family)], 4000});
      const TransportAddress local = Bind("alice", 5000, inbox, family);
      Send("alice", local, *target, "hello");
      Send("alice", local, *target, std::string(3000, 'x'));
      Send("alice", local, {target->ip, 9}, "nobody");
    }
    RunFor(50);
    network_->host("server").Send({network_->addresses("server")[0], 4000},
                                  {network_->external_addresses("home")[0], 1}, AsBytes("no"));
    RunFor(50);
    EXPECT_EQ(inbox.items.size(), 4u) << AllDrops();
    EXPECT_EQ(inbox.errors.size(), 2u);
    ASSERT_TRUE(network_->FinishCapture());
  }

  std::string Tshark(const std::filesystem::path& file, const std::string& arguments) {
    const std::string command = "tshark -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -r " +
                                file.string() + " " + arguments + " 2>&1";
    std::FILE* pipe = popen(command.c_str(), "r");
    std::string out;
    std::array<char, 4096> buffer;
    while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
      out.append(buffer.data(), n);
    }
    EXPECT_EQ(pclose(pipe), 0) << out;
    return out;
  }

  std::filesystem::path directory_;
};

TEST_F(CaptureTest, SameRunSameBytes) {
  RunAndCapture(directory_ / "a.pcapng");
  RunAndCapture(directory_ / "b.pcapng");
  const std::string a = ReadAll(directory_ / "a.pcapng");
  EXPECT_GT(a.size(), 10'000u);
  EXPECT_EQ(a, ReadAll(directory_ / "b.pcapng"));
}

TEST_F(CaptureTest, FileAppearsWholeOrNotAtAll) {
  Build({.lans = {}, .hosts = {Host("alice", "")}});
  const auto path = directory_ / "c.pcapng";
  ASSERT_TRUE(network_->StartCapture(path));
  EXPECT_FALSE(std::filesystem::exists(path));
  network_.reset();
  EXPECT_TRUE(std::filesystem::exists(path));
  Build({.lans = {}, .hosts = {Host("alice", "")}});
  EXPECT_FALSE(network_->StartCapture(directory_ / "missing" / "d.pcapng"));
}

TEST_F(CaptureTest, WiresharkFindsNothingWrong) {
  ASSERT_EQ(std::system("tshark --version >/dev/null 2>&1"), 0) << "scripts/setup installs tshark";
  const auto path = directory_ / "e.pcapng";
  RunAndCapture(path);
  const std::string wrong =
      Tshark(path,
             "-Y '_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0 || "
             "icmp.checksum.status == 0 || icmpv6.checksum.status == 0'");
  EXPECT_EQ(wrong.find("192.168"), std::string::npos) << wrong;
  EXPECT_EQ(wrong.find("2001:db8"), std::string::npos) << wrong;
  // That those checksums were looked at: the filter's opposite finds all UDP.
  const std::string good = Tshark(path, "-Y 'udp.checksum.status == 1' -T fields -e frame.number");
  EXPECT_GT(std::count(good.begin(), good.end(), '\n'), 20);

  const std::string first =
      Tshark(path,
             "-c 1 -T fields -e frame.interface_name -e frame.time_epoch -e ip.src -e ip.dst "
             "-e frame.packet_flags_direction -e frame.encap_type");
  EXPECT_NE(first.find("alice\t1577836800.000000000\t192.168.1.2\t198.51.100.2"), std::string::npos)
      << first;
  const std::string names = Tshark(path, "-T fields -e frame.interface_name");
  for (const char* name : {"alice\n", "home\n", "server\n", "nat/home\n"}) {
    EXPECT_NE(names.find(name), std::string::npos) << name;
  }
  const std::string comments = Tshark(path, "-Y frame.comment -T fields -e frame.comment");
  EXPECT_NE(comments.find("nat.no-mapping: "), std::string::npos) << comments;
  EXPECT_NE(comments.find("udp.no-socket: "), std::string::npos) << comments;
}

}  // namespace
}  // namespace rtclab::sim
