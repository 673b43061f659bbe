// An independent answer to "which NATs let two ICE agents talk directly", to hold against the tables in the suites. It
// knows RFC 4787's mapping and filtering and ICE's rules for checks, and nothing of the simulator or of the stack.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "scenarios/language.h"
#include "scenarios/test_util.h"
#include "sim/nat/presets.h"

namespace rtclab::scenarios {
namespace {

enum class Dependence { kNone, kAddress, kAddressAndPort };  // RFC 4787 sections 4.1 and 5

struct NatModel {
  bool present = true;
  Dependence mapping = Dependence::kNone;
  Dependence filtering = Dependence::kNone;
  bool same_port =
      false;  // whatever the mapping, the external port is the internal one (overloading, overlapping)
};

using Address = int;  // 0: the STUN server; 1, 2: the external addresses of the two sides
using Endpoint = std::pair<Address, int>;  // the port is a number of its own for each mapping

// One host behind its NAT, with one socket.
class Side {
 public:
  Side(Address address, const NatModel& nat) : address_(address), nat_(nat) {}

  // Where a packet to `to` comes from, seen from outside; opens the filter for it.
  Endpoint Send(Endpoint to) {
    const Endpoint from = {address_, Port(to)};
    sent_[from].insert(to);
    return from;
  }

  // Whether a packet gets in. One that does and that answers nothing opens a session of its own, and what is sent back
  // belongs to it: RFC 4787 section 4.1 is about sessions that the inner side opens.
  bool Admits(Endpoint from, Endpoint to) {
    if (!nat_.present) return true;
    if (!PassesFilter(from, to)) return false;
    if (!sent_[to].contains(from)) entered_.try_emplace(from, to.second);
    return true;
  }

 private:
  bool PassesFilter(Endpoint from, Endpoint to) const {
    const auto mapping = sent_.find(to);
    if (mapping == sent_.end()) return false;
    for (const Endpoint& peer : mapping->second) {
      if (nat_.filtering == Dependence::kNone) return true;
      if (peer.first != from.first) continue;
      if (nat_.filtering == Dependence::kAddress || peer.second == from.second) return true;
    }
    return false;
  }

  int Port(Endpoint to) {
    if (const auto session = entered_.find(to); session != entered_.end()) return session->second;
    if (!nat_.present || nat_.same_port || nat_.mapping == Dependence::kNone) return 0;
    const Endpoint key = {to.first, nat_.mapping == Dependence::kAddress ? 0 : to.second};
    return ports_.try_emplace(key, static_cast<int>(ports_.size()) + 1).first->second;
  }

