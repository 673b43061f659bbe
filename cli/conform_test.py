#!/usr/bin/env python3
"""`rtclab conform` against servers that misbehave, and stopped in the middle: verdicts or a plain "not complete", never a hang.

RTCLAB_PROGRAM is the program. What it does with the command line is tested in cli_test.py.
"""
import contextlib
import hashlib
import json
import os
import pathlib
import random
import re
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest
import xml.etree.ElementTree

PROGRAM = os.environ["RTCLAB_PROGRAM"]
COOKIE = 0x2112A442
PASSWORD = "correct-horse-battery-staple"
LIMIT_S = 50


def binding_success(request, source):
    """An answer to a Binding request: XOR-MAPPED-ADDRESS alone."""
    address = struct.unpack("!I", socket.inet_aton(source[0]))[0] ^ COOKIE
    value = struct.pack("!HHHHI", 0x0020, 8, 1, source[1] ^ COOKIE >> 16, address)
    return struct.pack("!HHI", 0x0101, len(value), COOKIE) + request[8:20] + value


def is_binding(data):
    return len(data) >= 20 and data[:2] == b"\0\1" and data[4:8] == struct.pack("!I", COOKIE)


def plain(data):
    """A Binding request without attributes."""
    return is_binding(data) and len(data) == 20


class UdpServer:
    """answer(data, source) gives the datagrams that go back."""

    def __init__(self, answer):
        self.answer = answer
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.uri = f"stun:127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                data, source = self.socket.recvfrom(65536)
                for reply in self.answer(data, source):
                    self.socket.sendto(reply, source)


class TcpServer:
    """handle(connection, source) speaks with one client in a thread of its own."""

    def __init__(self, handle):
        self.handle = handle
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.uri = f"stun:127.0.0.1:{self.socket.getsockname()[1]}?transport=tcp"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.speak, args=self.socket.accept(), daemon=True).start()

    def speak(self, connection, source):
        with connection, contextlib.suppress(OSError):
            self.handle(connection, source)


class ConformCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def conform(self, uri, *arguments, expect, env=None, profile=None):
        # A server on this host has answered by then, or does not.
        (self.folder / "target.json").write_text(json.dumps({"uris": [uri], "answer_timeout_ms": 700, "silence_ms": 100, **(profile or {})}))
        ran = subprocess.run([PROGRAM, "conform", "--target", "target.json", *arguments, "--json", "r.json"], cwd=self.folder,
                             capture_output=True, timeout=LIMIT_S, stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})})
        said = (ran.stdout + ran.stderr).decode()
        self.assertIn(ran.returncode, expect, said)
        report = json.loads((self.folder / "r.json").read_text())
        self.assertEqual(report["complete"], ran.returncode != 3, said)
        self.assertNotIn("error", {result["outcome"] for result in report["results"]}, said)
        return report, said

    def outcomes(self, report):
        return {result["id"]: result["outcome"] for result in report["results"]}


