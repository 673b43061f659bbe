#include "sim/topology/network.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "ns3/drop-tail-queue.h"
#include "ns3/object-factory.h"
#include "ns3/rng-seed-manager.h"
#include "ns3/simulator.h"
#include "sim/capture/pcapng_writer.h"
#include "sim/ip/ip_node.h"
#include "sim/ip/udp_socket.h"
#include "sim/topology/address_plan.h"
#include "sim/topology/ns3_stack.h"
#include "stack/base/check.h"

namespace rtclab::sim {
namespace {

using Zone = IpNode::Zone;

// What a link gets whose rate is to change and that has none yet: faster than anything sends.
constexpr DataRate kUnlimited = DataRate::BitsPerSec(100'000'000'000);

bool network_exists = false;  // ns-3's simulator is one a process

}  // namespace

struct NodeEntry {
  ns3::Ptr<ns3::Node> node;
  ns3::Ptr<IpNode> ip;
};

struct LinkEntry {
  ns3::Ptr<LinkDevice> lower, upper;
};

struct Network::State {
  NetworkSpec spec;
  AddressPlan plan;
  Fabric fabric;
  std::map<std::string, NodeEntry, std::less<>> nodes;
  std::map<std::string, LinkEntry, std::less<>> links;
  std::vector<std::string> link_names;
  std::map<std::string, std::unique_ptr<UdpHost>, std::less<>> hosts;
  std::map<std::string, std::size_t, std::less<>> lan_index;
  std::vector<int> uplink_ports;  // of each LAN's parent, as in the spec
  std::unique_ptr<PcapngWriter> capture;
  bool stopped = false;
  int reboots = 0;
};

class NetworkBuilder {
 public:
  explicit NetworkBuilder(Network::State& state) : state_(state), spec_(state.spec) {}

  void Build() {
    StartSimulator();
    core_ = &AddNode("core", "core");
    core_->ip->EnableForwarding();
    for (const IpAddress& address : state_.plan.core_routers) core_->ip->AddAddress(0, address);
    for (std::size_t i = 0; i < spec_.lans.size(); ++i) {
      state_.lan_index.emplace(spec_.lans[i].name, i);
      lans_.push_back(&AddNode(spec_.lans[i].name, "gateway/" + spec_.lans[i].name));
    }
    state_.uplink_ports.resize(spec_.lans.size());
    for (std::size_t i = 0; i < spec_.lans.size(); ++i) AddLan(i);
    for (std::size_t i = 0; i < spec_.lans.size(); ++i) AddLanRoutes(i);
    for (std::size_t i = 0; i < spec_.hosts.size(); ++i) AddHost(i);
  }

 private:
  void StartSimulator() {
    ns3::ObjectFactory scheduler;
    scheduler.SetTypeId("ns3::PriorityQueueScheduler");
    ns3::Simulator::SetScheduler(scheduler);
    // For ns-3 models that draw from ns-3's own streams.
    Rng rng(spec_.seed, "ns3");
    ns3::RngSeedManager::SetSeed(static_cast<uint32_t>(rng.Uniform(1, 0xffffffff)));
    ns3::RngSeedManager::SetRun(1);
  }

  // A node of ours; with `where` empty a bare one.
  NodeEntry& AddNode(const std::string& name, std::string where) {
    if (where.empty()) {
      NodeEntry bare{ns3::CreateObject<ns3::Node>(), nullptr};
      return state_.nodes.emplace(name, std::move(bare)).first->second;
    }
    NodeEntry entry{ns3::CreateObject<ns3::Node>(), ns3::CreateObject<IpNode>()};
    entry.node->AggregateObject(entry.ip);
    entry.ip->Setup(state_.fabric, entry.node, std::move(where));
    return state_.nodes.emplace(name, std::move(entry)).first->second;
  }

  struct Ports {
    int lower, upper;
  };

  Ports AddLink(const std::string& name, const LinkSpec& link, NodeEntry& lower, Zone lower_zone,
                NodeEntry& upper, Zone upper_zone) {
    LinkEntry entry{ns3::CreateObject<LinkDevice>(), ns3::CreateObject<LinkDevice>()};
    entry.lower->Setup(state_.fabric, LinkModel(link.up, spec_.seed, name + "/up"), name, true);
    entry.upper->Setup(state_.fabric, LinkModel(link.down, spec_.seed, name + "/down"), name,
                       false);
    ns3::CreateObject<LinkChannel>()->Connect(entry.lower, entry.upper);
    lower.node->AddDevice(entry.lower);
    upper.node->AddDevice(entry.upper);
    const Ports ports{lower.ip ? lower.ip->AddPort(entry.lower, lower_zone) : -1,
                      upper.ip->AddPort(entry.upper, upper_zone)};
    state_.links.emplace(name, std::move(entry));
    state_.link_names.push_back(name);
    return ports;
  }