  Address address_;
  NatModel nat_;
  std::map<Endpoint, int> ports_;
  std::map<Endpoint, int> entered_;              // by peer: the port that it came in by
  std::map<Endpoint, std::set<Endpoint>> sent_;  // by external endpoint: where it has sent to
};

struct Prediction {
  bool direct = false;
  std::set<std::string> local, remote;  // of the selected pair, as the first side sees it
};

// Both sides check every address that they know of the other until nothing new happens: those that were signalled, and
// those that checks arrived from (RFC 8445 section 7.3.1.3). A check succeeds when its answer comes back from where the
// check went to, to where it came from (RFC 8445 section 7.2.5.2.1).
Prediction Predict(const NatModel& left, const NatModel& right) {
  Side sides[2] = {Side(1, left), Side(2, right)};
  const Endpoint signalled[2] = {sides[0].Send({0, 0}), sides[1].Send({0, 0})};
  std::set<Endpoint> known[2] = {{signalled[1]}, {signalled[0]}};
  std::set<std::pair<Endpoint, Endpoint>>
      valid;  // of the first side: own external endpoint, the other's
  for (std::size_t size = 0, before = 1; size != before;) {
    before = size;
    for (int own = 0; own < 2; ++own) {
      const int other = 1 - own;
      const std::set<Endpoint> targets = known[own];
      for (const Endpoint& target : targets) {
        const Endpoint from = sides[own].Send(target);
        if (!sides[other].Admits(from, target)) continue;
        known[other].insert(from);
        if (sides[other].Send(from) != target || !sides[own].Admits(target, from)) continue;
        valid.insert(own == 0 ? std::pair(from, target) : std::pair(target, from));
      }
    }
    size = known[0].size() + known[1].size() + valid.size();
  }
  Prediction out;
  out.direct = !valid.empty();
  for (const auto& [own, peer] : valid) {
    out.local.insert(!left.present ? "host" : own == signalled[0] ? "srflx" : "prflx");
    out.remote.insert(!right.present ? "host" : peer == signalled[1] ? "srflx" : "prflx");
  }
  return out;
}

// RFC 4787's terms for the presets, written down here from their sources, not read from the simulator.
const std::map<std::string, NatModel>& Presets() {
  using D = Dependence;
  const NatModel symmetric = {.mapping = D::kAddressAndPort, .filtering = D::kAddressAndPort};
  static const std::map<std::string, NatModel> presets = {
      {"none", {.present = false}},
      {"full-cone", {}},                                            // RFC 3489 section 5
      {"restricted-cone", {.filtering = D::kAddress}},              // RFC 3489 section 5
      {"port-restricted-cone", {.filtering = D::kAddressAndPort}},  // RFC 3489 section 5
      {"symmetric", symmetric},                                     // RFC 3489 section 5
      {"address-dependent",
       {.mapping = D::kAddress, .filtering = D::kAddressAndPort}},  // RFC 4787 section 4.1
      {"rfc4787", {}},                          // RFC 4787 section 11, REQ-1 and 8
      {"rfc7857", {.filtering = D::kAddress}},  // RFC 4787 REQ-8, the stricter way
      {"linux-masquerade",
       {.mapping = D::kAddressAndPort, .filtering = D::kAddressAndPort, .same_port = true}},
      {"freebsd-pf", symmetric},
      {"cisco-ios", symmetric},
      {"carrier-grade", {}},  // RFC 6888 section 3, REQ-1 and 7
      {"aws-nat-gateway", symmetric},
      {"gcp-cloud-nat", symmetric},
      {"azure-nat-gateway", symmetric},
      {"cloud-one-to-one", {}},
  };
  return presets;
}

// The acceptable values of an expectation; empty when there is none. Every expectation of the key has to agree.
std::set<std::string> Expected(const RunSpec& run, const std::string& key) {
  std::set<std::string> out;
  int count = 0;
  for (const Expectation& e : run.expectations) {
    if (e.subject != "call" || e.key != key) continue;
    ++count;
    EXPECT_FALSE(e.because.empty()) << e.pointer << " gives no reason";
    if (e.value.is_array()) {
      for (const Json& value : e.value) out.insert(value.get<std::string>());
    } else {
      out.insert(e.value.get<std::string>());
    }
  }
  EXPECT_LE(count, 1) << run.id << " is told twice what " << key << " is";
  return out;
}

void HoldAgainst(const RunSpec& run, const Prediction& prediction) {
  EXPECT_EQ(Expected(run, "state"), std::set<std::string>{"connected"}) << run.id;
  EXPECT_EQ(Expected(run, "path"), std::set<std::string>{prediction.direct ? "direct" : "relayed"})
      << run.id;
  const std::set<std::string> local = Expected(run, "local"), remote = Expected(run, "remote");
  if (!prediction.direct) return;
  // The table may allow more than one type, but never leaves one out that can happen.
  EXPECT_TRUE(
      std::includes(local.begin(), local.end(), prediction.local.begin(), prediction.local.end()))
      << run.id;
  EXPECT_TRUE(std::includes(remote.begin(), remote.end(), prediction.remote.begin(),
                            prediction.remote.end()))
      << run.id;
}

TEST(NatMatrixModelTest, KnowsEveryPreset) {
  std::set<std::string> names;
  for (const auto& [name, nat] : Presets()) names.insert(name);
  const std::vector<std::string> presets = NatPresetNames();
  EXPECT_EQ(names, std::set<std::string>(presets.begin(), presets.end()));
}

TEST(NatMatrixModelTest, AgreesWithTheTableForEveryPair) {
  const LoadResult matrix = Load(RoomDirectory() / "suites" / "nat-matrix.json");
  ASSERT_TRUE(matrix.ok());
  int relayed = 0;
  for (const RunSpec& run : matrix.runs) {
    const Prediction prediction =
        Predict(Presets().at(run.parameters["left"]), Presets().at(run.parameters["right"]));
    relayed += !prediction.direct;
    HoldAgainst(run, prediction);
  }
  // Seven NATs whose port changes against each other and, both ways, against two whose filter wants the exact port.
  EXPECT_EQ(relayed, 7 * 7 + 2 * 7 * 2);
}

TEST(NatMatrixModelTest, AgreesWithTheTableForEveryBehaviour) {
  const std::map<std::string, Dependence> dependence = {
      {"endpoint-independent", Dependence::kNone},
      {"address-dependent", Dependence::kAddress},
      {"address-and-port-dependent", Dependence::kAddressAndPort}};
  const LoadResult suite = Load(RoomDirectory() / "suites" / "nat-behaviours.json");
  ASSERT_EQ(suite.runs.size(), 36u);
  for (const RunSpec& run : suite.runs) {
    NatModel nat;
    nat.mapping = dependence.at(run.parameters["mapping"]);
    nat.filtering = dependence.at(run.parameters["filtering"]);
    nat.same_port = run.parameters["ports"] == "overloading";
    HoldAgainst(run, Predict(nat, Presets().at("symmetric")));
  }
}

// The model itself against the cases that RFC 5128 section 3 describes in words.
TEST(NatMatrixModelTest, HolePunchingNeedsOneSideThatKeepsItsPort) {
  const NatModel port_restricted = Presets().at("port-restricted-cone"),
                 symmetric = Presets().at("symmetric");
  EXPECT_TRUE(Predict(port_restricted, port_restricted).direct);
  EXPECT_FALSE(Predict(port_restricted, symmetric).direct);
  EXPECT_FALSE(Predict(symmetric, symmetric).direct);
  EXPECT_TRUE(Predict(symmetric, Presets().at("restricted-cone")).direct);
  EXPECT_EQ(Predict(symmetric, Presets().at("full-cone")).local, std::set<std::string>{"prflx"});
}

}  // namespace
}  // namespace rtclab::scenarios
