// Associations with usrsctp, the library of browsers, in both roles over a bad path. A program of its own, since
// usrsctp's state is global; on the real clock, since usrsctp reads it. It runs without threads.
#include <gtest/gtest.h>
#include <usrsctp.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "stack/base/rng.h"
#include "stack/sctp/association.h"

namespace rtclab::sctp {
namespace {

char g_wire;  // names usrsctp's end of the wire
std::vector<Bytes> g_from_usrsctp;

int TakePacket(void*, void* buffer, size_t length, uint8_t, uint8_t) {
  const auto* p = static_cast<const uint8_t*>(buffer);
  g_from_usrsctp.emplace_back(p, p + length);
  return 0;
}

constexpr uint16_t kPort = 5000;

sockaddr_conn WireAddress() {
  sockaddr_conn address{};
  address.sconn_family = AF_CONN;
  address.sconn_port = htons(kPort);
  address.sconn_addr = &g_wire;
  return address;
}

struct InteropCase {
  bool we_connect;
  bool interleaving;
  double loss;
};

class UsrsctpPeer {
 public:
  explicit UsrsctpPeer(bool listens, bool interleaving) {
    static const bool ready = [] {
      usrsctp_init_nothreads(0, TakePacket, nullptr);
      usrsctp_sysctl_set_sctp_ecn_enable(0);
      usrsctp_register_address(&g_wire);
      return true;
    }();
    static_cast<void>(ready);
    listener_ = Make(interleaving);
    sockaddr_conn address = WireAddress();
    EXPECT_EQ(usrsctp_bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    if (listens) {
      EXPECT_EQ(usrsctp_listen(listener_, 1), 0);
    } else {
      socket_ = listener_;
      listener_ = nullptr;
      const int result =
          usrsctp_connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
      EXPECT_TRUE(result == 0 || errno == EINPROGRESS);
    }
  }
  ~UsrsctpPeer() {
    for (struct socket* s : {socket_, listener_}) {
      if (s == nullptr) continue;
      const linger hard{1, 0};
      usrsctp_setsockopt(s, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
      usrsctp_close(s);
    }
    for (int i = 0; i < 100; ++i) usrsctp_handle_timers(10);
    g_from_usrsctp.clear();
  }

  bool Send(uint16_t stream, uint32_t ppid, const Bytes& payload, bool ordered) {
    sctp_sndinfo info{};
    info.snd_sid = stream;
    info.snd_ppid = htonl(ppid);
    info.snd_flags = ordered ? 0 : SCTP_UNORDERED;
    return usrsctp_sendv(socket_, payload.data(), payload.size(), nullptr, 0, &info, sizeof(info),
                         SCTP_SENDV_SNDINFO, 0) == static_cast<ssize_t>(payload.size());
  }
  // Everything that has arrived since.
  void Read() {
    if (socket_ == nullptr) {
      socket_ = usrsctp_accept(listener_, nullptr, nullptr);
      if (socket_ == nullptr) return;
      usrsctp_set_non_blocking(socket_, 1);
    }
    while (true) {
      static std::vector<uint8_t> buffer(1 << 20);
      sctp_rcvinfo info{};
      socklen_t info_size = sizeof(info);
      unsigned int type = 0;
      int flags = 0;
      const ssize_t n = usrsctp_recvv(socket_, buffer.data(), buffer.size(), nullptr, nullptr,
                                      &info, &info_size, &type, &flags);
      if (n == 0) at_end = true;
      if (n <= 0) return;
      if ((flags & MSG_NOTIFICATION) != 0) {
        const auto* note = reinterpret_cast<const sctp_notification*>(buffer.data());
        if (note->sn_header.sn_type == SCTP_STREAM_RESET_EVENT) ++stream_resets;
        continue;
      }
      Bytes& part = partial_[info.rcv_sid];
      part.insert(part.end(), buffer.begin(), buffer.begin() + n);
      if ((flags & MSG_EOR) != 0) {
        received[info.rcv_sid].push_back(std::move(part));
        partial_.erase(info.rcv_sid);
        ++count;
      }
    }
  }
  void ResetStream(uint16_t stream) {
    std::vector<uint8_t> bytes(sizeof(sctp_reset_streams) + sizeof(uint16_t));
    auto* reset = reinterpret_cast<sctp_reset_streams*>(bytes.data());
    reset->srs_flags = SCTP_STREAM_RESET_OUTGOING;
    reset->srs_number_streams = 1;
    reset->srs_stream_list[0] = stream;
    EXPECT_EQ(usrsctp_setsockopt(socket_, IPPROTO_SCTP, SCTP_RESET_STREAMS, bytes.data(),
                                 static_cast<socklen_t>(bytes.size())),
              0);
  }
  void Shutdown() { EXPECT_EQ(usrsctp_shutdown(socket_, SHUT_WR), 0); }
  bool connected() const { return socket_ != nullptr; }

  std::map<uint16_t, std::vector<Bytes>> received;
  std::size_t count = 0;
  int stream_resets = 0;
  bool at_end = false;

 private:
  struct socket* Make(bool interleaving) {
    struct socket* s =
        usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, nullptr, nullptr, 0, nullptr);
    usrsctp_set_non_blocking(s, 1);
    const int on = 1;
    usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof(on));
    usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_RECVRCVINFO, &on, sizeof(on));
    // No partial delivery: a message is handed over whole.
    const int buffer = 4 * 1024 * 1024;
    usrsctp_setsockopt(s, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
    const uint32_t delivery_point = 2 * 1024 * 1024;
    usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_PARTIAL_DELIVERY_POINT, &delivery_point,
                       sizeof(delivery_point));
    const uint32_t level = 2;
    usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_FRAGMENT_INTERLEAVE, &level, sizeof(level));
    sctp_assoc_value value{};
    value.assoc_value = interleaving ? 1 : 0;
    constexpr int kInterleavingSupported = 0x1206;  // its public header has no name for it
    EXPECT_EQ(usrsctp_setsockopt(s, IPPROTO_SCTP, kInterleavingSupported, &value, sizeof(value)),
              0);
    value.assoc_value = SCTP_ENABLE_RESET_STREAM_REQ | SCTP_ENABLE_CHANGE_ASSOC_REQ;
    usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET, &value, sizeof(value));
    sctp_event event{};
    event.se_assoc_id = SCTP_ALL_ASSOC;
    event.se_on = 1;
    event.se_type = SCTP_STREAM_RESET_EVENT;
    usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof(event));
    sctp_rtoinfo rto{};
    rto.srto_initial = 200;
    rto.srto_min = 100;
    rto.srto_max = 500;
    usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_RTOINFO, &rto, sizeof(rto));
    sctp_initmsg init{};
    init.sinit_max_attempts = 30;
    init.sinit_num_ostreams = 1024;
    init.sinit_max_instreams = 2048;
    usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof(init));
    return s;
  }

  struct socket* listener_ = nullptr;
  struct socket* socket_ = nullptr;
  std::map<uint16_t, Bytes> partial_;
};

