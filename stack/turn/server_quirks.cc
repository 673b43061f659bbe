#include "stack/turn/server_quirks.h"

#include <array>

namespace rtclab::turn {

std::span<const ServerQuirkInfo> AllServerQuirks() {
  using Q = ServerQuirks;
  static constexpr std::array<ServerQuirkInfo, 65> kAll = {{
      {"integrity_unchecked", &Q::integrity_unchecked},
      {"nonce_never_stale", &Q::nonce_never_stale},
      {"nonce_of_any_source", &Q::nonce_of_any_source},
      {"other_user_accepted", &Q::other_user_accepted},
      {"allocate_unauthenticated", &Q::allocate_unauthenticated},
      {"unknown_attributes_accepted", &Q::unknown_attributes_accepted},
      {"second_allocate_accepted", &Q::second_allocate_accepted},
      {"retransmitted_allocate_is_new", &Q::retransmitted_allocate_is_new},
      {"reservation_token_ignored", &Q::reservation_token_ignored},
      {"reservation_token_unchecked", &Q::reservation_token_unchecked},
      {"even_port_odd", &Q::even_port_odd},
      {"reservation_forgotten", &Q::reservation_forgotten},
      {"wrong_family_allocated", &Q::wrong_family_allocated},
      {"wrong_family_accepted", &Q::wrong_family_accepted},
      {"lifetime_unclamped", &Q::lifetime_unclamped},
      {"lifetime_zero_ignored", &Q::lifetime_zero_ignored},
      {"dual_refresh_deletes_both", &Q::dual_refresh_deletes_both},
      {"refresh_has_no_effect", &Q::refresh_has_no_effect},
      {"allocation_never_expires", &Q::allocation_never_expires},
      {"data_refreshes_allocation", &Q::data_refreshes_allocation},
      {"ports_in_order", &Q::ports_in_order},
      {"ports_outside_range", &Q::ports_outside_range},
      {"quota_ignored", &Q::quota_ignored},
      {"tunnel_clients_accepted", &Q::tunnel_clients_accepted},
      {"permission_never_expires", &Q::permission_never_expires},
      {"permission_by_port", &Q::permission_by_port},
      {"first_peer_only", &Q::first_peer_only},
      {"send_permission_unchecked", &Q::send_permission_unchecked},
      {"peer_permission_unchecked", &Q::peer_permission_unchecked},
      {"initial_permission", &Q::initial_permission},
      {"data_refreshes_permission", &Q::data_refreshes_permission},
      {"empty_data_dropped", &Q::empty_data_dropped},
      {"send_without_data_relayed", &Q::send_without_data_relayed},
      {"permissions_shared", &Q::permissions_shared},
      {"channel_number_rebindable", &Q::channel_number_rebindable},
      {"channel_peer_rebindable", &Q::channel_peer_rebindable},
      {"channel_range_unchecked", &Q::channel_range_unchecked},
      {"channel_without_permission", &Q::channel_without_permission},
      {"channel_never_expires", &Q::channel_never_expires},
      {"channel_data_refreshes", &Q::channel_data_refreshes},
      {"short_channel_data_relayed", &Q::short_channel_data_relayed},
      {"channel_padding_relayed", &Q::channel_padding_relayed},
      {"indication_despite_channel", &Q::indication_despite_channel},
      {"permission_policy_unchecked", &Q::permission_policy_unchecked},
      {"send_policy_unchecked", &Q::send_policy_unchecked},
      {"channel_policy_unchecked", &Q::channel_policy_unchecked},
      {"connect_policy_unchecked", &Q::connect_policy_unchecked},
      {"mapped_policy_unchecked", &Q::mapped_policy_unchecked},
      {"tcp_over_udp_accepted", &Q::tcp_over_udp_accepted},
      {"tcp_attributes_accepted", &Q::tcp_attributes_accepted},
      {"second_connect_accepted", &Q::second_connect_accepted},
      {"accept_without_permission", &Q::accept_without_permission},
      {"connection_bind_user_unchecked", &Q::connection_bind_user_unchecked},
      {"early_peer_data_lost", &Q::early_peer_data_lost},
      {"unbound_connection_kept", &Q::unbound_connection_kept},
      {"peer_close_ignored", &Q::peer_close_ignored},
      {"client_close_ignored", &Q::client_close_ignored},
      {"control_close_ignored", &Q::control_close_ignored},
      {"ticket_reusable", &Q::ticket_reusable},
      {"ticket_constant", &Q::ticket_constant},
      {"ticket_user_unchecked", &Q::ticket_user_unchecked},
      {"path_switched_at_once", &Q::path_switched_at_once},
      {"move_drops_state", &Q::move_drops_state},
      {"token_expiry_unchecked", &Q::token_expiry_unchecked},
      {"token_lifetime_uncapped", &Q::token_lifetime_uncapped},
  }};
  // A switch is one byte: a new one has to be named here as well.
  static_assert(kAll.size() == sizeof(ServerQuirks));
  return kAll;
}

}  // namespace rtclab::turn
