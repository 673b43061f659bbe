#include "conformance/socket/event_loop.h"

#include <gtest/gtest.h>

#include <csignal>

#include <thread>
#include <vector>

#include "conformance/socket/socket_test_util.h"

namespace rtclab::conformance {
namespace {

constexpr AddressFamily kLoopFamily = AddressFamily::kIpv4;

Timestamp Never(Timestamp) { return Timestamp::PlusInfinity(); }

class EventLoopTest : public testing::Test {
 protected:
  void Say(UdpSocket& to) { a_.Send(to.local(), AsBytes("x"), false); }

  UdpSocket a_ = *UdpSocket::Bind(LoopbackOf(kLoopFamily));
  UdpSocket b_ = *UdpSocket::Bind(LoopbackOf(kLoopFamily));
  UdpSocket c_ = *UdpSocket::Bind(LoopbackOf(kLoopFamily));
  Bytes buffer_ = Bytes(2'048);
  EventLoop loop_;
};

TEST_F(EventLoopTest, TellsWhatIsReadableUntilItIsRead) {
  int calls = 0;
  loop_.Add(b_.descriptor(), [&](EventLoop::Ready ready) {
    EXPECT_TRUE(ready.readable);
    EXPECT_FALSE(ready.writable);
    if (++calls == 3) {
      EXPECT_TRUE(b_.Receive(buffer_));
      loop_.Stop();
    }
  });
  loop_.Add(c_.descriptor(), [&](EventLoop::Ready) { ADD_FAILURE() << "nothing came"; });
  EXPECT_EQ(loop_.size(), 2u);
  Say(b_);
  loop_.Run(Never);
  EXPECT_EQ(calls, 3);
}

TEST_F(EventLoopTest, TellsWritabilityOnlyWhenWanted) {
  int calls = 0;
  loop_.Add(b_.descriptor(), [&](EventLoop::Ready ready) {
    EXPECT_TRUE(ready.writable);
    ++calls;
    loop_.WantWritable(b_.descriptor(), false);
  });
  loop_.WantWritable(b_.descriptor(), true);
  loop_.Run([&](Timestamp now) {
    if (calls == 1) loop_.Stop();
    return now + TimeDelta::Millis(5);
  });
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, LeavesUnreadWhatIsNotWanted) {
  loop_.Add(b_.descriptor(), [&](EventLoop::Ready) { ADD_FAILURE(); });
  loop_.WantReadable(b_.descriptor(), false);
  Say(b_);
  int rounds = 0;
  loop_.Run([&](Timestamp now) {
    if (++rounds == 3) loop_.Stop();
    return now + TimeDelta::Millis(2);
  });
  EXPECT_EQ(rounds, 3);
}

TEST_F(EventLoopTest, CallsAfterRoundAtItsTimeAndNotBefore) {
  const Timestamp start = RealNow();
  std::vector<Timestamp> called;
  loop_.Run([&](Timestamp now) {
    called.push_back(now);
    if (called.size() == 4) loop_.Stop();
    // Beyond the longest sleep of the loop as well.
    return now + TimeDelta::Millis(called.size() == 1 ? 70 : 10);
  });
  ASSERT_EQ(called.size(), 4u);
  EXPECT_GE(called[1] - start, TimeDelta::Millis(70));
  EXPECT_GE(called[3] - called[1], TimeDelta::Millis(20));
  EXPECT_LT(called[3] - start, TimeDelta::Millis(600));
}

TEST_F(EventLoopTest, ARemovedDescriptorIsNotToldAnyMoreInTheSameRound) {
  // Both are ready; whoever comes first removes the other and itself, while it runs.
  int calls = 0;
  const auto first = [&](EventLoop::Ready) {
    ++calls;
    loop_.Remove(b_.descriptor());
    loop_.Remove(c_.descriptor());
    EXPECT_EQ(loop_.size(), 0u);
    loop_.Stop();
  };
  loop_.Add(b_.descriptor(), first);
  loop_.Add(c_.descriptor(), first);
  Say(b_);
  Say(c_);
  loop_.Run(Never);
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, ASuccessorOnTheSameDescriptorGetsOnlyItsOwnEvents) {
  // The number of a closed socket is given to the next: its event of this round is not the successor's.
  std::optional<UdpSocket> old(*UdpSocket::Bind(LoopbackOf(kLoopFamily)));
  std::optional<UdpSocket> successor;
  const int number = old->descriptor();
  loop_.Add(b_.descriptor(), [&](EventLoop::Ready) {
    (void)b_.Receive(buffer_);
    loop_.Remove(number);
    old.reset();
    successor.emplace(*UdpSocket::Bind(LoopbackOf(kLoopFamily)));
    ASSERT_EQ(successor->descriptor(), number);
    loop_.Add(number, [&](EventLoop::Ready) { ADD_FAILURE() << "nothing came for it"; });
  });
  loop_.Add(number, [&](EventLoop::Ready) { ADD_FAILURE() << "removed by who came first"; });
  Say(b_);
  Say(*old);
  int rounds = 0;
  loop_.Run([&](Timestamp now) {
    if (++rounds == 4) loop_.Stop();
    return now + TimeDelta::Millis(1);
  });
  EXPECT_TRUE(successor);
}

TEST_F(EventLoopTest, StopsAndWakesFromAnotherThread) {
  std::atomic<int> rounds{0};
  std::thread other([&] {
    while (rounds == 0) std::this_thread::yield();
    loop_.Wake();
    while (rounds == 1) std::this_thread::yield();
    loop_.Stop();
  });
  loop_.Run([&](Timestamp) {
    ++rounds;
    return Timestamp::PlusInfinity();
  });
  other.join();
  EXPECT_GE(rounds, 2);
}

TEST_F(EventLoopTest, StopsAtAnInterrupt) {
  std::thread user([] { Interrupt(); });
  const Timestamp start = RealNow();
  loop_.Run(Never);
  user.join();
  EXPECT_LT(RealNow() - start, TimeDelta::Millis(500));
  ClearInterrupt();
  // And runs again afterwards.
  int rounds = 0;
  loop_.Run([&](Timestamp now) {
    if (++rounds == 2) loop_.Stop();
    return now;
  });
  EXPECT_EQ(rounds, 2);
}

TEST(RealClockTest, GoesForward) {
  const Timestamp first = RealNow();
  EXPECT_GE(first, Timestamp::Zero());
  EXPECT_LT(first, Timestamp::Seconds(3'600));
  Timestamp last = first;
  while (last == first) last = RealNow();
  EXPECT_GT(last, first);
}

TEST(RealClockTest, ASignalInterrupts) {
  InterruptOnSignals();
  EXPECT_FALSE(Interrupted());
  raise(SIGINT);
  EXPECT_TRUE(Interrupted());
  ClearInterrupt();
  raise(SIGINT);  // the same wish
  EXPECT_FALSE(Interrupted());
}

TEST(RealClockDeathTest, AnotherSignalLaterEndsTheProcess) {
  testing::FLAGS_gtest_death_test_style =
      "threadsafe";  // a forked child would share the descriptor that an interrupt makes readable
  const auto impatient = [] {
    InterruptOnSignals();
    raise(SIGTERM);
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
    raise(SIGINT);
  };
  EXPECT_EXIT(impatient(), testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace rtclab::conformance
