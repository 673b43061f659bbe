#!/usr/bin/env python3
"""A real Chromium against our PeerConnection, on loopback and in real time.

  browser_test.py BROWSER_PEER [unittest's arguments]

browser_page.js runs in Chromium, browser_peer.cc is our end; both take the same commands and report the same events, so that every case
runs both ways: once Chromium offers, once we do. Exits 77 where Chromium is not installed.
"""
import contextlib
import ctypes
import http.server
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

FOLDER = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
PATIENCE_S = 15  # for any one thing to happen
WHOLE_S = 100    # then something hangs
START_BITRATE = 300_000  # of Chromium's bandwidth estimate
CHROMIUM = ["chromium", "chromium-browser", "google-chrome"]
FLAGS = """
  --headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update
  --disable-sync --disable-extensions --disable-breakpad --disable-dev-shm-usage --mute-audio --no-proxy-server --password-store=basic
  --disable-features=WebRtcHideLocalIpsWithMdns --allow-loopback-in-peer-connection
  --disable-background-timer-throttling --disable-renderer-backgrounding --disable-backgrounding-occluded-windows
  --use-fake-device-for-media-stream --use-fake-ui-for-media-stream""".split()
PAGE = b"<!doctype html><title>rtclab</title><script src=/page.js></script>"


LIBC = ctypes.CDLL(None)


def die_with_us():
    LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: also when we are killed


def adopt_orphans():
    LIBC.prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: what Chromium leaves behind is ours to wait for


def end_orphans():
    """No return before every process below us is gone: they have a moment to end by themselves."""
    patience = time.monotonic() + 2
    with contextlib.suppress(ChildProcessError):
        while True:
            if os.waitpid(-1, os.WNOHANG)[0]:
                continue
            if time.monotonic() > patience:
                for child in pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(child), signal.SIGKILL)
            time.sleep(0.01)


class Failed(AssertionError):
    pass


class Side:
    """One end of a call: commands go to it, its events are kept and its signals go to the other end."""

    def __init__(self, name, send):
        self.name, self.send = name, send
        self.changed = threading.Condition()
        self.events = []
        self.other = None
        self.filter = lambda signal: signal  # what the other end gets for a signal of ours; None: nothing

    def command(self, op, **members):
        self.send({"op": op, **members})

    def take(self, event):
        """From the thread that reads."""
        with self.changed:
            self.events.append(event)
            self.changed.notify_all()
        if self.other and event["event"] in ("description", "candidate"):
            if event := self.filter(event):
                self.other.command(event["event"], **{k: v for k, v in event.items() if k not in ("event", "call")})

    def all(self, kind, **members):
        with self.changed:
            return [e for e in self.events if e["event"] == kind and all(e.get(k) == v for k, v in members.items())]

    def wait(self, kind, count=1, **members):
        """The `count`th event of this kind with these members."""
        def there():
            wrong = [e for e in self.events if e["event"] in ("error", "channel-error", "failed", "ended")]
            if wrong and kind not in ("error", "failed"):
                raise Failed(f"{self.name}: {wrong[0]}")
            return len(self.all(kind, **members)) >= count
        with self.changed:
            if not self.changed.wait_for(there, PATIENCE_S):
                seen = [e for e in self.events if e["event"] not in ("description", "stats")][-12:]
                raise Failed(f"{self.name}: no {count}. {kind} {members} after {PATIENCE_S} s; last came {seen}, "
                             f"at the other end {self.other.events[-12:] if self.other else None}")
            return self.all(kind, **members)[count - 1]

    def stats(self):
        """getStats() as a list of objects."""
        before = len(self.all("stats"))
        self.command("stats")
        return self.wait("stats", before + 1)["stats"]


def of(stats, type_, **members):
    return [s for s in stats if s["type"] == type_ and all(s.get(k) == v for k, v in members.items())]


def one(stats, type_, **members):
    found = of(stats, type_, **members)
    if len(found) != 1:
        raise Failed(f"{len(found)} {type_} {members}: {found}")
    return found[0]