class InteropTest : public testing::TestWithParam<InteropCase> {
 protected:
  InteropTest()
      : rng_(11),
        association_(Config(), rng_),
        peer_(GetParam().we_connect, GetParam().interleaving) {
    if (GetParam().we_connect) association_.Connect(now_);
  }

  static AssociationConfig Config() {
    AssociationConfig config;
    config.interleaving = GetParam().interleaving;
    config.max_init_retransmits = 30;
    config.max_association_retransmits = 30;
    config.rto_initial = TimeDelta::Millis(200);
    config.rto_min = TimeDelta::Millis(100);
    config.rto_max = TimeDelta::Millis(500);
    return config;
  }

  template <typename Done>
  bool Run(TimeDelta time, Done done) {
    const Timestamp end = now_ + time;
    while (now_ < end) {
      Step();
      if (done()) return true;
    }
    return false;
  }
  void Step() {
    DrainOurs();
    for (Bytes& p : g_from_usrsctp) Fly(false, std::move(p));
    g_from_usrsctp.clear();
    std::this_thread::sleep_for(std::chrono::microseconds(500));
    const auto elapsed = std::chrono::steady_clock::now() - start_;
    const Timestamp before = now_;
    now_ = Timestamp::Nanos(std::chrono::nanoseconds(elapsed).count());
    while (!wire_.empty() && wire_.begin()->first <= now_) {
      auto item = wire_.extract(wire_.begin());
      if (item.mapped().first) {
        usrsctp_conninput(&g_wire, item.mapped().second.data(), item.mapped().second.size(), 0);
      } else {
        association_.HandlePacket(now_, item.mapped().second);
        DrainOurs();
      }
    }
    usrsctp_handle_timers(static_cast<uint32_t>(now_.millis() - before.millis()));
    peer_.Read();
    if (association_.NextTimeout() <= now_) association_.HandleTimeout(now_);
    DrainOurs();
  }
  void DrainOurs() {
    bool more = true;
    while (more) {
      more = false;
      while (auto packet = association_.PollTransmit()) {
        Fly(true, std::move(*packet));
        more = true;
      }
      while (auto event = association_.PollEvent()) {
        more = true;
        if (auto* m = std::get_if<MessageReceived>(&*event)) {
          received_[static_cast<uint16_t>(m->stream)].push_back(std::move(m->payload));
          ++count_;
        }
        if (const auto* e = std::get_if<Connected>(&*event)) {
          ++connected_;
          EXPECT_EQ(e->interleaving, GetParam().interleaving);
          EXPECT_TRUE(e->reconfig);
        }
        if (std::holds_alternative<IncomingStreamsReset>(*event)) ++incoming_resets_;
        if (std::holds_alternative<StreamsResetPerformed>(*event)) ++resets_;
        if (std::holds_alternative<Closed>(*event)) closed_ = true;
        if (const auto* e = std::get_if<Aborted>(&*event)) failure_ = e->reason;
        if (const auto* e = std::get_if<ProtocolError>(&*event)) failure_ = e->reason;
      }
    }
  }
  void Fly(bool to_usrsctp, Bytes packet) {
    if (rng_.Bernoulli(GetParam().loss)) return;
    const int64_t late = rng_.Bernoulli(GetParam().loss) ? 5 : 0;
    wire_.emplace(now_ + TimeDelta::Millis(2 + late), std::pair{to_usrsctp, std::move(packet)});
  }

