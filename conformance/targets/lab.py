"""What the scripts that run a server for `rtclab conform` share: a folder, free ports, a certificate, processes that end with us.

A target is a folder with `run`, which starts the server and calls main() here, `target.json`, a profile whose ${names} are filled in, and
`expected.json`, what the server is known to do otherwise, if anything.
"""
import argparse
import collections
import contextlib
import ctypes
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import string
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PORTS = range(27000, 28000)  # below the ports that Linux gives to sockets of its own choice
SKIPPED = 77                 # ctest's SKIP_RETURN_CODE: the server is not installed
START_S = 20
END_S = 10

# A way to run the server. `start(lab)` gives what target.json is filled in with; `only`: the globs of the cases that it is there for;
# `options`: more for `rtclab conform`.
Variant = collections.namedtuple("Variant", "start only options", defaults=[(), ()])


class Missing(Exception):
    """The server is not there; the text says the one command that installs it."""


class Broken(Exception):
    """The server did not start."""


class Interrupted(Exception):
    pass


def free_port(taken, addresses):
    """A port that UDP and TCP have free on all the addresses."""
    for port in random.sample(PORTS, len(PORTS)):
        if port in taken:
            continue
        with contextlib.ExitStack() as held:
            try:
                for address in addresses:
                    family = socket.AF_INET6 if ":" in address else socket.AF_INET
                    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                        one = held.enter_context(socket.socket(family, kind))
                        one.bind((address, port))
            except OSError:
                continue
        taken.add(port)
        return port
    raise Broken("no port is free")


def answers_binding(address, port):
    request = bytes.fromhex("000100002112a442") + os.urandom(12)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(0.2)
        try:
            client.connect((address, port))
            client.send(request)
            return client.recv(2048)[4:20] == request[4:20]
        except OSError:
            return False


def accepts(address, port):
    try:
        socket.create_connection((address, port), 0.5).close()
        return True
    except OSError:
        return False


class Lab:
    """One run of a server: everything in it is gone at the end."""

    def __init__(self, folder, program):
        self.folder, self.program = folder, program
        self.taken = set()
        self.processes = []

    def port(self, *addresses):
        return free_port(self.taken, addresses or ("127.0.0.1",))

    def certificate(self):
        """A certificate of its own for the loopback addresses: paths of the certificate, which is its own trust anchor, and the key."""
        cert, key = self.folder / "cert.pem", self.folder / "key.pem"
        names = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2,IP:::1"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                        names, "-keyout", key, "-out", cert], check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return cert, key

    def start(self, name, argv, **options):
        """In a session of its own: Ctrl-C must not end it before the allocations on it are released."""
        log = open(self.folder / f"{name}.log", "wb")
        process = spawn(argv, signal.SIGKILL, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder, **options)
        log.close()
        process.log = self.folder / f"{name}.log"
        self.processes.append(process)
        return process

    def wait_until(self, process, ready):
        end = time.monotonic() + START_S
        while not ready():
            if process.poll() is not None:
                raise Broken(f"the server ended at once:\n{self.tail(process)}")
            if time.monotonic() > end:
                raise Broken(f"the server does not answer after {START_S} s:\n{self.tail(process)}")
            time.sleep(0.05)

    def wait_for(self, process, udp=(), tcp=()):
        """Until each (address, port) answers a Binding request, or takes connections."""
        self.wait_until(process, lambda: all(answers_binding(*at) for at in udp) and all(accepts(*at) for at in tcp))

    @staticmethod
    def tail(process):
        return "\n".join(process.log.read_text(errors="replace").splitlines()[-15:])

    def stop(self):
        """All together, and no return before they are gone: a successor must not share their ports."""
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        end = time.monotonic() + END_S
        for process in self.processes:
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()


def spawn(argv, when_we_die, **options):
    libc = ctypes.CDLL(None)

    def die_with_us():
        libc.prctl(1, when_we_die)  # PR_SET_PDEATHSIG: also when we are killed

    return subprocess.Popen([str(word) for word in argv], start_new_session=True, preexec_fn=die_with_us, **options)


