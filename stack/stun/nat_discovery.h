// A client that finds out how the NAT in front of it behaves (RFC 5780): UDP connectivity, filtering, mapping, fragments, hairpinning and
// the lifetime of bindings.
#ifndef RTCLAB_STACK_STUN_NAT_DISCOVERY_H_
#define RTCLAB_STACK_STUN_NAT_DISCOVERY_H_

#include <deque>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "stack/base/datagram.h"
#include "stack/base/rng.h"
#include "stack/base/units.h"
#include "stack/stun/message.h"
#include "stack/stun/message_builder.h"
#include "stack/stun/transaction.h"

namespace rtclab::stun {

// RFC 4787 sections 4.1 and 5. kUnknown: the test was not asked for or could not be run.
enum class MappingResult : uint8_t {
  kUnknown,
  kEndpointIndependent,
  kAddressDependent,
  kAddressAndPortDependent,
};
enum class FilteringResult : uint8_t {
  kUnknown,
  kEndpointIndependent,
  kAddressDependent,
  kAddressAndPortDependent,
};
// RFC 4787 section 6: whether two ports behind the NAT reach each other at their external addresses, and what they then see as the
// source.
enum class HairpinningResult : uint8_t { kUnknown, kNone, kInternalSource, kExternalSource };

std::string_view ToString(MappingResult result);
std::string_view ToString(FilteringResult result);
std::string_view ToString(HairpinningResult result);

struct NatDiscoveryConfig {
  // The port under test: connectivity, filtering, lifetime. No traffic from it before (RFC 5780 section 4.1).
  TransportAddress local;
  // Another port of the same host, also without traffic before: for mapping, hairpinning and lifetime. None: no hairpinning and
  // lifetime, and the mapping tests run from `local`; the answers to the filtering tests may then have left sessions there that
  // make an address-dependent mapping look address-and-port-dependent.
  TransportAddress second_local;
  TransportAddress server;  // its primary address
  RetransmitPolicy retransmit;
  bool filtering = true;
  bool mapping = true;
  bool hairpinning = false;
  bool lifetime = false;
  bool fragments = false;
  // Longer bindings than this are not told apart; the search ends when it knows the lifetime this precisely (at least 1 ms).
  TimeDelta lifetime_max = TimeDelta::Seconds(600);
  TimeDelta lifetime_precision = TimeDelta::Seconds(1);
  std::size_t padding = 1500;  // bytes of PADDING of the fragment test: the interface's MTU
};

// RFC 5780 section 4.6: a binding is alive after `at_least` and gone after `less_than` without outbound packets.
struct BindingLifetime {
  TimeDelta at_least;
  TimeDelta less_than;                       // PlusInfinity(): alive at lifetime_max
  std::optional<bool> refreshed_by_inbound;  // nullopt: not found out
};

struct NatReport {
  bool udp_works = false;        // section 4.2: the server answered
  bool server_supports = false;  // it sent OTHER-ADDRESS: it has a second address
  TransportAddress mapped;       // the local port as the server saw it
  bool translated = false;       // `mapped` is not the local address
  bool generic_alg = false;      // section 3.6: MAPPED-ADDRESS was rewritten on the way
  FilteringResult filtering = FilteringResult::kUnknown;
  MappingResult mapping = MappingResult::kUnknown;
  HairpinningResult hairpinning = HairpinningResult::kUnknown;
  std::optional<BindingLifetime> lifetime;
  std::optional<bool> fragments;  // section 3.5: padded messages got through both ways
};

// One test has ended, in the order they were run.
struct NatTestFinished {
  std::string_view name;  // such as "filtering II"
  bool answered = false;
  int error_code = 0;              // of an error response
  TransportAddress answered_from;  // the source of the answer
  TransportAddress mapped;         // XOR-MAPPED-ADDRESS of the answer
};

// Everything asked for has been tried.
struct NatDiscoveryDone {
  NatReport report;
};

class NatDiscovery {
 public:
  using Event = std::variant<NatTestFinished, NatDiscoveryDone>;