class HostileTest(ConformCase):
    def test_a_silent_server_is_not_reached(self):
        report, said = self.conform(UdpServer(lambda *_: ()).uri, expect={3})
        self.assertIn("does not answer", said)
        self.assertEqual(report["results"], [])

    def test_a_closed_port_is_not_reached(self):
        for kind, suffix in ((socket.SOCK_DGRAM, ""), (socket.SOCK_STREAM, "?transport=tcp")):
            with socket.socket(socket.AF_INET, kind) as holder:
                holder.bind(("127.0.0.1", 0))
                port = holder.getsockname()[1]
            report, _ = self.conform(f"turn:127.0.0.1:{port}{suffix}", expect={3})
            self.assertTrue(report["incomplete_why"])

    def test_nothing_but_garbage_is_not_reached(self):
        rng = random.Random(7)
        server = UdpServer(lambda *_: [rng.randbytes(rng.randrange(0, 200)) for _ in range(3)])
        self.conform(server.uri, expect={3})

    def test_garbage_beside_answers_yields_verdicts(self):
        rng = random.Random(8)

        def answer(data, source):
            mine = [binding_success(data, source)] if plain(data) else []
            return [rng.randbytes(rng.randrange(0, 100)) for _ in range(2)] + mine

        report, _ = self.conform(UdpServer(answer).uri, "--only", "stun.hdr.*", "--only", "stun.bind.*", "--only", "stun.req.*", expect={0, 1})
        self.assertGreater(len(report["results"]), 15)

    def test_half_an_answer_and_a_close_yield_verdicts(self):
        rng = random.Random(9)

        def handle(connection, source):
            while data := connection.recv(4096):
                reply = binding_success(data, source) if is_binding(data) else rng.randbytes(40)
                if rng.random() < 0.5:
                    connection.sendall(reply[:rng.randrange(1, len(reply))])
                    return
                connection.sendall(reply)

        # The first question of all may be the one that is cut off: then the server is not reached.
        report, _ = self.conform(TcpServer(handle).uri, "--only", "stun.tcp.*", "--only", "stun.hdr.*", expect={0, 1, 3})
        if report["complete"]:
            self.assertGreater(len(report["results"]), 10)

    def test_always_half_an_answer_is_not_reached(self):
        def handle(connection, source):
            connection.sendall(binding_success(connection.recv(4096), source)[:11])

        self.conform(TcpServer(handle).uri, expect={3})

    def test_a_stream_that_never_ends_its_message_yields_no_hang(self):
        def handle(connection, source):
            connection.recv(4096)
            connection.sendall(b"\x01\x01\xff\xfc" + bytes(16))
            while True:
                connection.sendall(bytes(1000))
                time.sleep(0.01)

        self.conform(TcpServer(handle).uri, expect={3})

    def test_a_slow_server_yields_verdicts(self):
        def answer(data, source):
            if is_binding(data):
                threading.Timer(0.3, lambda: server.socket.sendto(binding_success(data, source), source)).start()
            return ()

        server = UdpServer(answer)
        report, _ = self.conform(server.uri, "--only", "stun.bind.*", expect={0})
        self.assertIn("pass", self.outcomes(report).values())

    def test_a_server_that_is_always_late_does_not_outlast_the_time_limit(self):
        def answer(data, source):
            if is_binding(data):
                threading.Timer(1.5, lambda: server.socket.sendto(binding_success(data, source), source)).start()
            return ()

        server = UdpServer(answer)
        began = time.monotonic()
        report, said = self.conform(server.uri, "--time-limit", "9", expect={3}, profile={"answer_timeout_ms": 3000})
        self.assertLess(time.monotonic() - began, 16)
        self.assertIn("the time limit of 9 s was over", said)
        late = [result for result in report["results"] if result.get("reason") == "the time of the whole run was over"]
        self.assertTrue(late)
        self.assertEqual({result["outcome"] for result in late}, {"skipped"})

    def test_a_server_that_falls_silent_yields_verdicts(self):
        left = [12]

        def answer(data, source):
            left[0] -= 1
            return [binding_success(data, source)] if left[0] > 0 and is_binding(data) else ()

        report, _ = self.conform(UdpServer(answer).uri, "--only", "stun.hdr.*", "--jobs", "16", expect={1})
        self.assertGreater(len(report["results"]), 8)

    def test_answers_from_elsewhere_are_not_taken_for_answers(self):
        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        other.bind(("127.0.0.1", 0))
        self.addCleanup(other.close)

        def answer(data, source):
            if is_binding(data):
                other.sendto(binding_success(data, source), source)
            return ()

        report, _ = self.conform(UdpServer(answer).uri, "--only", "stun.bind.response-path", expect={1})
        self.assertEqual(self.outcomes(report), {"stun.bind.response-path": "fail"})


class ReportTest(ConformCase):
    def wrong(self):
        """Answers Binding requests, but none that has an attribute."""
        return UdpServer(lambda data, source: [binding_success(data, source)] if plain(data) else ())

    def test_failures_are_in_every_report_and_have_captures(self):
        report, said = self.conform(self.wrong().uri, "--only", "stun.req.unknown-*", "--junit", "r.xml", "--html", "r.html", "--pcap-failures", "caps",
                                    expect={1})
        failed = {case for case, outcome in self.outcomes(report).items() if outcome == "fail"}
        self.assertIn("stun.req.unknown-required", failed)
        junit = xml.etree.ElementTree.parse(self.folder / "r.xml").getroot()
        self.assertEqual(len(junit.findall(".//failure")), len(failed))
        self.assertEqual(len(junit.findall(".//testcase")), len(report["results"]))
        page = (self.folder / "r.html").read_text()
        captures = sorted((self.folder / "caps").iterdir())
        for case in failed:
            self.assertIn(case, said)
            self.assertIn(case, page)
            self.assertTrue(any(case in capture.name for capture in captures), captures)
        for capture in captures:
            self.assertEqual(capture.read_bytes()[:4], b"\x0a\x0d\x0d\x0a", capture)  # pcapng

    def test_only_and_level_choose(self):
        uri = UdpServer(lambda data, source: [binding_success(data, source)] if is_binding(data) else ()).uri
        only = ["--only", "stun.hdr.resp-*", "--only", "stun.resp.*", "--only", "stun.hdr.len-too-short"]
        chosen = {}
        for level in ("must", "should", "all"):
            report, _ = self.conform(uri, *only, "--level", level, expect={0, 1})
            chosen[level] = {result["id"]: result["clauses"][0]["level"] for result in report["results"]}
        self.assertTrue(all(re.match(r"stun\.(hdr\.resp-|resp\.|hdr\.len-too-short)", case) for case in chosen["all"]))
        self.assertLess(set(chosen["must"]), set(chosen["should"]))
        self.assertLess(set(chosen["should"]), set(chosen["all"]))
        self.assertLessEqual(set(chosen["must"].values()), {"MUST", "MUST NOT", "required"})
        self.assertNotIn("info", chosen["should"].values())

    def test_an_expected_failure_that_passes_fails_the_run(self):
        known = {"outcome": "fail", "section": "RFC 8489 section 6.3.1", "reason": "It answers nothing that has attributes."}
        overlay = {"server": "wrong", "version": "1", "expected": {"stun.req.unknown-required": known}}
        (self.folder / "known.json").write_text(json.dumps(overlay))
        arguments = [self.wrong().uri, "--only", "stun.req.unknown-required", "--overlay", "known.json"]
        self.assertEqual(self.conform(*arguments, expect={0})[0]["results"][0]["expectation"], "xfail")
        overlay["expected"] = {"stun.bind.response-path": known}
        (self.folder / "known.json").write_text(json.dumps(overlay))
        arguments[2] = "stun.bind.response-path"
        self.assertEqual(self.conform(*arguments, expect={1})[0]["results"][0]["expectation"], "xpass")