  static int HostLength(const IpAddress& address) { return address.IsV4() ? 32 : 128; }

  void AddDefaultRoutes(IpNode& ip, const std::vector<IpAddress>& own, int port) {
    for (const AddressFamily family : {AddressFamily::kIpv4, AddressFamily::kIpv6}) {
      for (const IpAddress& address : own) {
        if (address.family() != family) continue;
        ip.AddRoute(IpAddress::Any(family), 0, port);
        break;
      }
    }
  }

  NodeEntry& Parent(std::optional<std::size_t> lan) { return lan ? *lans_[*lan] : *core_; }
  static Zone ParentZone(std::optional<std::size_t> lan) {
    return lan ? Zone::kLan : Zone::kRouted;
  }

  void AddLan(std::size_t i) {
    const LanSpec& lan = spec_.lans[i];
    const LanPlan& plan = state_.plan.lans[i];
    NodeEntry& gateway = *lans_[i];
    NodeEntry& parent = Parent(plan.parent);
    gateway.ip->EnableForwarding();
    const Ports ports =
        AddLink(lan.name, lan.uplink, gateway, Zone::kOutside, parent, ParentZone(plan.parent));
    state_.uplink_ports[i] = ports.upper;
    for (const IpAddress& address : plan.external) {
      gateway.ip->AddAddress(ports.lower, address);
      parent.ip->AddRoute(address, HostLength(address), ports.upper);
    }
    // The inner addresses belong to no port: the LAN's ports are a switch.
    for (const IpAddress& address : plan.routers) gateway.ip->AddAddress(-1, address);
    AddDefaultRoutes(*gateway.ip, plan.external, ports.lower);
    if (!lan.nat && !lan.firewall) return;
    std::optional<Nat> nat;
    if (lan.nat) {
      std::vector<IpAddress> pool;
      for (const IpAddress& address : plan.external) {
        if (address.IsV4() || plan.translates_v6) pool.push_back(address);
      }
      nat.emplace(*lan.nat, std::move(pool), Rng(spec_.seed, "nat/" + lan.name + "/ports"));
    }
    std::optional<Firewall> firewall;
    if (lan.firewall) firewall.emplace(*lan.firewall);
    gateway.ip->SetGateway(
        std::make_unique<Gateway>(lan.name, std::move(nat), std::move(firewall)));
  }

  // A LAN's prefix is known up to the first NAT that hides it.
  void AddLanRoutes(std::size_t i) {
    const LanPlan& plan = state_.plan.lans[i];
    const auto announce = [&](const Prefix& prefix, bool LanPlan::*translates) {
      std::optional<std::size_t> at = i;
      while (at && !(state_.plan.lans[*at].*translates)) {
        const std::optional<std::size_t> parent = state_.plan.lans[*at].parent;
        Parent(parent).ip->AddRoute(prefix.address, prefix.length, state_.uplink_ports[*at]);
        at = parent;
      }
    };
    if (plan.v4) announce(*plan.v4, &LanPlan::translates_v4);
    if (plan.v6) announce(*plan.v6, &LanPlan::translates_v6);
  }

  void AddHost(std::size_t i) {
    const HostSpec& host = spec_.hosts[i];
    NodeEntry& entry = AddNode(host.name, host.ns3_stack ? "" : "host/" + host.name);
    if (host.ns3_stack) {
      InstallNs3Stack(entry.node);
    } else {
      const auto factory = ns3::CreateObject<UdpSocketFactory>();
      factory->Setup(entry.ip, entry.node);
      entry.node->AggregateObject(factory);
    }
    std::vector<IpAddress> all;
    for (std::size_t a = 0; a < host.attachments.size(); ++a) {
      AttachHost(host, host.attachments[a], state_.plan.hosts[i].attachments[a], entry);
      const std::vector<IpAddress>& own = state_.plan.hosts[i].attachments[a].addresses;
      all.insert(all.end(), own.begin(), own.end());
    }
    Rng ports(spec_.seed, "host/" + host.name + "/ports");
    state_.hosts.emplace(host.name,
                         std::make_unique<UdpHost>(entry.node, host.name, std::move(all), ports));
  }

