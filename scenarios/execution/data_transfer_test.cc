// Every way in which a transfer can go wrong is found out.
#include "scenarios/execution/data_transfer.h"

#include <gtest/gtest.h>

#include <functional>

namespace rtclab::scenarios {
namespace {

ChannelSpec TransferOf(int64_t amount, int64_t message_size) {
  ChannelSpec spec;
  spec.amount = amount;
  spec.message_size = message_size;
  return spec;
}

ChannelSpec Unordered(ChannelSpec spec) {
  spec.ordered = false;
  return spec;
}
ChannelSpec Unreliable(ChannelSpec spec) {
  spec.max_retransmits = 0;
  return spec;
}

struct Sent {
  MessagePattern pattern{Rng(1, "transfer")};
  std::unique_ptr<OutgoingTransfer> out;
  std::vector<Bytes> messages;

  explicit Sent(const ChannelSpec& spec) {
    out = std::make_unique<OutgoingTransfer>(spec, pattern);
    while (!out->AllSent()) {
      messages.push_back(out->Next());
      out->NoteSent(Timestamp::Millis(static_cast<int64_t>(messages.size())));
    }
  }
  bool IntactWith(const ChannelSpec& spec, const std::vector<Bytes>& arriving) const {
    IncomingTransfer in(spec, pattern);
    for (const Bytes& message : arriving) in.Receive(Timestamp::Seconds(1), message);
    return in.IsIntact(*out);
  }
};

TEST(DataTransferTest, AnAmountIsCutIntoMessages) {
  for (const auto& [amount, size, sizes] :
       std::vector<std::tuple<int64_t, int64_t, std::vector<std::size_t>>>{
           {100, 40, {40, 40, 20}},
           {80, 40, {40, 40}},
           {1, 40, {16}},  // a number has to fit
           {41, 40, {40, 16}},
           {200'000, 150'000, {150'000, 50'000}}}) {
    const Sent sent(TransferOf(amount, size));
    std::vector<std::size_t> got;
    for (const Bytes& message : sent.messages) got.push_back(message.size());
    EXPECT_EQ(got, sizes);
    EXPECT_EQ(sent.out->total(), sizes.size());
    EXPECT_EQ(sent.out->first_sent(), Timestamp::Millis(1));
    EXPECT_TRUE(sent.IntactWith(TransferOf(amount, size), sent.messages));
  }
}

TEST(DataTransferTest, SeedsAndMessagesDiffer) {
  const Sent sent(TransferOf(4000, 1000));
  EXPECT_NE(Bytes(sent.messages[0].begin() + 4, sent.messages[0].end()),
            Bytes(sent.messages[1].begin() + 4, sent.messages[1].end()));
  Bytes other(1000);
  MessagePattern(Rng(2, "transfer")).Fill(0, other);
  EXPECT_NE(sent.messages[0], other);
  EXPECT_FALSE(sent.pattern.Matches(0, other));
}

struct Fault {
  const char* name;
  std::function<void(std::vector<Bytes>&)> apply;
  bool ordered, unordered, unreliable;  // whether such a channel allows it
};

TEST(DataTransferTest, WhatAChannelDoesNotPromiseIsFoundOut) {
  const ChannelSpec spec = TransferOf(5000, 1000);
  const Sent sent(spec);
  const std::vector<Fault> faults = {
      {"nothing", [](auto&) {}, true, true, true},
      {"flipped bit", [](auto& m) { m[2][500] ^= 1; }, false, false, false},
      {"flipped last bit", [](auto& m) { m[4].back() ^= 0x80; }, false, false, false},
      {"another number", [](auto& m) { m[2][3] = 1; }, false, false, false},
      {"a number past the end", [](auto& m) { m[4][3] = 5; }, false, false, false},
      {"a huge number", [](auto& m) { m[2][0] = 0xff; }, false, false, false},
      {"lost", [](auto& m) { m.erase(m.begin() + 2); }, false, false, true},
      {"lost at the end", [](auto& m) { m.pop_back(); }, false, false, true},
      {"all lost", [](auto& m) { m.clear(); }, false, false, true},
      {"doubled", [](auto& m) { m.insert(m.begin() + 2, m[2]); }, false, false, false},
      {"doubled for a lost one", [](auto& m) { m[3] = m[2]; }, false, false, false},
      {"reordered", [](auto& m) { std::swap(m[1], m[3]); }, false, true, true},
      {"cut short", [](auto& m) { m[2].pop_back(); }, false, false, false},
      {"longer", [](auto& m) { m[2].push_back(0); }, false, false, false},
      {"only a number", [](auto& m) { m[2].resize(4); }, false, false, false},
      {"less than a number", [](auto& m) { m[2].resize(3); }, false, false, false},
      {"empty", [](auto& m) { m[2].clear(); }, false, false, false},
      {"joined", [](auto& m) { m[1].insert(m[1].end(), m[2].begin(), m[2].end()); }, false, false,
       false},
  };
  for (const Fault& fault : faults) {
    std::vector<Bytes> arriving = sent.messages;
    fault.apply(arriving);
    EXPECT_EQ(sent.IntactWith(spec, arriving), fault.ordered) << fault.name;
    EXPECT_EQ(sent.IntactWith(Unordered(spec), arriving), fault.unordered) << fault.name;
    EXPECT_EQ(sent.IntactWith(Unreliable(Unordered(spec)), arriving), fault.unreliable)
        << fault.name;
  }
}

// Parts of a long message that change places have the right bytes at the wrong place.
TEST(DataTransferTest, PartsOfALongMessageAreNotAlike) {
  const ChannelSpec spec = TransferOf(300'000, 300'000);
  const Sent sent(spec);
  std::vector<Bytes> arriving = sent.messages;
  std::swap_ranges(arriving[0].begin() + 4, arriving[0].begin() + 4 + 65'536,
                   arriving[0].begin() + 4 + 65'536);
  EXPECT_FALSE(sent.IntactWith(spec, arriving));
}

// A transfer that is under way: what has arrived is judged against what was sent so far.
TEST(DataTransferTest, AMessageThatWasNotSentYetIsWrong) {
  const ChannelSpec spec = TransferOf(3000, 1000);
  const MessagePattern pattern(Rng(1, "transfer"));
  OutgoingTransfer out(spec, pattern);
  IncomingTransfer in(spec, pattern);
  EXPECT_TRUE(in.IsIntact(out));
  const Bytes first = out.Next();
  in.Receive(Timestamp::Zero(), first);
  EXPECT_FALSE(in.IsIntact(out));
  out.NoteSent(Timestamp::Zero());
  EXPECT_TRUE(in.IsIntact(out));
  EXPECT_EQ(in.bytes(), 1000);
}

TEST(DataTransferTest, DigestsOfSetsForgetTheOrderAndNothingElse) {
  const auto digest = [](std::initializer_list<uint8_t> values) {
    MessageSetDigest set;
    for (const uint8_t v : values) set.Add(crypto::Sha256(Bytes{v}));
    return set;
  };
  EXPECT_EQ(digest({1, 2, 3}), digest({3, 1, 2}));
  EXPECT_FALSE(digest({1, 2}) == digest({1, 2, 2}));
  EXPECT_FALSE(digest({1, 1}) == digest({2, 2}));
  EXPECT_FALSE(digest({}) == digest({1}));
}

}  // namespace
}  // namespace rtclab::scenarios
