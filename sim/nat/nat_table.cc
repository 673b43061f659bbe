#include "sim/nat/nat_table.h"

#include <algorithm>
#include <utility>

namespace rtclab::sim {

uint32_t NatTable::AddMapping(Mapping mapping) {
  uint32_t index;
  if (free_mappings_.empty()) {
    index = static_cast<uint32_t>(mappings_.size());
    mappings_.emplace_back();
  } else {
    index = free_mappings_.back();
    free_mappings_.pop_back();
  }
  mapping.first = mapping.last = kNone;
  mapping.sessions = 0;
  mapping.serial = next_serial_++;
  const FlowKey external_key(mapping.protocol, mapping.external, {});
  mapping.previous_sharing = kNone;
  mapping.next_sharing = by_external_.Find(external_key);
  if (mapping.next_sharing != kNone) mappings_[mapping.next_sharing].previous_sharing = index;
  by_external_.Set(external_key, index);
  by_internal_.Set({mapping.protocol, mapping.internal, mapping.scope}, index);
  mappings_[index] = mapping;
  ++mapping_count_;
  return index;
}

uint32_t NatTable::AddSession(uint32_t mapping, const TransportAddress& remote, bool from_inside) {
  uint32_t index;
  if (free_sessions_.empty()) {
    index = static_cast<uint32_t>(sessions_.size());
    sessions_.emplace_back();
  } else {
    index = free_sessions_.back();
    free_sessions_.pop_back();
    sessions_[index] = Session{};
  }
  Mapping& m = mappings_[mapping];
  Session& s = sessions_[index];
  s.mapping = mapping;
  s.remote = remote;
  s.queued = s.expires = Timestamp::PlusInfinity();
  s.serial = next_serial_++;
  s.previous = m.last;
  if (m.last != kNone) sessions_[m.last].next = index;
  m.last = index;
  if (m.first == kNone) m.first = index;
  ++m.sessions;
  const FlowKey outbound(m.protocol, m.internal, remote);
  const uint32_t alike = outbound_.Find(outbound);
  if (from_inside || alike == kNone) {
    s.next_alike = alike;
    outbound_.Set(outbound, index);
  } else {
    uint32_t last = alike;
    while (sessions_[last].next_alike != kNone) last = sessions_[last].next_alike;
    sessions_[last].next_alike = index;
  }
  inbound_.Set({m.protocol, m.external, remote}, index);
  return index;
}

void NatTable::Claim(uint32_t session) {
  const Session& s = sessions_[session];
  const Mapping& m = mappings_[s.mapping];
  inbound_.Set({m.protocol, m.external, s.remote}, session);
}

Timestamp NatTable::MappingExpiry(uint32_t mapping) const {
  Timestamp latest;
  for (uint32_t i = mappings_[mapping].first; i != kNone; i = sessions_[i].next) {
    latest = std::max(latest, sessions_[i].expires);
  }
  return latest;
}

std::vector<uint32_t> NatTable::MappingsByAge() const {
  std::vector<uint32_t> indices;
  for (uint32_t i = 0; i < mappings_.size(); ++i) {
    if (mappings_[i].serial != 0) indices.push_back(i);
  }
  std::ranges::sort(indices, {}, [this](uint32_t i) { return mappings_[i].serial; });
  return indices;
}

void NatTable::Enqueue(uint32_t session) {
  Session& s = sessions_[session];
  s.queued = s.expires;
  queue_.push({s.expires, s.serial, session});
}

bool NatTable::Expire(Timestamp now) {
  const std::size_t before = released_.size();
  while (!queue_.empty() && queue_.top().time <= now) {
    const QueueEntry entry = queue_.top();
    queue_.pop();
    const Session& s = sessions_[entry.session];
    // The slot's tenant has changed, or an earlier entry has taken this one's place.
    if (s.serial != entry.serial || s.queued != entry.time) continue;
    if (s.expires > now) {
      Enqueue(entry.session);
      continue;
    }
    const uint32_t mapping = s.mapping;
    const Timestamp at = s.expires;
    RemoveSession(entry.session);
    if (mappings_[mapping].sessions == 0) RemoveMapping(mapping, at);
  }
  return released_.size() != before;
}

void NatTable::RemoveSession(uint32_t session) {
  Session& s = sessions_[session];
  Mapping& m = mappings_[s.mapping];
  const FlowKey outbound(m.protocol, m.internal, s.remote);
  uint32_t alike = outbound_.Find(outbound);
  if (alike != session) {
    while (sessions_[alike].next_alike != session) alike = sessions_[alike].next_alike;
    sessions_[alike].next_alike = s.next_alike;
  } else if (s.next_alike != kNone) {
    outbound_.Set(outbound, s.next_alike);
  } else {
    outbound_.Erase(outbound);
  }
  const FlowKey inbound(m.protocol, m.external, s.remote);
  if (inbound_.Find(inbound) == session) inbound_.Erase(inbound);
  (s.previous == kNone ? m.first : sessions_[s.previous].next) = s.next;
  (s.next == kNone ? m.last : sessions_[s.next].previous) = s.previous;
  --m.sessions;
  s.serial = 0;
  free_sessions_.push_back(session);
}

void NatTable::RemoveMapping(uint32_t mapping, Timestamp at) {
  Mapping& m = mappings_[mapping];
  by_internal_.Erase({m.protocol, m.internal, m.scope});
  const FlowKey external(m.protocol, m.external, {});
  if (m.next_sharing != kNone) mappings_[m.next_sharing].previous_sharing = m.previous_sharing;
  if (m.previous_sharing != kNone) {
    mappings_[m.previous_sharing].next_sharing = m.next_sharing;
  } else if (m.next_sharing != kNone) {
    by_external_.Set(external, m.next_sharing);
  } else {
    by_external_.Erase(external);
  }
  released_.push_back({m, at});
  m.serial = 0;
  free_mappings_.push_back(mapping);
  --mapping_count_;
}

}  // namespace rtclab::sim