def fill_in(template, values):
    """A profile: the template with its names replaced, valid JSON."""
    text = string.Template(template.read_text(encoding="utf-8")).substitute({name: str(value) for name, value in values.items()})
    return json.loads(text)


def need(program, command):
    if not shutil.which(program):
        raise Missing(f"{program} is not installed; this installs it:\n  {command}")


class Runner:
    def __init__(self, folder, options, passed_on):
        self.folder, self.options, self.passed_on = folder, options, passed_on
        self.child = None
        self.interrupted = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.interrupt)

    def interrupt(self, *_):
        """The run ends first, with its allocations released, then the server."""
        self.interrupted = True
        if self.child is None:
            raise Interrupted
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGINT)

    def conform(self, lab, name, variant):
        """The exit code of `rtclab conform` against one variant, and its report."""
        profile = fill_in(self.folder / "target.json", {"folder": lab.folder, **variant.start(lab)})
        # A profile may hold nothing that is null: what a variant does not have is left out.
        profile = {key: value for key, value in profile.items() if value is not None}
        target = lab.folder / "target.json"
        target.write_text(json.dumps(profile, indent=2) + "\n", encoding="utf-8")
        if self.options.serve:
            print(f"{name}: rtclab conform --target {target}   (Ctrl-C ends the server)", flush=True)
            signal.pause()
        out = self.options.out
        report = out / f"{name}.json"
        report.unlink(missing_ok=True)
        argv = [self.options.program, "conform", "--target", target, "--json", report, "--junit", out / f"{name}.xml",
                "--html", out / f"{name}.html", *variant.options]
        if (self.folder / "expected.json").exists():
            argv += ["--overlay", self.folder / "expected.json"]
        if "--only" not in self.passed_on:
            for glob in variant.only:
                argv += ["--only", glob]
        self.child = spawn(argv + self.passed_on, signal.SIGTERM, stdin=subprocess.DEVNULL)
        try:
            return self.child.wait(), report
        finally:
            self.child = None

    def run(self, name, variant):
        with tempfile.TemporaryDirectory(prefix="rtclab-conform-") as folder:
            os.chmod(folder, 0o755)
            lab = Lab(pathlib.Path(folder), self.options.program)
            try:
                return self.conform(lab, name, variant)[0]
            except Interrupted:
                return 3
            except Broken as reason:
                print(f"{self.folder.name}: {reason}", file=sys.stderr)
                return 3
            finally:
                lab.stop()


def main(folder, variants, needs):
    """Runs every variant that the user asks for; exits with the worst exit code. `needs()` raises Missing."""
    parser = argparse.ArgumentParser(
        description=f"Starts {folder.name} on loopback, runs `rtclab conform` against it and ends it. What stands here not is passed on.",
        allow_abbrev=False)
    parser.add_argument("--program", type=pathlib.Path, default=os.environ.get("RTCLAB_PROGRAM") or SOURCE / ".build/release/cli/rtclab",
                        help="rtclab (default: RTCLAB_PROGRAM, else the release build)")
    parser.add_argument("--variant", action="append", choices=sorted(variants), help="only this one; may be repeated")
    parser.add_argument("--out", type=pathlib.Path, default=SOURCE / ".build/conform" / folder.name, help="where the reports go")
    parser.add_argument("--serve", action="store_true", help="start the server, say where its profile is, and wait for Ctrl-C")
    options, passed_on = parser.parse_known_args()
    try:
        needs()
    except Missing as reason:
        print(reason, file=sys.stderr)
        sys.exit(SKIPPED)
    if not options.serve and not shutil.which(options.program):
        parser.error(f"there is no {options.program}: scripts/rtclab builds it, --program names another")
    options.program = pathlib.Path(options.program).resolve()
    options.out = options.out.resolve()
    options.out.mkdir(parents=True, exist_ok=True)
    runner = Runner(folder, options, passed_on)
    worst = 0
    for name in options.variant or variants:
        if len(variants) > 1:
            print(f"-- {folder.name}, variant {name}", flush=True)
        worst = max(worst, runner.run(name, variants[name]))
        if runner.interrupted:
            worst = 3
            break
    sys.exit(worst)
