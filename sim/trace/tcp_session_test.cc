// RFC 7857 section 2, figure 1.
#include "sim/trace/tcp_session.h"

#include <gtest/gtest.h>

namespace rtclab::sim {
namespace {

using State = TcpSession::State;

class TcpSessionTest : public testing::Test {
 protected:
  void Syn(bool outbound) { Packet(outbound, &PacketInfo::tcp_syn); }
  void Fin(bool outbound) { Packet(outbound, &PacketInfo::tcp_fin); }
  void Rst(bool outbound) { Packet(outbound, &PacketInfo::tcp_rst); }
  void Data(bool outbound) { Packet(outbound, &PacketInfo::tcp_ack); }
  void Packet(bool outbound, bool PacketInfo::*flag) {
    PacketInfo p;
    p.tuple.protocol = IpProtocol::kTcp;
    p.*flag = true;
    tcp_.HandlePacket(outbound, p);
  }
  void Establish() {
    Syn(true);
    Syn(false);
    EXPECT_EQ(tcp_.state(), State::kEstablished);
  }
  TcpSession tcp_;
};

TEST_F(TcpSessionTest, TheSameSideTwiceEstablishesNothing) {
  Syn(true);
  Syn(true);
  Data(true);
  EXPECT_EQ(tcp_.state(), State::kInit);
  EXPECT_TRUE(tcp_.transitory());
  Syn(false);
  EXPECT_FALSE(tcp_.transitory());
}

TEST_F(TcpSessionTest, OpenedFromOutside) {
  Syn(false);
  EXPECT_EQ(tcp_.state(), State::kInit);
  Syn(true);
  EXPECT_EQ(tcp_.state(), State::kEstablished);
}

TEST_F(TcpSessionTest, FinsInEitherOrder) {
  for (const bool first : {true, false}) {
    tcp_ = {};
    Establish();
    Fin(first);
    Fin(first);
    EXPECT_EQ(tcp_.state(), State::kOneFin);
    EXPECT_FALSE(tcp_.transitory());
    Data(!first);
    EXPECT_EQ(tcp_.state(), State::kOneFin);
    Fin(!first);
    EXPECT_EQ(tcp_.state(), State::kBothFin);
    EXPECT_TRUE(tcp_.transitory());
    Data(first);
    EXPECT_EQ(tcp_.state(), State::kBothFin);
  }
}

TEST_F(TcpSessionTest, ResetAndBack) {
  Establish();
  Rst(false);
  EXPECT_EQ(tcp_.state(), State::kTrans);
  Rst(true);
  EXPECT_EQ(tcp_.state(), State::kTrans);
  Data(true);
  EXPECT_EQ(tcp_.state(), State::kEstablished);
}

TEST_F(TcpSessionTest, ResetBeforeItIsEstablishedChangesNothing) {
  Syn(true);
  Rst(false);
  EXPECT_EQ(tcp_.state(), State::kInit);
}

TEST_F(TcpSessionTest, ANewSynStartsAnew) {
  Establish();
  Fin(true);
  Fin(false);
  Syn(true);
  EXPECT_EQ(tcp_.state(), State::kInit);
  Syn(false);
  EXPECT_EQ(tcp_.state(), State::kEstablished);
  Fin(true);
  EXPECT_EQ(tcp_.state(), State::kOneFin);
}

}  // namespace
}  // namespace rtclab::sim
