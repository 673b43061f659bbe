#!/usr/bin/env escript
%% -*- erlang -*-
%%! -noinput
-mode(compile).

%% p1_stun as a TURN server on loopback: server.escript PORT TLS_PORT CERTIFICATE_AND_KEY. Prints "ready"; ends with the process.
main([Port, TlsPort, Certificate]) ->
    {ok, _} = application:ensure_all_started(fast_tls),
    {ok, _} = application:ensure_all_started(stun),
    Turn = [{use_turn, true}, {auth_type, user}, {auth_realm, <<"lab.example">>}, {auth_fun, fun(User, Realm) -> password(User, Realm) end}, {turn_blacklist, []},
            {turn_ipv4_address, {127, 0, 0, 1}}, {turn_ipv6_address, {0, 0, 0, 0, 0, 0, 0, 1}}, {turn_min_port, 49152}, {turn_max_port, 65535},
            {shaper, none}],
    Tls = [{tls, true}, {certfile, list_to_binary(Certificate)} | Turn],
    lists:foreach(
      fun(Address) ->
          ok = stun_listener:add_listener(Address, list_to_integer(Port), udp, Turn),
          ok = stun_listener:add_listener(Address, list_to_integer(Port), tcp, Turn),
          ok = stun_listener:add_listener(Address, list_to_integer(TlsPort), tcp, Tls)
      end,
      [{127, 0, 0, 1}, {0, 0, 0, 0, 0, 0, 0, 1}]),
    io:format("ready~n"),
    timer:sleep(infinity).

password(<<"alice">>, _Realm) -> <<"looking-glass">>;
password(<<"bob">>, _Realm) -> <<"builders-yard">>;
password(_, _) -> <<"">>.