  NatDiscovery(NatDiscoveryConfig config, Rng& rng);

  void Start(Timestamp now);
  // False: not a packet of this discovery.
  bool HandlePacket(Timestamp now, const Datagram& packet);
  void HandleTimeout(Timestamp now);
  std::optional<Transmit> PollTransmit();
  std::optional<Event> PollEvent();
  Timestamp NextTimeout() const;

  bool done() const { return step_ == Step::kDone; }
  // What is known so far.
  const NatReport& report() const { return report_; }

 private:
  // In the order they run. Filtering comes before mapping, because mapping tests from the same port open the filter towards the
  // alternate address (RFC 5780 section 3.2).
  enum class Step {
    kIdle,
    kConnectivity,    // test I of both
    kFilteringBoth,   // test II
    kFilteringPort,   // test III
    kMappingFirst,    // test I, from the second port
    kMappingAddress,  // test II
    kMappingPort,     // test III
    kFragments,
    kHairpinPrepare,  // the second port's external address
    kHairpin,
    kLifetimeBind,   // from the first port
    kLifetimeProbe,  // from the second port, to be answered to the first
    kRefreshBind,
    kRefreshFirst,
    kRefreshSecond,
    kDone,
  };

  struct Probe {
    TransactionId id;
    TransportAddress from;
    TransportAddress to;
    Bytes payload;
    RetransmitTimer timer;
  };

  struct Outcome {
    bool answered = false;
    int error_code = 0;
    TransportAddress source;       // of the answer
    TransportAddress destination;  // where it arrived
    TransportAddress mapped;
    TransportAddress plain_mapped;
    TransportAddress other;
  };

  static std::string_view NameOf(Step step);
  void Begin(Timestamp now);
  void Schedule(Step step, Timestamp at);
  void SendProbe(Timestamp now, const TransportAddress& from, const TransportAddress& to,
                 const std::optional<ChangeRequest>& change, std::optional<uint16_t> response_port,
                 std::size_t padding);
  void Finish(Timestamp now, const Outcome& outcome);
  void FinishConnectivity(Timestamp now, const Outcome& outcome);
  void FinishFiltering(Timestamp now, const Outcome& outcome);
  void FinishMapping(Timestamp now, const Outcome& outcome);
  void FinishHairpin(Timestamp now, const Outcome& outcome);
  void FinishLifetime(Timestamp now, const Outcome& outcome);
  void FinishRefresh(Timestamp now, const Outcome& outcome);
  // Each goes to the first wanted and possible test of its kind or of a later one.
  void ToMapping(Timestamp now);
  const TransportAddress& mapping_local() const {
    return config_.second_local.IsNone() ? config_.local : config_.second_local;
  }
  void ToFragments(Timestamp now);
  void ToHairpinning(Timestamp now);
  void ToLifetime(Timestamp now);
  void NextLifetimeTrial(Timestamp now);
  void End();

  NatDiscoveryConfig config_;
  Rng& rng_;
  NatReport report_;
  Step step_ = Step::kIdle;
  Timestamp begin_at_ = Timestamp::PlusInfinity();  // when the scheduled step sends
  Timestamp last_begun_;
  Timestamp bound_at_;  // the last packet from the first port in a lifetime trial
  TimeDelta trial_;     // the idle time under trial
  TransportAddress other_;
  TransportAddress second_mapped_;
  TransportAddress mapping_first_;   // what mapping test I gave
  TransportAddress mapping_second_;  // and test II
  TransportAddress lifetime_mapped_;
  std::vector<Probe> probes_;
  std::deque<Transmit> transmits_;
  std::deque<Event> events_;
};

}  // namespace rtclab::stun

#endif  // RTCLAB_STACK_STUN_NAT_DISCOVERY_H_
