// A virtual internet built from a NetworkSpec on ns-3: the one object a run is made of.
//
// ns-3's simulator is one a process, so there is one Network at a time; when it goes, the simulator
// is emptied and the next one starts at time zero.
#ifndef RTCLAB_SIM_TOPOLOGY_NETWORK_H_
#define RTCLAB_SIM_TOPOLOGY_NETWORK_H_

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ns3/node.h"
#include "ns3/ptr.h"
#include "sim/host/udp_host.h"
#include "sim/topology/network_spec.h"
#include "sim/trace/tracer.h"
#include "stack/base/error.h"
#include "stack/base/rng.h"

namespace rtclab::sim {

class Firewall;
class IpNode;
class LinkDevice;
class Nat;

class Network {
 public:
  // Fails, with a sentence that names the culprit, on: a name that is empty or used twice (hosts
  // and LANs share one name space; "core" is taken), an unknown LAN, a cycle of parents, a family
  // that the parent does not have, a host without an attachment or address, figures out of range,
  // more addresses than the plan has. Nothing is left behind then.
  static Result<std::unique_ptr<Network>> Build(const NetworkSpec& spec);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  const NetworkSpec& spec() const;

  // --- hosts ---
  // CHECKs that the name exists, as do all look-ups here.
  UdpHost& host(std::string_view name);
  // In order of attachments, IPv4 before IPv6, as many of each as HostSpec::addresses says.
  const std::vector<IpAddress>& addresses(std::string_view host) const;

  // --- gateways and links ---
  // The addresses of a LAN's gateway towards its parent: the NAT's pool, where there is a NAT.
  const std::vector<IpAddress>& external_addresses(std::string_view lan) const;
  // nullptr where the gateway has none.
  const Nat* nat(std::string_view lan) const;
  const Firewall* firewall(std::string_view lan) const;
  // "home-a" is the uplink of LAN home-a, "alice" the access link of a host with one attachment,
  // "alice/home-a" and "alice/core" those of a host with several. In spec order, LANs first.
  const std::vector<std::string>& link_names() const;

  // --- what happens to it over time ---
  // Each takes a link, or a host with several attachments for all its access links.
  // A link that is down loses what its ends send, in both directions (rule "link.down").
  void SetLinkUp(std::string_view name, bool up);
  // New figures for one or both directions of a link. A changed rate holds for every packet whose transmission begins
  // later, also for those that wait; only on links that AllowRateChanges() was called for.
  void SetLink(std::string_view name, const LinkChange& change, bool up, bool down);
  // Before the link is used. Gives both directions a queue with events of its own (ns-3's DropTailQueue), which costs an
  // event more a packet. A direction without a rate gets 100 Gbit/s.
  void AllowRateChanges(std::string_view name);
  // The LAN's gateway forgets its NAT mappings and firewall flows. Does nothing where there are none.
  void RebootNat(std::string_view lan);

  // The rate of the slowest link, as it is now, that packets between two hosts' first attachments pass; absent where none
  // on the way has a rate. Relays are not on this way.
  std::optional<DataRate> PathRate(std::string_view from, std::string_view to) const;

  // --- ns-3 ---
  // A host's node, a LAN's gateway, or "core".
  ns3::Ptr<ns3::Node> node(std::string_view name) const;
  // Not of a host with HostSpec::ns3_stack.
  IpNode& ip(std::string_view name) const;
  // The two ends of a link: the one nearer to the hosts sends `up`, the other `down`.
  ns3::Ptr<LinkDevice> lower_device(std::string_view link) const;
  ns3::Ptr<LinkDevice> upper_device(std::string_view link) const;

  // --- randomness ---
  // The run's stream of that name, for whatever is put on the network.
  Rng Stream(std::string_view name) const;

  // --- time ---
  Timestamp Now() const;
  // Runs until `deadline`, until Stop() or until nothing is left to happen. Unless stopped, the
  // clock stands at `deadline` afterwards. May be called again.
  void RunUntil(Timestamp deadline);
  // Runs until nothing is left to happen or Stop().
  void Run();
  // Ends the Run() under way after the event under way.
  void Stop();
  // Whether the last RunUntil() or Run() ended by Stop().
  bool stopped() const;

  // --- watching ---
  void SetEventSink(PacketEventSink* sink);
  const Tracer& tracer() const;
  // Captures from now on into one pcapng file, an interface a link. The file appears under its
  // name, whole, with FinishCapture() or when the network goes. Fails when it cannot be created.
  Result<void> StartCapture(const std::filesystem::path& path);
  Result<void> FinishCapture();
  bool capturing() const;
  // For the capture, if there is one: a line of an NSS key log, so that it can be decrypted.
  void AddCaptureSecret(std::string_view line);

 private:
  friend class NetworkBuilder;
  struct State;

  explicit Network(std::unique_ptr<State> state);
  std::vector<std::string> LinksOf(std::string_view name) const;
  static void AllowRateChanges(LinkDevice& device);

  std::unique_ptr<State> state_;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_TOPOLOGY_NETWORK_H_
