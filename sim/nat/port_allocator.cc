#include "sim/nat/port_allocator.h"

#include <algorithm>

namespace rtclab::sim {

PortAllocator::PortAllocator(const NatBehaviour& behaviour, std::size_t addresses)
    : behaviour_(behaviour), ports_(addresses * 3) {}

std::optional<uint16_t> PortAllocator::Choose(std::size_t address, const Request& request,
                                              Rng& rng) {
  const uint16_t own = request.internal.port;
  if (behaviour_.port_assignment == PortAssignment::kOverloading) return own;
  const std::size_t index = IndexOf(request.protocol, address);
  const Range range = RangeFor(request);
  if (range.Count() == 0) return std::nullopt;
  Mode mode;
  if (request.contiguous && Usable(index, *request.contiguous, request, mode)) {
    return request.contiguous;
  }
  // A port that keeps its neighbour for RTCP is better than one that keeps the number.
  mode.pair = behaviour_.port_contiguity && request.protocol == IpProtocol::kUdp && own % 2 == 0;
  const bool preserving = behaviour_.port_assignment == PortAssignment::kPreservation;
  // Where numbers are kept, they are kept even when another destination has them.
  mode.overlap = behaviour_.port_overlapping && preserving;
  const uint32_t start = StartOfSearch(index, range, request, rng);
  while (true) {
    if (preserving && own >= range.low && own <= range.high && Usable(index, own, request, mode)) {
      return own;
    }
    if (const auto port = Search(index, range, start, request, mode)) {
      PortsOf(index).last = *port;
      return port;
    }
    if (mode.pair) {
      mode.pair = false;
    } else if (behaviour_.port_overlapping && !mode.overlap) {
      mode.overlap = true;
    } else {
      return std::nullopt;
    }
  }
}

uint32_t PortAllocator::StartOfSearch(std::size_t index, const Range& range, const Request& request,
                                      Rng& rng) {
  // RFC 6056 section 3.3.1, algorithm 1: a port by lot, then the next free one. One draw a mapping, whatever comes of it.
  const bool random = behaviour_.port_assignment == PortAssignment::kRandom ||
                      (behaviour_.port_assignment == PortAssignment::kPreservation &&
                       behaviour_.port_fallback == PortFallback::kRandom);
  if (random) {
    return range.low + range.step * static_cast<uint32_t>(rng.Uniform(0, range.Count() - 1));
  }
  uint32_t after;
  if (behaviour_.port_assignment == PortAssignment::kSequential) {
    const auto& last = PortsOf(index).last;
    if (!last) return range.low;
    after = *last + 1;
  } else if (behaviour_.port_fallback == PortFallback::kFirstFree) {
    return range.low;
  } else {
    after = request.internal.port + 1u;
  }
  if (range.step == 2 && after % 2 != range.low % 2) ++after;
  return after < range.low || after > range.high ? range.low : after;
}

std::optional<uint16_t> PortAllocator::Search(std::size_t index, const Range& range, uint32_t start,
                                              const Request& request, Mode mode) const {
  const Ports* ports = ports_[index].get();
  const uint32_t count = range.Count();
  uint32_t port = start;
  for (uint32_t seen = 0; seen < count;) {
    uint32_t skip = 1;
    if (!mode.overlap && ports != nullptr && ports->taken[port / 64] == ~uint64_t{0}) {
      skip = (64 - port % 64 + range.step - 1) / range.step;  // a full word holds nothing for us
    } else if (Usable(index, port, request, mode)) {
      return static_cast<uint16_t>(port);
    }
    skip = std::min(skip, (range.high - port) / range.step + 1);
    seen += skip;
    port += skip * range.step;
    if (port > range.high) port = range.low;
  }
  return std::nullopt;
}

bool PortAllocator::Usable(std::size_t index, uint32_t port, const Request& request,
                           Mode mode) const {
  const auto free = [&](uint32_t p) {
    const Ports* ports = ports_[index].get();
    if (ports == nullptr || !ports->IsTaken(p)) return true;
    const auto resting = resting_.find({index, static_cast<uint16_t>(p)});
    if (resting != resting_.end()) return resting->second.internal == request.internal.ip;
    return mode.overlap && request.free_towards_destination(static_cast<uint16_t>(p));
  };
  return free(port) && (!mode.pair || (port < behaviour_.port_high && free(port + 1)));
}

PortAllocator::Range PortAllocator::RangeFor(const Request& request) const {
  // An ICMP query identifier may be anything.
  if (request.protocol != IpProtocol::kUdp && request.protocol != IpProtocol::kTcp) {
    return {0, 65535, 1};
  }
  // RFC 4787 section 4.2.1 REQ-3a: ports below 1024 stay below, as far as the NAT may use such.
  constexpr uint32_t kFirstRegistered = 1024;
  Range range{behaviour_.port_low, behaviour_.port_high, 1};
  Range same = range;
  if (request.internal.port < kFirstRegistered) {
    same.high = std::min(same.high, kFirstRegistered - 1);
  } else {
    same.low = std::max(same.low, kFirstRegistered);
  }
  if (same.Count() > 0) range = same;
  if (behaviour_.port_parity && request.protocol == IpProtocol::kUdp) {
    range.step = 2;
    range.low += (range.low ^ request.internal.port) & 1;
  }
  return range;
}

void PortAllocator::Take(IpProtocol protocol, std::size_t address, uint16_t port) {
  const std::size_t index = IndexOf(protocol, address);
  Ports& ports = PortsOf(index);
  if (!ports.IsTaken(port)) {
    ports.taken[port / 64] |= uint64_t{1} << (port % 64);
  } else if (resting_.erase({index, port}) == 0) {
    ++ports.sharers[port];
  }
}

void PortAllocator::Release(IpProtocol protocol, std::size_t address, uint16_t port,
                            const IpAddress& internal, Timestamp at) {
  const std::size_t index = IndexOf(protocol, address);
  Ports& ports = PortsOf(index);
  if (const auto it = ports.sharers.find(port); it != ports.sharers.end()) {
    if (--it->second == 0) ports.sharers.erase(it);
    return;
  }
  if (behaviour_.port_reuse_delay > TimeDelta::Zero()) {
    const Timestamp until = at + behaviour_.port_reuse_delay;
    resting_[{index, port}] = {until, internal};
    resting_order_.emplace_back(until, PortName{index, port});
    return;
  }
  ports.taken[port / 64] &= ~(uint64_t{1} << (port % 64));
}

void PortAllocator::Advance(Timestamp now) {
  while (!resting_order_.empty() && resting_order_.front().first <= now) {
    const auto [until, name] = resting_order_.front();
    resting_order_.pop_front();
    // Its former owner may have taken it back, and released it again, since.
    const auto it = resting_.find(name);
    if (it == resting_.end() || it->second.until != until) continue;
    resting_.erase(it);
    PortsOf(name.first).taken[name.second / 64] &= ~(uint64_t{1} << (name.second % 64));
  }
}

std::size_t PortAllocator::IndexOf(IpProtocol protocol, std::size_t address) {
  const std::size_t kind = protocol == IpProtocol::kUdp ? 0 : protocol == IpProtocol::kTcp ? 1 : 2;
  return address * 3 + kind;
}

PortAllocator::Ports& PortAllocator::PortsOf(std::size_t index) {
  if (!ports_[index]) ports_[index] = std::make_unique<Ports>();
  return *ports_[index];
}

}  // namespace rtclab::sim