class Browser:
    """Chromium with our page, and the server that the page talks to."""

    def __init__(self, program):
        self.folder = tempfile.TemporaryDirectory(prefix="rtclab-browser-", ignore_cleanup_errors=True)
        self.commands = queue.Queue()
        self.side = None
        self.call = 0
        self.process = None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, body, kind):
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                if self.path == "/":
                    self.answer(PAGE, "text/html")
                elif self.path == "/page.js":
                    self.answer((FOLDER / "browser_page.js").read_bytes(), "text/javascript")
                elif self.path == "/commands":
                    self.answer(json.dumps(outer.next_commands()).encode(), "application/json")
                else:
                    self.send_error(404)

            def do_POST(self):
                events = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for event in events:
                    if outer.side and event["call"] == outer.call:
                        outer.side.take(event)
                self.answer(b"{}", "application/json")  # after that, so that the next ones come later

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                """Chromium is killed in the middle of what it asks."""

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        self.log = open(pathlib.Path(self.folder.name) / "chromium.log", "wb")
        environment = {**os.environ, "HOME": self.folder.name, "XDG_CONFIG_HOME": self.folder.name, "XDG_CACHE_HOME": self.folder.name}
        self.process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={self.folder.name}/profile", url], start_new_session=True, preexec_fn=die_with_us,
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT, env=environment)

    def next_commands(self):
        """What there is, waiting for the first for a while."""
        commands = []
        with contextlib.suppress(queue.Empty):
            commands.append(self.commands.get(timeout=5))
            while True:
                commands.append(self.commands.get_nowait())
        return commands

    def begin(self):
        """A new connection in the page."""
        self.call += 1
        self.side = Side("Chromium", self.commands.put)
        self.side.command("call", call=self.call)
        self.side.wait("ready")
        return self.side

    def stop(self):
        """The whole process group, and no return before it is gone."""
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            end_orphans()
        self.log.close()
        self.server.shutdown()
        self.server.server_close()
        self.folder.cleanup()