  Rng rng_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  Timestamp now_;
  Association association_;
  UsrsctpPeer peer_;
  std::multimap<Timestamp, std::pair<bool, Bytes>> wire_;
  std::map<uint16_t, std::vector<Bytes>> received_;
  std::size_t count_ = 0;
  int connected_ = 0;
  int incoming_resets_ = 0;
  int resets_ = 0;
  bool closed_ = false;
  std::string failure_;
};

TEST_P(InteropTest, DataBothWaysResetsAndShutdown) {
  ASSERT_TRUE(Run(TimeDelta::Seconds(20), [&] { return connected_ == 1 && peer_.connected(); }));
  ASSERT_TRUE(Run(TimeDelta::Seconds(20), [&] { return peer_.Send(1, 53, Bytes(10, 1), true); }));
  std::map<uint16_t, std::vector<Bytes>> ours;
  std::map<uint16_t, std::vector<Bytes>> theirs;
  theirs[1].push_back(Bytes(10, 1));
  for (uint32_t i = 0; i < 30; ++i) {
    Bytes payload(i % 5 == 0 ? 30'000 : 1 + 300 * i);
    rng_.Fill(payload);
    const auto stream = static_cast<uint16_t>(i % 3);
    ours[stream].push_back(payload);
    theirs[stream].push_back(payload);
    ASSERT_TRUE(association_.Send(now_, StreamId{stream}, 53, payload));
    ASSERT_TRUE(Run(TimeDelta::Seconds(20), [&] { return peer_.Send(stream, 53, payload, true); }));
  }
  ASSERT_TRUE(Run(TimeDelta::Seconds(20), [&] { return peer_.count == 30 && count_ == 31; }))
      << failure_ << " " << peer_.count << " " << count_;
  EXPECT_TRUE(peer_.received == ours);
  EXPECT_TRUE(received_ == theirs);

  // Both reset stream 2, and it works on.
  const StreamId streams[] = {StreamId{2}};
  association_.ResetStreams(now_, streams);
  ASSERT_TRUE(Run(TimeDelta::Seconds(20), [&] { return resets_ == 1; }));
  peer_.ResetStream(2);
  ASSERT_TRUE(Run(TimeDelta::Seconds(20), [&] { return incoming_resets_ == 1; }));
  EXPECT_GE(peer_.stream_resets, 1);
  Run(TimeDelta::Millis(300), [] { return false; });
  ASSERT_TRUE(association_.Send(now_, StreamId{2}, 53, Bytes(5000, 7)));
  ASSERT_TRUE(peer_.Send(2, 53, Bytes(5000, 8), true));
  ASSERT_TRUE(Run(TimeDelta::Seconds(20), [&] { return peer_.count == 31 && count_ == 32; }));
  EXPECT_EQ(peer_.received[2].back(), Bytes(5000, 7));

  // What is given up is skipped on their side.
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(association_.Send(now_, StreamId{4}, 53, Bytes(4000, 9), {.max_retransmits = 0}));
  }
  ASSERT_TRUE(association_.Send(now_, StreamId{4}, 53, Bytes(20, 10)));
  ASSERT_TRUE(Run(TimeDelta::Seconds(20), [&] {
    return !peer_.received[4].empty() && peer_.received[4].back() == Bytes(20, 10);
  }));

  if (GetParam().we_connect) {
    association_.Shutdown(now_);
  } else {
    peer_.Shutdown();
  }
  ASSERT_TRUE(Run(TimeDelta::Seconds(20), [&] { return closed_; })) << failure_;
  EXPECT_EQ(failure_, "");
}

INSTANTIATE_TEST_SUITE_P(Roles, InteropTest,
                         testing::Values(InteropCase{true, false, 0}, InteropCase{false, false, 0},
                                         InteropCase{true, true, 0}, InteropCase{false, true, 0},
                                         InteropCase{true, false, 0.1},
                                         InteropCase{false, false, 0.1},
                                         InteropCase{true, true, 0.1},
                                         InteropCase{false, true, 0.1}));

}  // namespace
}  // namespace rtclab::sctp
