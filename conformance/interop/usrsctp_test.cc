// Our SCTP and data channels against usrsctp, in real time; the program takes some seconds. Here: handshakes, transfers and ends.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "conformance/interop/usrsctp_program.h"

namespace rtclab::conformance {

void Program::AddHandshakes() {
  for (const Role role : {Role::kWeConnect, Role::kTheyConnect, Role::kBothConnect}) {
    for (const bool ours : {false, true}) {
      for (const bool theirs : {false, true}) {
        const std::string name = std::string("Handshake") + NameOf(role) +
                                 (ours ? "IData" : "Data") + (theirs ? "IData" : "Data");
        CaseOptions options;
        options.name = name;
        options.usrsctp.interleaving = theirs;
        SctpCase& c = AddConfigured(options, OurConfig(ours), role);
        c.Then("what both offer is agreed, and nothing else", nullptr, [&c, ours, theirs] {
          const auto* up = c.First<sctp::Connected>();
          return up->interleaving == (ours && theirs) && up->partial_reliability && up->reconfig &&
                 up->outbound_streams == 1024 && up->inbound_streams == 1024 &&
                 c.peer().peer_interleaving == (ours && theirs) &&
                 c.peer().peer_partial_reliability && c.peer().peer_reconfig &&
                 c.Count<sctp::ProtocolError>() == 0;
        });
      }
    }
  }
}

namespace {

// --- Messages of many sizes both ways; a message's PPID is its place in the list. ---

struct PlannedMessage {
  uint16_t stream;
  bool ordered;
  std::size_t size;
};

std::vector<PlannedMessage> Plan(std::size_t largest) {
  std::vector<PlannedMessage> plan;
  uint16_t n = 0;
  for (const std::size_t size :
       {1, 2, 3, 100, 1131, 1150, 1160, 1175, 1200, 5000, 16384, 65536, 1, 262144, 1048576, 10}) {
    if (size > largest) continue;
    for (const bool ordered : {true, false}) {
      plan.push_back({static_cast<uint16_t>(n % 3), ordered, size});
      ++n;
    }
    // The largest goes once, ordered and unordered in turn.
    if (size > 100'000) plan.pop_back();
  }
  return plan;
}

Bytes PlannedBytes(const PlannedMessage& m, std::size_t index, bool ours) {
  return MessageBytes(m.size, index * 2 + (ours ? 1 : 0));
}

// Everything once and unharmed, and what is ordered in order.
bool CameThrough(const std::vector<PlannedMessage>& plan, const std::vector<Arrival>& arrivals,
                 bool ours) {
  if (arrivals.size() != plan.size()) return false;
  std::vector<bool> seen(plan.size());
  std::map<uint16_t, uint32_t> last_ordered;
  for (const Arrival& a : arrivals) {
    if (a.ppid >= plan.size() || seen[a.ppid]) return false;
    seen[a.ppid] = true;
    const PlannedMessage& m = plan[a.ppid];
    if (a.stream != m.stream || a.ordered != m.ordered) return false;
    if (*a.payload != PlannedBytes(m, a.ppid, ours)) return false;
    if (!m.ordered) continue;
    const auto [it, first] = last_ordered.try_emplace(m.stream, a.ppid);
    if (!first && a.ppid < it->second) return false;
    it->second = a.ppid;
  }
  return true;
}

void AddTransferSteps(SctpCase& c, std::size_t largest) {
  const std::vector<PlannedMessage> plan = Plan(largest);
  c.Then(
      "all messages at both ends",
      [&c, plan](Timestamp now) {
        for (std::size_t i = 0; i < plan.size(); ++i) {
          const PlannedMessage& m = plan[i];
          sctp::SendOptions options;
          options.ordered = m.ordered;
          const auto sent = c.ours.Send(now, sctp::StreamId{m.stream}, static_cast<uint32_t>(i),
                                        PlannedBytes(m, i, true), options);
          if (!sent) c.peer().errors.push_back("our Send: " + sent.error().reason);
          c.peer().Send({.stream = m.stream,
                         .ppid = static_cast<uint32_t>(i),
                         .ordered = m.ordered,
                         .payload = PlannedBytes(m, i, false)});
        }
      },
      [&c, count = plan.size()] {
        return c.peer().received.size() >= count && c.Count<sctp::MessageReceived>() >= count;
      });
  c.Then("every message of ours unharmed, once and in order", nullptr,
         [&c, plan] { return CameThrough(plan, AtUsrsctp(c), true); });
  c.Then("every message of theirs unharmed, once and in order", nullptr,
         [&c, plan] { return CameThrough(plan, AtOurs(c), false); });
}

}  // namespace

void Program::AddTransfers() {
  for (const Role role : {Role::kWeConnect, Role::kTheyConnect}) {
    for (const bool interleaving : {false, true}) {
      for (const int loss : {0, 5, 20}) {
        const std::string name = std::string("Transfer") + NameOf(role) +
                                 (interleaving ? "IData" : "Data") + "Loss" + std::to_string(loss);
        AddTransferSteps(Add(name, role, interleaving, loss, loss == 0 ? 0 : 10),
                         loss == 20 ? 65536 : kLargestMessage);
      }
    }
  }
  AddTransferSteps(Add("TransferReorderedOnly", Role::kBothConnect, true, 0, 30), 262144);
}

// --- What usrsctp does not know, and what it must not mind. ---

void Program::AddExtras() {
  CaseOptions options;
  options.name = "ZeroChecksumOfferedAndNotTaken";
  sctp::AssociationConfig config = OurConfig(true);
  config.zero_checksum = true;
  SctpCase& checksum = AddConfigured(options, config, Role::kBothConnect);
  checksum.Then("our packets keep their checksum", nullptr,
                [&checksum] { return !checksum.First<sctp::Connected>()->zero_checksum; });
  AddTransferSteps(checksum, 5000);

  options.name = "PathMtuProbing";
  config = OurConfig(false);
  config.mtu = 576;
  config.max_probed_mtu = 1400;
  SctpCase& probing = AddConfigured(options, config, Role::kWeConnect);
  probing.Then("a larger path MTU is found", nullptr,
               [&probing] { return probing.ours.metrics().mtu > 1300; });
  AddTransferSteps(probing, 65536);

  options.name = "RestartOfUsrsctp";
  SctpCase& theirs = AddConfigured(options, OurConfig(true), Role::kBothConnect);
  theirs.Then(
      "our association starts anew with theirs",
      [&theirs](Timestamp) {
        theirs.ReplacePeer();
        theirs.peer().Connect();
      },
      [&theirs] { return theirs.peer().up && theirs.Count<sctp::Restarted>() == 1; });
  AddTransferSteps(theirs, 5000);

  options.name = "RestartOfOurs";
  SctpCase& ours = AddConfigured(options, OurConfig(false), Role::kBothConnect);
  ours.Then(
      "their association starts anew with ours",
      [&ours](Timestamp now) {
        ours.ReplaceOurs(OurConfig(false));
        ours.ours.Connect(now);
      },
      [&ours] { return ours.peer().restarted && ours.Count<sctp::Connected>() == 2; });
  AddTransferSteps(ours, 5000);

  options.name = "NoStreamResetAtThePeer";
  options.usrsctp.stream_reset = false;
  SctpCase& denied = AddConfigured(options, OurConfig(false), Role::kWeConnect);
  denied.Then(
      "our reset is answered, one way or the other",
      [&denied](Timestamp now) {
        const sctp::StreamId stream{1};
        denied.ours.ResetStreams(now, {&stream, 1});
      },
      [&denied] {
        return denied.Count<sctp::StreamsResetFailed>() +
                   denied.Count<sctp::StreamsResetPerformed>() ==
               1;
      });
  AddTransferSteps(denied, 5000);
}

// --- How associations end. ---

void Program::AddEnds() {
  for (const int loss : {0, 20}) {
    for (const bool ours : {false, true}) {
      const std::string kind =
          std::string(ours ? "Ours" : "Theirs") + "Loss" + std::to_string(loss);
      SctpCase& c = Add("Shutdown" + kind, Role::kBothConnect, true, loss, loss / 2);
      c.Then(
          "the message that was queued, then the end at both sides",
          [&c, ours](Timestamp now) {
            if (ours) {
              (void)c.ours.Send(now, sctp::StreamId{0}, 1, MessageBytes(50'000, 1));
              c.ours.Shutdown(now);
            } else {
              c.peer().Send({.stream = 0, .ppid = 1, .payload = MessageBytes(50'000, 1)});
              c.peer().Shutdown();
            }
          },
          [&c, ours] {
            const auto arrivals = ours ? AtUsrsctp(c) : AtOurs(c);
            return c.Count<sctp::Closed>() == 1 && c.peer().closed && arrivals.size() == 1 &&
                   *arrivals[0].payload == MessageBytes(50'000, 1);
          });
    }
  }
  SctpCase& ours = Add("AbortOurs", Role::kWeConnect, true);
  ours.Then(
      "our abort at both ends", [&ours](Timestamp now) { ours.ours.Abort(now, "enough"); },
      [&ours] { return ours.peer().lost && ours.Count<sctp::Aborted>() == 1; });
  SctpCase& theirs = Add("AbortTheirs", Role::kTheyConnect, true);
  theirs.Then(
      "their abort at our end", [&theirs](Timestamp) { theirs.peer().Abort(); },
      [&theirs] {
        const auto* aborted = theirs.First<sctp::Aborted>();
        return aborted != nullptr && aborted->by_peer;
      });
}

namespace {

Program& TheProgram() {
  static auto* const program = new Program;
  return *program;
}

class UsrsctpTest : public testing::TestWithParam<std::string> {};

TEST_P(UsrsctpTest, Interoperates) {
  EXPECT_EQ(TheProgram().Outcome(GetParam()), "");
  RecordProperty("took_ms", static_cast<int>(TheProgram().Took(GetParam()).millis()));
}

INSTANTIATE_TEST_SUITE_P(Cases, UsrsctpTest, testing::ValuesIn(TheProgram().Names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace rtclab::conformance
