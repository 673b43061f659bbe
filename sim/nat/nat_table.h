// What a NAT remembers: mappings and their sessions, found by either side's addresses.
//
// A mapping ties an internal endpoint to an external one. A session is one remote endpoint of a mapping. A mapping lives
// exactly as long as one of its sessions does (RFC 6146 section 3.5 has the same rule), so only sessions have timers.
#ifndef RTCLAB_SIM_NAT_NAT_TABLE_H_
#define RTCLAB_SIM_NAT_NAT_TABLE_H_

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "sim/trace/flow_map.h"
#include "sim/trace/packet_info.h"
#include "sim/trace/tcp_session.h"
#include "stack/base/units.h"

namespace rtclab::sim {

class NatTable {
 public:
  static constexpr uint32_t kNone = FlowMap::kNone;

  struct Session {
    uint32_t mapping = kNone;
    uint32_t previous = kNone, next = kNone;  // in the mapping's list, oldest first
    uint32_t next_alike = kNone;              // with the same internal and remote endpoint
    TransportAddress remote;                  // ICMP: port 0
    Timestamp refreshed;                      // the last packet that counted for the timer
    Timestamp expires;
    bool seen_outbound = false;
    bool seen_inbound = false;
    bool permits = false;  // opens the filter: the inside has sent to this remote endpoint
    bool hairpin = false;  // the remote endpoint is one of this NAT's own
    TcpSession tcp;
    Timestamp queued;     // the earliest entry in the expiry queue
    uint64_t serial = 0;  // 0: a free slot
  };

  struct Mapping {
    IpProtocol protocol = IpProtocol::kUdp;
    TransportAddress internal, external;
    TransportAddress scope;                // the destination it is for; see NatMapping::remote
    std::size_t address_index = 0;         // of `external` in the NAT's pool
    bool identity = false;                 // addresses stay as they are: stateful filtering only
    uint32_t first = kNone, last = kNone;  // sessions
    int sessions = 0;
    uint32_t previous_sharing = kNone,
             next_sharing = kNone;  // mappings with the same external endpoint
    Timestamp last_outbound;
    uint64_t serial = 0;
  };

  struct Expired {
    Mapping mapping;
    Timestamp at;
  };

  // Removes what has expired at `now`. Returns whether any mapping went; Released() has them.
  bool Advance(Timestamp now) { return !queue_.empty() && queue_.top().time <= now && Expire(now); }
  // The mappings removed since the last call, in order of expiry.
  std::vector<Expired> Released() { return std::exchange(released_, {}); }

  Session& session(uint32_t index) { return sessions_[index]; }
  const Session& session(uint32_t index) const { return sessions_[index]; }
  Mapping& mapping(uint32_t index) { return mappings_[index]; }
  const Mapping& mapping(uint32_t index) const { return mappings_[index]; }

  // All return an index or kNone. For ICMP the remote port is 0.
  uint32_t FindOutbound(IpProtocol protocol, const TransportAddress& internal,
                        const TransportAddress& remote) const {
    return outbound_.Find({protocol, internal, remote});
  }
  uint32_t FindInbound(IpProtocol protocol, const TransportAddress& external,
                       const TransportAddress& remote) const {
    return inbound_.Find({protocol, external, remote});
  }
  uint32_t FindMapping(IpProtocol protocol, const TransportAddress& internal,
                       const TransportAddress& scope) const {
    return by_internal_.Find({protocol, internal, scope});
  }
  // The newest mapping of that external endpoint; older ones follow by `next_sharing`.
  uint32_t FindExternal(IpProtocol protocol, const TransportAddress& external) const {
    return by_external_.Find({protocol, external, {}});
  }

  // `mapping`'s addresses and flags are taken over. A session must be added before the next Advance().
  uint32_t AddMapping(Mapping mapping);
  // The session's timer is to be set with SetExpiry(). One that came from outside does not change the way that packets
  // towards `remote` already take out.
  uint32_t AddSession(uint32_t mapping, const TransportAddress& remote, bool from_inside);
  // May move a timer either way.
  void SetExpiry(uint32_t session, Timestamp expires) {
    Session& s = sessions_[session];
    s.expires = expires;
    if (expires < s.queued) Enqueue(session);
  }
  // Port overloading: packets from this session's remote endpoint now go to this session.
  void Claim(uint32_t session);
  // When the last session of the mapping ends.
  Timestamp MappingExpiry(uint32_t mapping) const;

  int mapping_count() const { return mapping_count_; }
  // For walking in order of creation: indices of the mappings in use.
  std::vector<uint32_t> MappingsByAge() const;

 private:
  struct QueueEntry {
    Timestamp time;
    uint64_t serial;
    uint32_t session;
    bool operator>(const QueueEntry& o) const {
      return time != o.time ? time > o.time : serial > o.serial;
    }
  };

  bool Expire(Timestamp now);
  void Enqueue(uint32_t session);
  void RemoveSession(uint32_t session);
  void RemoveMapping(uint32_t mapping, Timestamp at);

  std::vector<Session> sessions_;
  std::vector<uint32_t> free_sessions_;
  std::vector<Mapping> mappings_;
  std::vector<uint32_t> free_mappings_;
  FlowMap outbound_, inbound_;         // sessions
  FlowMap by_internal_, by_external_;  // mappings
  // Each session has an entry no later than its expiry; one that comes too early is put back when it comes up.
  std::priority_queue<QueueEntry, std::vector<QueueEntry>, std::greater<>> queue_;
  std::vector<Expired> released_;
  uint64_t next_serial_ = 1;
  int mapping_count_ = 0;
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_NAT_NAT_TABLE_H_