  void AttachHost(const HostSpec& host, const AttachmentSpec& attachment,
                  const HostPlan::Attachment& plan, NodeEntry& entry) {
    std::string name = host.name;
    if (host.attachments.size() > 1) {
      name += "/" + (attachment.lan.empty() ? std::string("core") : attachment.lan);
    }
    NodeEntry& lan = Parent(plan.lan);
    const Ports ports =
        AddLink(name, attachment.access, entry, Zone::kRouted, lan, ParentZone(plan.lan));
    for (const IpAddress& address : plan.addresses) {
      lan.ip->AddRoute(address, HostLength(address), ports.upper);
    }
    if (host.ns3_stack) {
      AddNs3Interface(entry.node, state_.links.at(name).lower, plan.addresses);
      return;
    }
    for (const IpAddress& address : plan.addresses) entry.ip->AddAddress(ports.lower, address);
    AddDefaultRoutes(*entry.ip, plan.addresses, ports.lower);
  }

  Network::State& state_;
  const NetworkSpec& spec_;
  NodeEntry* core_ = nullptr;
  std::vector<NodeEntry*> lans_;
};

Result<std::unique_ptr<Network>> Network::Build(const NetworkSpec& spec) {
  auto plan = PlanAddresses(spec);
  if (!plan) return tl::unexpected(plan.error());
  CHECK(!network_exists);
  network_exists = true;
  auto state = std::make_unique<State>();
  state->spec = spec;
  state->plan = std::move(*plan);
  NetworkBuilder(*state).Build();
  return std::unique_ptr<Network>(new Network(std::move(state)));
}

Network::Network(std::unique_ptr<State> state) : state_(std::move(state)) {}

Network::~Network() {
  if (state_->capture) (void)FinishCapture();
  state_->hosts.clear();
  state_->links.clear();
  state_->nodes.clear();
  ns3::Simulator::Destroy();
  network_exists = false;
}

const NetworkSpec& Network::spec() const { return state_->spec; }

UdpHost& Network::host(std::string_view name) {
  const auto it = state_->hosts.find(name);
  CHECK(it != state_->hosts.end());
  return *it->second;
}

const std::vector<IpAddress>& Network::addresses(std::string_view host) const {
  const auto it = state_->hosts.find(host);
  CHECK(it != state_->hosts.end());
  return it->second->addresses();
}

const std::vector<IpAddress>& Network::external_addresses(std::string_view lan) const {
  const auto it = state_->lan_index.find(lan);
  CHECK(it != state_->lan_index.end());
  return state_->plan.lans[it->second].external;
}

const Nat* Network::nat(std::string_view lan) const {
  CHECK(state_->lan_index.contains(lan));
  const Gateway* gateway = ip(lan).gateway();
  return gateway != nullptr ? gateway->nat() : nullptr;
}

const Firewall* Network::firewall(std::string_view lan) const {
  CHECK(state_->lan_index.contains(lan));
  const Gateway* gateway = ip(lan).gateway();
  return gateway != nullptr ? gateway->firewall() : nullptr;
}

std::vector<std::string> Network::LinksOf(std::string_view name) const {
  if (state_->links.contains(name)) return {std::string(name)};
  std::vector<std::string> links;
  for (const std::string& link : state_->link_names) {
    if (link.starts_with(fmt::format("{}/", name))) links.push_back(link);
  }
  CHECK(!links.empty());
  return links;
}

void Network::SetLinkUp(std::string_view name, bool up) {
  for (const std::string& link : LinksOf(name)) {
    lower_device(link)->SetAdminUp(up);
    upper_device(link)->SetAdminUp(up);
  }
}

void Network::SetLink(std::string_view name, const LinkChange& change, bool up, bool down) {
  for (const std::string& link : LinksOf(name)) {
    if (up) lower_device(link)->model().Change(change);
    if (down) upper_device(link)->model().Change(change);
  }
}

void Network::AllowRateChanges(std::string_view name) {
  for (const std::string& link : LinksOf(name)) {
    AllowRateChanges(*lower_device(link));
    AllowRateChanges(*upper_device(link));
  }
}

void Network::AllowRateChanges(LinkDevice& device) {
  const LinkBehaviour behaviour = device.model().behaviour();
  if (behaviour.rate.IsInfinite()) device.LimitRate(kUnlimited);
  // ns-3's queue counts packets or bytes; ours, where it has both limits, goes by bytes.
  const auto size =
      behaviour.queue_bytes > 0
          ? ns3::QueueSize(ns3::QueueSizeUnit::BYTES, static_cast<uint32_t>(behaviour.queue_bytes))
          : ns3::QueueSize(ns3::QueueSizeUnit::PACKETS,
                           static_cast<uint32_t>(behaviour.queue_packets));
  const auto queue = ns3::CreateObject<ns3::DropTailQueue<ns3::Packet>>();
  queue->SetMaxSize(size);
  device.SetQueue(queue);
}

std::optional<DataRate> Network::PathRate(std::string_view from, std::string_view to) const {
  std::optional<DataRate> least;
  const auto pass = [&](const std::string& link, bool up) {
    const ns3::Ptr<LinkDevice> device = up ? lower_device(link) : upper_device(link);
    const DataRate rate = device->model().behaviour().rate;
    if (rate < kUnlimited && (!least || rate < *least)) least = rate;
  };
  // The LANs from a host towards the core.
  const auto way_out = [&](std::string_view host) {
    const auto spec = std::find_if(state_->spec.hosts.begin(), state_->spec.hosts.end(),
                                   [&](const HostSpec& h) { return h.name == host; });
    CHECK(spec != state_->spec.hosts.end());
    std::vector<std::string> lans;
    for (std::string lan = spec->attachments[0].lan; !lan.empty();
         lan = state_->spec.lans[state_->lan_index.find(lan)->second].parent) {
      lans.push_back(lan);
    }
    const std::string first = spec->attachments[0].lan.empty() ? "core" : spec->attachments[0].lan;
    return std::pair(lans, spec->attachments.size() == 1 ? spec->name : spec->name + "/" + first);
  };
  auto [out, access_out] = way_out(from);
  auto [in, access_in] = way_out(to);
  // What both have in common lies beyond the router where the ways meet.
  while (!out.empty() && !in.empty() && out.back() == in.back()) {
    out.pop_back();
    in.pop_back();
  }
  pass(access_out, true);
  for (const std::string& lan : out) pass(lan, true);
  for (const std::string& lan : in) pass(lan, false);
  pass(access_in, false);
  return least;
}

void Network::RebootNat(std::string_view lan) {
  CHECK(state_->lan_index.contains(lan));
  const std::string stream =
      fmt::format("nat/{}/ports/{}", lan, ++state_->reboots);  // other ports than before
  if (Gateway* gateway = ip(lan).gateway()) gateway->Reboot(Stream(stream));
}

const std::vector<std::string>& Network::link_names() const { return state_->link_names; }

ns3::Ptr<ns3::Node> Network::node(std::string_view name) const {
  const auto it = state_->nodes.find(name);
  CHECK(it != state_->nodes.end());
  return it->second.node;
}

IpNode& Network::ip(std::string_view name) const {
  const auto it = state_->nodes.find(name);
  CHECK(it != state_->nodes.end() && it->second.ip);
  return *it->second.ip;
}

ns3::Ptr<LinkDevice> Network::lower_device(std::string_view link) const {
  const auto it = state_->links.find(link);
  CHECK(it != state_->links.end());
  return it->second.lower;
}

ns3::Ptr<LinkDevice> Network::upper_device(std::string_view link) const {
  const auto it = state_->links.find(link);
  CHECK(it != state_->links.end());
  return it->second.upper;
}

Rng Network::Stream(std::string_view name) const { return Rng(state_->spec.seed, name); }

Timestamp Network::Now() const { return SimulatorNow(); }

void Network::RunUntil(Timestamp deadline) {
  state_->stopped = false;
  // An event of our own: Simulator::Stop(delay) could not be taken back after an early Stop().
  const TimeDelta left = deadline - Now();
  CHECK(left >= TimeDelta::Zero());
  ns3::EventId end =
      ns3::Simulator::Schedule(ns3::TimeStep(left.nanos()), [] { ns3::Simulator::Stop(); });
  ns3::Simulator::Run();
  ns3::Simulator::Remove(end);
}

void Network::Run() {
  state_->stopped = false;
  ns3::Simulator::Run();
}

void Network::Stop() {
  state_->stopped = true;
  ns3::Simulator::Stop();
}

bool Network::stopped() const { return state_->stopped; }

void Network::SetEventSink(PacketEventSink* sink) { state_->fabric.tracer().SetSink(sink); }

const Tracer& Network::tracer() const { return state_->fabric.tracer(); }

Result<void> Network::StartCapture(const std::filesystem::path& path) {
  auto writer = PcapngWriter::Create(path);
  if (!writer) return tl::unexpected(writer.error());
  for (const std::string& link : state_->link_names) (*writer)->AddInterface(link);
  state_->capture = std::move(*writer);
  state_->fabric.SetTap(state_->capture.get());
  return {};
}

Result<void> Network::FinishCapture() {
  state_->fabric.SetTap(nullptr);
  if (!state_->capture) return {};
  const std::unique_ptr<PcapngWriter> writer = std::move(state_->capture);
  return writer->Finish();
}

bool Network::capturing() const { return state_->capture != nullptr; }

void Network::AddCaptureSecret(std::string_view line) {
  if (state_->capture) state_->capture->AddSecret(line);
}

}  // namespace rtclab::sim