class Ours:
    """Our end: a process a call."""

    def __init__(self, program, options):
        self.process = subprocess.Popen([program, json.dumps(options)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        preexec_fn=die_with_us)
        self.side = Side("ours", self.send)
        self.stopping = False
        self.thread = threading.Thread(target=self.read, daemon=True)

    def send(self, command):
        with contextlib.suppress(BrokenPipeError, ValueError):
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()

    def read(self):
        for line in self.process.stdout:
            self.side.take(json.loads(line))
        if not self.stopping:
            self.side.take({"event": "ended", "status": self.process.wait()})

    def stop(self):
        """Its exit status: it ends when its input does."""
        self.stopping = True
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.thread.join(5)
            self.process.stdout.close()


class Call(unittest.TestCase):
    browser = None

    @contextlib.contextmanager
    def call(self, chromium_offers, **options):
        """Both ends of a new call: the one that offers, and the one that answers."""
        chromium = self.browser.begin()
        peer = Ours(PEER, options)
        try:
            ours = peer.side
            chromium.other, ours.other = ours, chromium
            # Chromium has candidates of other interfaces as well: loopback alone is what is tested.
            chromium.filter = lambda s: s if s["event"] != "candidate" or s["candidate"] == "" or " 127.0.0.1 " in s["candidate"] else None
            peer.thread.start()
            yield (chromium, ours) if chromium_offers else (ours, chromium)
            ours.command("hangup")
            chromium.command("hangup")
        finally:
            status = peer.stop()
        self.assertEqual(status, 0, "the exit status of our end")

    def connect(self, *sides):
        for side in sides:
            side.wait("state", state="connected")
        return {side.name: side for side in sides}

    def both_ways(self, case):
        for chromium_offers in (True, False):
            with self.subTest(offers="Chromium" if chromium_offers else "ours"):
                begin = time.monotonic()
                case(chromium_offers)
                who = "Chromium offers" if chromium_offers else "we offer"
                print(f"  {case.__name__}, {who}: {time.monotonic() - begin:.1f} s", flush=True)


class DataTest(Call):
    SIZES = [1, 2, 100, 1172, 1200, 16_384, 65_535, 65_536, 262_144]
    LABELS = {"a-ordered": True, "a-unordered": False, "b-ordered": True, "b-unordered": False}

    def test_channels(self):
        self.both_ways(self.channels)

    def channels(self, chromium_offers):
        with self.call(chromium_offers) as (a, b):
            for label in ("a-ordered", "a-unordered"):
                a.command("open", label=label, ordered=self.LABELS[label])
            a.command("offer")
            self.connect(a, b)
            for label in ("b-ordered", "b-unordered"):
                b.command("open", label=label, ordered=self.LABELS[label])
            for side in (a, b):
                for label in self.LABELS:
                    side.wait("open", label=label)
            for side, prefix in ((a, "b"), (b, "a")):
                for label in (f"{prefix}-ordered", f"{prefix}-unordered"):
                    self.assertEqual(side.wait("announced", label=label)["ordered"], self.LABELS[label])
            self.exchange(a, b, self.SIZES)
            self.check_connection(a, b)
            self.restart(a, b)
            self.exchange(a, b, [1, 20_000])
            self.close(a, b)

    def exchange(self, a, b, sizes):
        """On every channel, both ways, bytes and text: what comes is what was sent."""
        rounds = [(side, other, label, binary) for side, other in ((a, b), (b, a)) for label in self.LABELS for binary in (True, False)]
        expected = {}
        for side, other in ((a, b), (b, a)):
            for label in self.LABELS:
                expected[side, label] = len(other.all("received", label=label)) + 2 * len(sizes)
        for seed, (side, _, label, binary) in enumerate(rounds, 1):
            side.command("send", label=label, sizes=sizes, binary=binary, seed=seed)
        for side, other in ((a, b), (b, a)):
            for label, ordered in self.LABELS.items():
                other.wait("received", expected[side, label], label=label)
                side.wait("sent", expected[side, label], label=label)
                sent, received = ([(m["binary"], m["size"], m["digest"]) for m in messages]
                                  for messages in (side.all("sent", label=label), other.all("received", label=label)))
                if not ordered:
                    sent.sort(), received.sort()
                self.assertEqual(sent, received, f"{side.name} to {other.name} on {label}")

    def check_connection(self, a, b):
        """Both ends say the same of the certificates, the roles and the channels."""
        def view(side):
            stats = side.stats()
            transport = one(stats, "transport")
            certificates = {s["id"]: s["fingerprint"].upper() for s in of(stats, "certificate")}
            return {
                "own": certificates[transport["localCertificateId"]], "peer": certificates[transport["remoteCertificateId"]],
                "dtls": transport["dtlsState"], "dtls role": transport["dtlsRole"], "ice role": transport["iceRole"],
                "version": transport["tlsVersion"], "cipher": transport["dtlsCipher"],
                "channels": {s["label"]: (s["dataChannelIdentifier"], s["state"], s["messagesSent"], s["messagesReceived"], s["bytesSent"],
                                          s["bytesReceived"]) for s in of(stats, "data-channel")},
            }
        first, second = view(a), view(b)
        for side, mine in ((a, first), (b, second)):
            self.assertIn(mine["own"], side.all("description")[-1]["sdp"].upper())
        self.assertEqual((first["own"], first["peer"]), (second["peer"], second["own"]))
        self.assertEqual((first["dtls"], second["dtls"]), ("connected", "connected"))
        self.assertEqual((first["ice role"], second["ice role"]), ("controlling", "controlled"))
        self.assertEqual({first["dtls role"], second["dtls role"]}, {"client", "server"})
        self.assertEqual((first["version"], first["cipher"]), (second["version"], second["cipher"]))
        self.assertEqual(first["channels"].keys(), self.LABELS.keys())
        for label, (stream, state, sent, received, bytes_sent, bytes_received) in first["channels"].items():
            self.assertEqual((stream, state, received, sent, bytes_received, bytes_sent), second["channels"][label], label)

    def restart(self, a, b):
        """New credentials at both ends, and the call goes on with them."""
        def fragments():
            return [one(side.stats(), "transport")["iceLocalUsernameFragment"] for side in (a, b)]
        before = fragments()
        described = len(b.all("description"))
        a.command("restart")
        b.wait("description", described + 1)
        end = time.monotonic() + PATIENCE_S
        while True:
            after = fragments()
            in_use = [self.selected(side)["state"] for side in (a, b)]
            if not set(before) & set(after) and in_use == ["succeeded", "succeeded"]:
                break
            self.assertLess(time.monotonic(), end, f"still {after} after {before}, {in_use}")
            time.sleep(0.05)
        for side, fragment in zip((a, b), after):
            self.assertIn(f"a=ice-ufrag:{fragment}", side.all("description")[-1]["sdp"])
            self.assertEqual([e["state"] for e in side.all("state")][-1], "connected")

    @staticmethod
    def selected(side):
        stats = side.stats()
        return one(stats, "candidate-pair", id=one(stats, "transport")["selectedCandidatePairId"])

    def close(self, a, b):
        """Two are closed by each end, and are closed at the other."""
        for side, label in zip((a, b, a, b), self.LABELS):
            side.command("close", label=label)
        for side in (a, b):
            for label in self.LABELS:
                side.wait("closed", label=label)


class RefusalTest(Call):
    """A certificate that is not the one signalled ends the call, at both ends."""

    def test_fingerprint(self):
        self.both_ways(self.wrong_fingerprint)

    def wrong_fingerprint(self, chromium_offers):
        for spoiled in ("Chromium", "ours"):
            with self.call(chromium_offers) as (a, b):
                ends = {side.name: side for side in (a, b)}

                def spoil(signal, before=ends[spoiled].filter):
                    """The first byte of the fingerprint is another one."""
                    if signal["event"] != "description":
                        return before(signal)
                    head, mark, tail = signal["sdp"].partition("a=fingerprint:sha-256 ")
                    return {**signal, "sdp": head + mark + ("00" if tail[:2] != "00" else "01") + tail[2:]}
                ends[spoiled].filter = spoil
                a.command("open", label="a", ordered=True)
                a.command("offer")
                # Who saw the wrong certificate knows why; the other hears an alert.
                if spoiled == "Chromium":
                    self.assertEqual(ends["ours"].wait("failed")["reason"], "dtls-fingerprint-mismatch")
                else:
                    ends["Chromium"].wait("state", state="failed")
                    ends["ours"].wait("failed")
                for side in (a, b):
                    self.assertEqual(side.all("state", state="connected"), [])
                    self.assertEqual(side.all("open"), [])


class MediaTest(Call):
    def connect_media(self, a, b):
        for side in (a, b):
            side.command("media")
        for side in (a, b):
            side.wait("media")
        a.command("offer")
        return self.connect(a, b)

    def test_media(self):
        self.both_ways(self.media)

    def media(self, chromium_offers):
        # Chromium's offer is answered as DTLS server here, as client in the other cases.
        with self.call(chromium_offers, answer_active=False) as (a, b):
            sides = self.connect_media(a, b)
            chromium, ours = sides["Chromium"], sides["ours"]
            begin = time.monotonic()
            estimates = []
            while True:
                views = {side.name: side.stats() for side in (chromium, ours)}
                estimates.append(self.estimate(views["Chromium"]))
                missing = [*self.missing(views["Chromium"], views["ours"]), *self.missing(views["ours"], views["Chromium"])]
                if not missing and max(filter(None, estimates), default=0) > 2 * START_BITRATE:
                    break
                if time.monotonic() - begin > PATIENCE_S:
                    raise Failed(f"still missing after {PATIENCE_S} s: {missing}, estimates of Chromium {estimates}")
                time.sleep(0.2)
            self.agree(chromium, ours)

    def test_loss(self):
        self.both_ways(self.loss)

    def loss(self, chromium_offers):
        """Our end loses packets of both directions: they are asked for, and come again."""
        with self.call(chromium_offers, lose_one_in=20) as (a, b):
            sides = self.connect_media(a, b)
            end = time.monotonic() + PATIENCE_S
            wanted = {"nackCount": 3, "retransmittedPacketsReceived": 3, "framesReceived": 60}
            while True:
                chromium, ours = sides["Chromium"].stats(), sides["ours"].stats()
                inbound = [one(stats, "inbound-rtp", kind="video") if of(stats, "inbound-rtp", kind="video") else {}
                           for stats in (chromium, ours)]
                if all(s.get(name, 0) >= count for s in inbound for name, count in wanted.items()):
                    break
                if time.monotonic() > end:
                    raise Failed(f"not {wanted} but {inbound}")
                time.sleep(0.2)
            # Each NACK was heard, and what came again made the frames of a real encoder whole.
            for sender in (chromium, ours):
                self.assertGreater(one(sender, "outbound-rtp", kind="video")["retransmittedPacketsSent"], 0)
            self.assertGreater(inbound[1]["framesDecoded"], 0.9 * inbound[1]["framesReceived"])
            self.assertLess(inbound[1]["freezeCount"], 2)

    @staticmethod
    def estimate(stats):
        found = [s["availableOutgoingBitrate"] for s in of(stats, "candidate-pair", nominated=True) if "availableOutgoingBitrate" in s]
        return max(found, default=None)

    @staticmethod
    def missing(sender, receiver):
        """What has to be true of media in one direction after a while, and is not yet."""
        wrong = []

        def want(kind, stats, type_, **least):
            found = of(stats, type_, kind=kind)
            if not found:
                wrong.append(f"no {type_} of {kind}")
            for name, value in least.items():
                for s in found:
                    if not s.get(name, 0) >= value:
                        wrong.append(f"{type_} of {kind}: {name} is {s.get(name)}, not {value}")
        want("audio", sender, "outbound-rtp", packetsSent=100)
        want("video", sender, "outbound-rtp", framesSent=60)
        want("audio", receiver, "inbound-rtp", packetsReceived=100)
        want("video", receiver, "inbound-rtp", packetsReceived=100, framesReceived=60)
        for kind in ("audio", "video"):
            want(kind, sender, "remote-inbound-rtp", roundTripTimeMeasurements=1, roundTripTime=1e-9)
            want(kind, receiver, "remote-outbound-rtp", reportsSent=1, packetsSent=1)
        return wrong

    def agree(self, chromium, ours):
        """Nothing is sent any more: the numbers of both ends are the same, and nothing was of no use."""
        for side in (chromium, ours):
            side.command("quiet")
        end = time.monotonic() + PATIENCE_S
        while True:  # what is under way, the last reports among it
            views = chromium.stats(), ours.stats()
            differences = [*self.differences("Chromium to ours", *views), *self.differences("ours to Chromium", *reversed(views))]
            video = one(views[1], "inbound-rtp", kind="video")
            if video["framesDecoded"] != video["framesReceived"]:
                differences.append(f"of {video['framesReceived']} frames that we received {video['framesDecoded']} are decoded")
            if not differences:
                break
            if time.monotonic() > end:
                raise Failed("\n".join(differences))
            time.sleep(0.2)
        for name, count in ours.all("stats")[-1]["unused"].items():
            self.assertEqual(count, 0, name)
        # Chromium cannot decode our frames' content, so it asks for key frames, and gets some.
        video = one(views[1], "outbound-rtp", kind="video")
        self.assertGreater(video["pliCount"], 0)
        self.assertGreater(video["keyFramesEncoded"], 1)
        # Our decoder had all that it needs of Chromium's.
        self.assertEqual(one(views[1], "inbound-rtp", kind="video")["pliCount"], 0)

    @staticmethod
    def differences(direction, sent, received):
        found = []
        for kind in ("audio", "video"):
            out, into = one(sent, "outbound-rtp", kind=kind), one(received, "inbound-rtp", kind=kind)
            pairs = [("packetsSent", "packetsReceived"), ("bytesSent", "bytesReceived"), ("headerBytesSent", "headerBytesReceived")]
            if kind == "video":
                pairs += [("framesSent", "framesReceived"), ("pliCount", "pliCount"), ("firCount", "firCount"), ("nackCount", "nackCount")]
            found += [f"{direction}, {kind}: {a} {out.get(a)}, {b} {into.get(b)}" for a, b in pairs if out.get(a) != into.get(b)]
            if into["packetsLost"] != 0:
                found.append(f"{direction}, {kind}: packetsLost {into['packetsLost']}")
            # What the receiver reported came back to the sender.
            reported = one(sent, "remote-inbound-rtp", kind=kind)
            if reported["packetsLost"] != 0 or reported["fractionLost"] != 0 or not 0 < reported["roundTripTime"] < 1:
                found.append(f"{direction}, {kind}: reported {reported}")
        return found


def main():
    global PEER
    PEER = sys.argv.pop(1)
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if not program:
        print("Chromium is not installed (scripts/setup installs it)")
        return SKIPPED

    def stop(number, _):
        raise KeyboardInterrupt(signal.Signals(number).name)  # which unittest lets pass
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, stop)
    signal.alarm(WHOLE_S)
    adopt_orphans()
    Call.browser = Browser(program)
    try:
        return 0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1
    finally:
        Call.browser.stop()


if __name__ == "__main__":
    sys.exit(main())