class OwnServer:
    def __init__(self, *options):
        self.process = subprocess.Popen([PROGRAM, "serve", "turn", "--listen", "127.0.0.1:0", "--allow-loopback-peers", *options],
                                        stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if found := re.match(r"listening on udp 127\.0\.0\.1:(\d+)", line, re.IGNORECASE):
                self.port = int(found[1])
            if line == "ready\n":
                break
        self.uri = f"turn:127.0.0.1:{self.port}?transport=udp"

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.process.stdout.close()


class OwnServerTest(ConformCase):
    def serve(self, *options):
        server = OwnServer(*options)
        self.addCleanup(server.stop)
        return server

    def test_the_password_is_in_no_report(self):
        server = self.serve("--user", f"alice:{PASSWORD}", "--user", f"bob:{PASSWORD}2", "--realm", "r")
        (self.folder / "password").write_text(PASSWORD + "\n")
        files = ["--junit", "r.xml", "--html", "r.html", "--pcap-failures", "caps"]
        key = hashlib.md5(f"alice:r:{PASSWORD}".encode()).digest()
        # The wrong user's password makes failures, which have exchanges and captures.
        overlay = {"server": "s", "version": "1", "expected": {"turn.alloc.resp-attrs": {"outcome": "fail", "section": "RFC 8656 section 7.2",
                                                                                        "reason": "None: so that the run fails."}}}
        (self.folder / "known.json").write_text(json.dumps(overlay))
        for ways, env in ((["--password", PASSWORD], {}), (["--password-file", "password"], {}), ([], {"RTCLAB_PASSWORD": PASSWORD})):
            _, said = self.conform(server.uri, "--user", "alice", *ways, "--only", "turn.alloc.*", "--only", "stun.lt.*", "--overlay", "known.json", *files,
                                   env=env, expect={1})
            written = [path.read_bytes() for path in self.folder.rglob("*") if path.is_file() and path.name != "password"] + [said.encode()]
            self.assertGreaterEqual(len(written), 4)
            for text in written:
                for secret in (PASSWORD.encode(), key, key.hex().encode()):
                    self.assertNotIn(secret, text)

    def test_ctrl_c_ends_the_run_with_its_allocations_released(self):
        # Above the ports that Linux chooses from: the server has as many allocations to give as it has ports there.
        low = random.randrange(61000, 65000)
        server = self.serve("--no-auth", "--ports", f"{low}-{low + 31}", "--quota", "1000")
        room = self.allocations(server.port, 32)
        self.assertGreater(room, 16)
        # A reserved port stays taken for 30 s, and so does that of the probe for reservations.
        target = {"uris": [server.uri], "features": {"reservation": False}}
        (self.folder / "target.json").write_text(json.dumps(target))
        program = subprocess.Popen([PROGRAM, "conform", "--target", "target.json", "--only", "turn.send.*", "--only", "turn.chan.*", "--only", "turn.cdata.*",
                                    "--only", "turn.data.*", "--jobs", "2", "--json", "r.json"], cwd=self.folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            time.sleep(1)  # some cases have ended, and others hold allocations
            program.send_signal(signal.SIGINT)
            said, _ = program.communicate(timeout=30)
        finally:
            program.kill()
        self.assertEqual(program.returncode, 3, said.decode())
        report = json.loads((self.folder / "r.json").read_text())
        self.assertFalse(report["complete"])
        self.assertTrue(report["incomplete_why"])
        self.assertEqual(self.allocations(server.port, 32), room)

    def test_what_was_not_tested_is_told_loudly(self):
        server = self.serve("--user", f"alice:{PASSWORD}", "--realm", "r")
        report, said = self.conform(server.uri, "--only", "stun.bind.*", "--only", "turn.alloc.*", expect={0})
        part, = report["summary"]["not_tested"]
        self.assertEqual(part["part"], "TURN")
        skipped = [result for result in report["results"] if result["id"].startswith("turn.")]
        self.assertEqual({result["outcome"] for result in skipped}, {"skipped"})
        self.assertEqual(part["cases"], len(skipped))
        self.assertIn(f"NOT TESTED  TURN ({len(skipped)} of {len(report['results'])} cases)", said)
        self.assertIn("To test it: name a user of the server with --user", said)
        self.assertIn("No unexpected failure, but NOT TESTED: TURN", said)
        # Nothing is left to run: that is no success.
        _, said = self.conform(server.uri, "--only", "turn.alloc.*", expect={3})
        self.assertIn("no case could run", said)

    def test_a_second_endpoint_that_is_dead_is_told_loudly(self):
        server = self.serve("--no-auth")
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            dead = holder.getsockname()[1]
        report, said = self.conform(server.uri, f"turns:127.0.0.1:{dead}", f"turn:127.0.0.1:{dead}", "--only", "stun.bind.*", "--only", "stun.tls.*",
                                    expect={0})
        self.assertEqual([part["part"] for part in report["summary"]["not_tested"]], [f"127.0.0.1:{dead} over tls", f"127.0.0.1:{dead} over udp"])
        self.assertIn(f"NOT TESTED  127.0.0.1:{dead} over tls", said)
        self.assertIn("but NOT TESTED: ", said)

    def test_tcp_allocations_have_their_peers_on_another_host(self):
        server = self.serve("--user", f"alice:{PASSWORD}", "--realm", "r")
        uri = server.uri.replace("udp", "tcp")
        cases = ["--only", "tcp.connect.*", "--only", "tcp.bind.*", "--only", "tcp.close.*", "--only", "tcp.accept.*", "--only", "tcp.alloc.relay-tcp"]
        for may_connect in (True, False):
            echo = subprocess.Popen([PROGRAM, "peer-echo", "127.0.0.3:0", "--allow", "127.0.0.1", "--token", "t",
                                     *(["--connect", "127.0.0.1"] if may_connect else [])], stdout=subprocess.PIPE, text=True)
            try:
                where = echo.stdout.readline().split()[-1]
                # That this host is not reached is what the peers are elsewhere for.
                report, said = self.conform(uri, "--user", "alice", "--password", PASSWORD, "--peer-echo", where, "--peer-token", "t", *cases, expect={0})
            finally:
                echo.terminate()
                echo.wait(timeout=10)
                echo.stdout.close()
            outcomes = self.outcomes(report)
            passive = {case for case in outcomes if case.startswith("tcp.accept.")} | {"tcp.alloc.relay-tcp"}
            self.assertEqual(len(passive), 6)
            self.assertEqual({outcomes[case] for case in passive}, {"pass" if may_connect else "skipped"}, said)
            active = {case: outcome for case, outcome in outcomes.items() if case not in passive and outcome not in ("pass", "info")}
            # No second user, no TLS, no UDP, no peer that is known to be refused; and a peer that never answers needs this host.
            self.assertEqual(set(active), {"tcp.bind.credentials", "tcp.bind.tls", "tcp.bind.udp", "tcp.connect.forbidden", "tcp.connect.pending"}, said)
            if not may_connect:
                reasons = {result["reason"] for result in report["results"] if result["id"] in passive}
                self.assertTrue(all("--connect allows it" in reason for reason in reasons), reasons)

    @staticmethod
    def allocations(port, wanted):
        """How many of so many allocations the server has room for. They are deleted again."""
        def request(client, method, type_and_length, value):
            client.send(struct.pack("!HHI", method, 8, COOKIE) + os.urandom(12) + struct.pack("!II", type_and_length, value))
            return client.recv(2048)[:2] == struct.pack("!H", method | 0x0100)

        with contextlib.ExitStack() as held:
            clients = []
            for _ in range(wanted):
                client = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                client.settimeout(5)
                client.connect(("127.0.0.1", port))
                if request(client, 0x0003, 0x00190004, 17 << 24):
                    clients.append(client)
            return len([client for client in clients if request(client, 0x0004, 0x000D0004, 0)])


if __name__ == "__main__":
    unittest.main()
