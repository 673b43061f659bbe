#include "stack/turn/allocation.h"

#include <algorithm>

namespace rtclab::turn {

const Permission* Relay::FindPermission(Timestamp now, const IpAddress& peer) const {
  const auto it = permissions.find(peer);
  return it != permissions.end() && now < it->second.expires ? &it->second : nullptr;
}

std::size_t Relay::CountPermissions(Timestamp now) const {
  return static_cast<std::size_t>(
      std::count_if(permissions.begin(), permissions.end(),
                    [now](const auto& entry) { return now < entry.second.expires; }));
}

Permission* Relay::InstallPermission(Timestamp now, const TransportAddress& peer,
                                     std::size_t limit) {
  auto it = permissions.find(peer.ip);
  if (it == permissions.end() && permissions.size() >= limit) {
    // A channel outlives its permission and points at it, so those stay.
    std::erase_if(permissions, [now](const auto& entry) {
      return entry.second.expires <= now && entry.second.channels == 0;
    });
    if (permissions.size() >= limit) return nullptr;
  }
  if (it == permissions.end()) it = permissions.try_emplace(peer.ip).first;
  Permission& permission = it->second;
  if (permission_refresh || permission.expires <= now) {
    permission.expires = now + permission_lifetime;
  }
  permission.port = peer.port;
  return &it->second;
}

Relay* Allocation::FindRelay(AddressFamily family) const {
  for (Relay* relay : relays) {
    if (relay != nullptr && relay->address.family() == family) return relay;
  }
  return nullptr;
}

const Channel* Allocation::FindChannel(Timestamp now, ChannelNumber number) const {
  const auto it = channels.find(static_cast<uint16_t>(number));
  return it != channels.end() && now < it->second.expires ? &it->second : nullptr;
}

ChannelBindResult Allocation::BindChannel(Timestamp now, ChannelNumber number,
                                          const TransportAddress& peer, Relay& relay,
                                          std::size_t permission_limit, std::size_t channel_limit) {
  const auto index = static_cast<uint16_t>(number);
  if (const auto it = channels.find(index); it != channels.end() && it->second.peer != peer) {
    if (now < it->second.expires) return ChannelBindResult::kNumberTaken;
    Unbind(index);
  }
  if (const auto it = relay.channels.find(peer);
      it != relay.channels.end() && it->second->number != number) {
    if (now < it->second->expires) return ChannelBindResult::kPeerTaken;
    Unbind(static_cast<uint16_t>(it->second->number));
  }
  if (!channels.contains(index) && channels.size() >= channel_limit) {
    ForgetExpiredChannels(now);
    if (channels.size() >= channel_limit) return ChannelBindResult::kNoCapacity;
  }
  Permission* const permission = relay.InstallPermission(now, peer, permission_limit);
  if (permission == nullptr) return ChannelBindResult::kNoCapacity;
  const auto [it, added] = channels.try_emplace(index);
  Channel& channel = it->second;
  if (added) {
    channel = Channel{number, peer, now, &relay, permission};
    relay.channels.emplace(peer, &channel);
    ++permission->channels;
  }
  if (channel_refresh || channel.expires <= now) channel.expires = now + channel_lifetime;
  return ChannelBindResult::kBound;
}

void Allocation::Unbind(uint16_t number) {
  const auto it = channels.find(number);
  --it->second.permission->channels;
  it->second.relay->channels.erase(it->second.peer);
  channels.erase(it);
}

void Allocation::ForgetExpiredChannels(Timestamp now) {
  std::erase_if(channels, [now](const auto& entry) {
    const Channel& channel = entry.second;
    if (now < channel.expires) return false;
    --channel.permission->channels;
    channel.relay->channels.erase(channel.peer);
    return true;
  });
}

void Allocation::UnbindNumber(ChannelNumber number) {
  if (channels.contains(static_cast<uint16_t>(number))) Unbind(static_cast<uint16_t>(number));
}

void Allocation::UnbindPeer(Relay& relay, const TransportAddress& peer) {
  const auto it = relay.channels.find(peer);
  if (it != relay.channels.end()) Unbind(static_cast<uint16_t>(it->second->number));
}

void Allocation::DropChannels(const Relay& relay) {
  std::erase_if(channels, [&relay](const auto& entry) { return entry.second.relay == &relay; });
}

}  // namespace rtclab::turn
