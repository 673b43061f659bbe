#!/usr/bin/env python3
"""The commands from the outside: exit codes, files, streams, signals, terminals.

The program under test (RTCLAB_PROGRAM) has a stand-in for the simulator, see fake_main.cc.
"""
import contextlib
import json
import os
import pathlib
import pty
import random
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest
import xml.etree.ElementTree

import jsonschema

PROGRAM = os.environ["RTCLAB_PROGRAM"]
SCENARIO = {"hosts": {"alice": {}, "bob": {}}, "sessions": {"call": {"between": ["alice", "bob"]}}}
MATRIX = {
    "networks": {"left": {"nat": "${left}"}, "right": {"nat": "${right}"}},
    "hosts": {"alice": "left", "bob": "right"},
    "sessions": {"call": {"between": ["alice", "bob"]}},
    "matrix": {"cartesian": {"left": ["none", "symmetric"], "right": ["none", "full-cone"]}},
}
CALL = {"hosts": {"alice": {}, "bob": {}},
        "sessions": {"call": {"between": ["alice", "bob"], "data": {"amount": "4 kB"}}}}


class CliTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.write("one.json", SCENARIO)
        self.write("matrix.json", MATRIX)

    def write(self, name, document):
        (self.folder / name).write_text(json.dumps(document))

    def rtclab(self, *arguments, expect=0, **more):
        ran = subprocess.run([PROGRAM, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=60, **more)
        self.assertEqual(ran.returncode, expect, f"{arguments}\n{ran.stdout}\n{ran.stderr}")
        return ran

    def results(self, out):
        return json.loads((self.folder / out / "results.json").read_text())

    def bytes(self, out):
        return (self.folder / out / "results.json").read_bytes()


class RunTest(CliTest):
    def test_writes_valid_results_and_says_where(self):
        ran = self.rtclab("run", "one.json")
        self.assertIn("results: results/runs/one/results.json", ran.stdout)
        with open(os.environ["RTCLAB_SCHEMA"], encoding="utf-8") as file:
            jsonschema.Draft202012Validator(json.load(file)).validate(self.results("results/runs/one"))
        self.assertEqual((self.folder / "results/runs/one/scenario/one.json").read_text(), json.dumps(SCENARIO))

    def test_calls_have_a_line_each_and_a_time_series(self):
        self.write("call.json", CALL)
        ran = self.rtclab("run", "call.json", "--seeds", "1..2", "--out", "o")
        self.assertIn("\n                  data Mbit/s\n"
                      "call              ->       <-\n"
                      "seed=1         4.000        -\n"
                      "seed=2         4.000        -\n\n", ran.stdout)
        lines = [json.loads(line) for line in (self.folder / "o/series.jsonl").read_text().splitlines()]
        schema = json.loads(self.rtclab("schema", "series").stdout)
        for line in lines:
            jsonschema.Draft202012Validator(schema).validate(line)
        self.assertEqual([line["time_ms"] for line in lines], [100.0, 200.0, 300.0] * 2)
        self.assertNotIn("data Mbit/s", self.rtclab("run", "one.json").stdout)

    def test_exit_codes(self):
        self.rtclab("run", "one.json", "--seed", "1", expect=0)
        self.rtclab("run", "one.json", "--seed", "15", expect=1)
        self.rtclab("run", "one.json", "--seed", "13", expect=3)
        self.rtclab("run", "one.json", "--seeds", "13,15", expect=3)
        self.rtclab("run", "one.json", "--filter", "nothing-like-it", expect=2)
        self.rtclab("run", "missing.json", expect=2)
        (self.folder / "bad.json").write_text("{")
        self.rtclab("run", "bad.json", expect=2)
        self.rtclab("run", "one.json", "bad.json", expect=2)
        self.assertFalse((self.folder / "results/runs/bad").exists())

    def test_crash_hang_and_memory_are_verdicts(self):
        ran = self.rtclab("run", "one.json", "--seeds", "10..17", "--timeout", "2", "--memory", "300", "--out", "o", expect=3)
        verdicts = {run["seed"]: run for run in self.results("o")["runs"]}
        self.assertEqual(verdicts[13]["error"], "crashed: SIGABRT")
        self.assertEqual(verdicts[14]["error"], "timed out after 2 s")
        self.assertEqual(verdicts[15]["verdict"], "fail")
        self.assertEqual(verdicts[16]["verdict"], "error")
        self.assertEqual([s for s, run in verdicts.items() if run["verdict"] == "pass"], [10, 11, 12, 17])
        self.assertIn("CHECK failed: thirteen", ran.stdout)
        self.assertNotIn(b"thirteen", self.bytes("o"))

    def test_same_bytes_with_any_jobs(self):
        for jobs in ("1", "2", "8"):
            self.rtclab("run", "one.json", "--seeds", "1..13,15,17..60", "--jobs", jobs, "--out", jobs, expect=3)
        self.assertEqual(self.bytes("1"), self.bytes("2"))
        self.assertEqual(self.bytes("1"), self.bytes("8"))

    def test_shards_are_the_whole(self):
        self.rtclab("run", "one.json", "--seeds", "20..30", "--out", "all")
        ids = []
        for part in ("1/3", "2/3", "3/3"):
            self.rtclab("run", "one.json", "--seeds", "20..30", "--shard", part, "--out", "part")
            ids += [run["id"] for run in self.results("part")["runs"]]
        self.assertEqual(sorted(ids), sorted(run["id"] for run in self.results("all")["runs"]))

    def test_junit_and_captures(self):
        self.rtclab("run", "one.json", "--seeds", "1..3", "--junit", "junit.xml", "--pcap", "--out", "o")
        suite = xml.etree.ElementTree.parse(self.folder / "junit.xml").getroot().find("testsuite")
        self.assertEqual(suite.get("tests"), "3")
        self.assertEqual(len(list((self.folder / "o/pcap").glob("*.pcapng"))), 3)

    def test_junit_never_replaces_what_is_no_file(self):
        for name, target in (("null", "/dev/null"), ("out", "/dev/stdout")):
            (self.folder / name).symlink_to(target)
            ran = self.rtclab("run", "one.json", "--junit", name)
            self.assertTrue((self.folder / name).is_symlink())
            self.assertEqual("<testsuite" in ran.stdout, name == "out")
        with open(self.folder / "log", "w", encoding="utf-8") as log:
            subprocess.run([PROGRAM, "run", "one.json", "--junit", "out"], cwd=self.folder, stdout=log, check=True)
        said = (self.folder / "log").read_text()
        self.assertIn("<testsuite", said)
        self.assertIn("1 run: 1 passed", said)
        said = self.rtclab("run", "one.json", "--junit", "one.json", expect=2).stderr
        self.assertIn("one.json: is one of the scenario files", said)
        self.assertEqual(json.loads((self.folder / "one.json").read_text()), SCENARIO)

    def test_closed_streams_do_not_reach_the_results(self):
        self.rtclab("run", "one.json", "--seeds", "1..5,15", "--out", "open", expect=1)
        for closed in (">&-", "2>&-", "<&-", "<&- >&- 2>&-"):
            command = f'exec "$0" run one.json --seeds 1..5,15 --out closed {closed}'
            ran = subprocess.run(["sh", "-c", command, PROGRAM], cwd=self.folder, capture_output=True, timeout=60)
            self.assertEqual(ran.returncode, 1, (closed, ran))
            self.assertEqual(self.bytes("closed"), self.bytes("open"), closed)
            journal = (self.folder / "closed/journal.jsonl").read_text().splitlines()
            self.assertEqual([json.loads(line).get("seed") for line in journal][0], None)
            self.assertEqual(len(journal), 7, closed)

    def test_a_pipe_is_a_file_that_is_read_once(self):
        text = json.dumps(SCENARIO)
        ran = subprocess.run([PROGRAM, "run", "/dev/stdin", "--out", "o"], cwd=self.folder, input=text, capture_output=True, text=True,
                             timeout=60)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertEqual((self.folder / "o/scenario/stdin.json").read_text(), text)
        self.rtclab("explain", "stdin", "--in", "o")

    def test_several_files_are_one_suite(self):
        self.rtclab("run", "one.json", "matrix.json", "--out", "o")
        document = self.results("o")
        self.assertEqual(document["suite"], "one+matrix")
        self.assertEqual(document["summary"], {"runs": 5, "passed": 5, "failed": 0, "errors": 0})
        self.assertEqual([run["scenario"] for run in document["runs"]], ["one"] + ["matrix"] * 4)

    def test_shows_the_matrix(self):
        self.assertIn("left \\ right", self.rtclab("run", "matrix.json").stdout)

    def test_unwritable_directories(self):
        (self.folder / "file").write_text("")
        self.assertIn("file/o: cannot make it", self.rtclab("run", "one.json", "--out", "file/o", expect=2).stderr)
        full = self.rtclab("run", "one.json", "--out", "o", "--junit", "/dev/full/x", expect=2)
        self.assertIn("/dev/full/x", full.stderr)


class ResumeTest(CliTest):
    def test_interrupted_and_resumed_is_the_same_to_the_byte(self):
        arguments = ["run", "one.json", "--seeds", "100..240", "--jobs", "2", "--out"]
        self.rtclab(*arguments, "whole")
        seed = 7
        chance = random.Random(seed)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            wait = chance.uniform(0.1, 0.7)
            shutil.rmtree(self.folder / "cut", ignore_errors=True)
            with self.subTest(seed=seed, number=number, wait=wait):
                program = subprocess.Popen([PROGRAM, *arguments, "cut"], cwd=self.folder,
                                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
                while not (self.folder / "cut/journal.jsonl").exists():
                    time.sleep(0.01)
                time.sleep(wait)
                program.send_signal(number)
                said = program.communicate(timeout=30)[0]
                self.assertEqual(program.returncode, 128 + number)
                self.assertIn("--resume goes on", said)
                partial = self.results("cut")
                self.assertFalse(partial["complete"])
                self.assertEqual(partial["summary"]["runs"], len(partial["runs"]))
                self.rtclab(*arguments, "cut", "--resume")
                self.assertEqual(self.bytes("cut"), self.bytes("whole"))

    def test_another_scenario_is_refused(self):
        self.rtclab("run", "one.json", "--out", "o")
        self.write("one.json", {**SCENARIO, "description": "changed"})
        self.assertIn("cannot resume", self.rtclab("run", "one.json", "--out", "o", "--resume", expect=2).stderr)

    def test_no_child_outlives_a_killed_parent(self):
        program = subprocess.Popen([PROGRAM, "run", "one.json", "--seed", "14", "--out", "o"], cwd=self.folder,
                                   stderr=subprocess.DEVNULL)
        children = pathlib.Path(f"/proc/{program.pid}/task/{program.pid}/children")
        pids = []
        for _ in range(200):
            pids = children.read_text().split()
            if pids:
                break
            time.sleep(0.02)
        self.assertTrue(pids)
        program.kill()
        program.wait()
        for _ in range(100):
            states = [self.state_of(pid) for pid in pids]
            if all(state in "ZX" for state in states):
                return
            time.sleep(0.05)
        self.fail(f"still there: {pids} {states}")

    @staticmethod
    def state_of(pid):
        try:
            return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return "X"


class ExplainTest(CliTest):
    def test_finds_the_run_by_a_part_of_its_id(self):
        self.rtclab("run", "matrix.json", "--seed", "5")
        ids = [run["id"] for run in self.results("results/runs/matrix")["runs"]]
        wanted = next(name for name in ids if "symmetric" in name and "full-cone" in name)
        for arguments in ([wanted], [wanted[3:], "--in", "results/runs/matrix"], [wanted, "matrix.json", "--seed", "5"]):
            said = self.rtclab("explain", *arguments).stdout
            self.assertIn("gathered host 192.0.2.1:4000", said)
            self.assertIn("->", said)
            self.assertIn("The direct pair worked.", said)
            self.assertNotIn("Note:", said)

    def test_unknown_and_ambiguous_ids(self):
        self.rtclab("run", "matrix.json")
        ids = [run["id"] for run in self.results("results/runs/matrix")["runs"]]
        slip = ids[0].replace("a", "e", 1)
        self.assertIn(f'the nearest is "{ids[0]}"', self.rtclab("explain", slip, expect=2).stderr)
        self.assertIn("is part of 4 ids", self.rtclab("explain", "matrix", expect=2).stderr)

    def test_without_results_it_says_what_to_do(self):
        self.assertIn("--in DIR", self.rtclab("explain", "x", expect=2).stderr)
        self.assertIn("o/results.json: cannot open", self.rtclab("explain", "x", "--in", "o", expect=2).stderr)

    def test_damaged_results_are_named(self):
        self.rtclab("run", "one.json", "--out", "o")
        path = self.folder / "o/results.json"
        path.write_text(path.read_text().replace('"verdict":"pass"', '"verdict":"good"'))
        said = self.rtclab("explain", "one", "--in", "o", expect=2).stderr
        self.assertIn("o/results.json: /runs/0/verdict: expected pass, fail or error", said)

    def test_another_build_is_told(self):
        self.rtclab("run", "one.json", "--out", "o")
        path = self.folder / "o/results.json"
        path.write_text(path.read_text().replace("The direct pair worked.", "It was luck."))
        self.assertIn("Note: results.json has another outcome", self.rtclab("explain", "one", "--in", "o").stdout)

    def test_a_run_that_crashes_says_so(self):
        self.rtclab("run", "one.json", "--seed", "13", "--out", "o", expect=3)
        said = self.rtclab("explain", "one", "--in", "o", expect=3).stderr
        self.assertIn("crashed: SIGABRT", said)
        self.assertIn("CHECK failed: thirteen", said)
        self.assertNotIn("\x1b", said)


    def test_a_call_has_its_phases_tables_and_rates(self):
        self.write("call.json", CALL)
        said = self.rtclab("explain", "call", "call.json").stdout
        self.assertTrue(said.endswith("""
  Set-up, virtual ms
               |0                 |50                 |100               |150                    start      end  took ms
  alice  DTLS                                         #######################################    100.0    200.0    100.0
  bob    DTLS                                         #######################################    100.0    200.0    100.0

  Data channels
  direction     label  sent  received  bytes  took ms  Mbit/s  intact
  alice -> bob  data      4         4   4000      8.0   4.000  yes

  Over time
  alice -> bob, 0.0 to 0.3 s
    sent      -+#  mean 2.000, max 3.000 Mbit/s
    received  -+#  mean 2.000, max 3.000 Mbit/s
"""), said)


class UsageTest(CliTest):
    def test_help_everywhere(self):
        for command in ("run", "explain", "check", "list", "presets", "schema", "conform", "load", "serve", "peer-echo", "version"):
            self.assertIn(command, self.rtclab("--help").stdout)
            said = self.rtclab(command, "--help").stdout
            self.assertTrue(command == "version" or "Example" in said, said)
            self.assertLess(max(len(line) for line in said.splitlines()), 140)
        self.assertIn("128 + N ended by signal N", self.rtclab("run", "--help").stdout)
        self.assertIn("Examples:", self.rtclab(expect=2).stderr)

    def test_slips_get_the_nearest_name(self):
        self.assertIn('there is no command "rnu"; did you mean "run"?', self.rtclab("rnu", "one.json", expect=2).stderr)
        self.assertIn("to run a scenario file: rtclab run one.json", self.rtclab("one.json", expect=2).stderr)
        said = self.rtclab("run", "one.json", "--job", "3", expect=2).stderr
        self.assertIn('rtclab run has no option --job; did you mean "--jobs"?', said)
        self.assertIn('did you mean "--filter"?', self.rtclab("list", "one.json", "--filte=x", expect=2).stderr)

    def test_wrong_values(self):
        for arguments in (["--jobs", "0"], ["--jobs", "x"], ["--shard", "3/2"], ["--seeds", "5..1"], ["--seed", "1..3"],
                          ["--seed", "1", "--seeds", "2"], ["--timeout", "-1"], ["--out"]):
            ran = self.rtclab("run", "one.json", *arguments, expect=2)
            self.assertIn(arguments[0], ran.stderr)
            self.assertIn("rtclab: ", ran.stderr)
            self.assertEqual(ran.stdout, "")
        self.assertFalse((self.folder / "results").exists())

    def test_a_limit_below_zero_is_wrong(self):
        for value in ("-3", "x", "1.5"):
            self.assertIn("--limit", self.rtclab("explain", "one", "one.json", "--limit", value, expect=2).stderr)
        self.assertIn("1 more event\n", self.rtclab("explain", "one", "one.json", "--limit", "1").stdout)
        self.assertNotIn("more event", self.rtclab("explain", "one", "one.json", "--limit", "0").stdout)

    def test_version(self):
        self.assertRegex(self.rtclab("version").stdout, r"^rtclab \d+\.\d+\.\d+\+\S+\n$")
        self.assertEqual(self.rtclab("--version").stdout, self.rtclab("version").stdout)


class ListingTest(CliTest):
    def test_list_selects_as_run_does(self):
        lines = self.rtclab("list", "matrix.json").stdout.splitlines()
        self.assertEqual(len(lines), 4)
        run_id, parameters, seed = lines[3].split("\t")
        self.assertEqual(json.loads(parameters), {"left": "symmetric", "right": "full-cone"})
        self.assertEqual(seed, "1")
        self.assertEqual(len(self.rtclab("list", "matrix.json", "--filter", "symmetric").stdout.splitlines()), 2)
        self.assertEqual(len(self.rtclab("list", "one.json", "--seeds", "1..9", "--shard", "2/2").stdout.splitlines()), 4)

    def test_check(self):
        self.assertIn("one.json: ok, 1 run", self.rtclab("check", "one.json").stdout)
        self.write("wrong.json", {**SCENARIO, "networks": {"home": {"nat": "symetric"}}})
        said = self.rtclab("check", "one.json", "wrong.json", expect=2)
        self.assertRegex(said.stderr, r"wrong.json:1:\d+: /networks/home/nat.*symmetric")

    def test_presets(self):
        document = json.loads(self.rtclab("presets", "--json").stdout)
        self.assertEqual(list(document), ["nat", "firewall", "link"])
        for kind, rows in document.items():
            text = self.rtclab("presets", kind).stdout
            for row in rows:
                self.assertTrue(row["source"], row)
                self.assertIn(row["name"], text)

    def test_schemas(self):
        for which in ("scenario", "results", "series", "conformance", "target", "load"):
            schema = json.loads(self.rtclab("schema", which).stdout)
            jsonschema.validators.validator_for(schema).check_schema(schema)


class TerminalTest(CliTest):
    def on_terminal(self, *arguments, environment=None):
        """Runs with standard output and error on a terminal; returns what it showed."""
        master, slave = pty.openpty()
        env = {**os.environ, "TERM": "xterm", **(environment or {})}
        program = subprocess.Popen([PROGRAM, *arguments], cwd=self.folder, stdout=slave, stderr=slave, env=env)
        os.close(slave)
        shown = b""
        with contextlib.suppress(OSError):  # the other end closed
            while select.select([master], [], [], 30)[0]:
                chunk = os.read(master, 65536)
                if not chunk:
                    break
                shown += chunk
        os.close(master)
        program.wait(timeout=30)
        return shown.decode()

    def test_bar_and_colour_on_a_terminal_only(self):
        shown = self.on_terminal("run", "one.json", "--seeds", "100..120")
        self.assertIn("\r[", shown)
        self.assertIn("\x1b[32m21 passed", shown)
        piped = self.rtclab("run", "one.json", "--seeds", "100..130")
        for stream in (piped.stdout, piped.stderr):
            self.assertNotIn("\x1b", stream)
            self.assertNotIn("\r", stream)
        self.assertIn("31 runs: 31 passed, 0 failed, 0 errors", piped.stdout)

    def test_no_color_is_honoured(self):
        shown = self.on_terminal("run", "one.json", environment={"NO_COLOR": "1"})
        self.assertNotIn("\x1b[3", shown)

    def test_blocks_on_a_terminal_that_shows_utf8_only(self):
        self.write("call.json", CALL)
        for locale, bar in (("C.UTF-8", "\u2588\u2588\u2588"), ("C", "###")):
            shown = self.on_terminal("explain", "call", "call.json", environment={"LC_ALL": locale})
            self.assertIn(bar, shown)
            self.assertEqual(shown.isascii(), locale == "C")
        piped = self.rtclab("explain", "call", "call.json", env={**os.environ, "LC_ALL": "C.UTF-8"})
        self.assertTrue(piped.stdout.isascii())

    def test_a_narrow_terminal_gets_narrow_lines(self):
        self.write("call.json", CALL)
        narrow = {**os.environ, "COLUMNS": "40"}
        for name in ("one", "call"):
            said = self.rtclab("explain", name, f"{name}.json", env=narrow).stdout
            self.assertLessEqual(max(len(line) for line in said.splitlines()), 40, said)
        self.assertIn("left \\ right", self.rtclab("run", "matrix.json", env=narrow).stdout)

    def test_a_reader_that_goes_away_loses_nothing(self):
        program = subprocess.Popen([PROGRAM, "run", "one.json", "--seeds", "100..110", "--out", "o"], cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        program.stdout.close()
        self.assertEqual(program.wait(timeout=30), 0)
        self.assertEqual(self.results("o")["summary"]["passed"], 11)
        program = subprocess.Popen([PROGRAM, "list", "one.json", "--seeds", "1..20000"], cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        program.stdout.read(10)
        program.stdout.close()
        self.assertEqual(program.stderr.read(), b"")
        self.assertEqual(program.wait(timeout=30), 0)
        program.stderr.close()


class StunServer(threading.Thread):
    """Answers Binding requests on loopback, and nothing else."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                request, (host, port) = self.socket.recvfrom(2000)
            except OSError:
                return
            if len(request) < 20 or request[:2] != b"\x00\x01" or request[4:8] != b"\x21\x12\xa4\x42":
                continue
            value = struct.pack(">BBH4s", 0, 1, port ^ 0x2112,
                                bytes(a ^ b for a, b in zip(socket.inet_aton(host), request[4:8])))
            self.socket.sendto(b"\x01\x01\x00\x0c" + request[4:20] + b"\x00\x20\x00\x08" + value, (host, port))


class ConformTest(CliTest):
    def setUp(self):
        super().setUp()
        self.server = StunServer()
        self.addCleanup(self.server.socket.close)
        self.uri = f"127.0.0.1:{self.server.port}"
        self.write("target.json", {"uris": [f"turn:{self.uri}?transport=udp"], "answer_timeout_ms": 200,
                                   "user": {"username": "alice", "password": "hunter2"}})

    def test_lists_the_cases(self):
        said = self.rtclab("conform", "--list", "--only", "stun.hdr.*").stdout
        self.assertIn("stun.hdr.top-bits", said)
        self.assertNotIn("turn.alloc", said)

    def test_wrong_usage(self):
        for arguments, reason in (([], "expected the URI"), (["http://x"], "turn:, turns:, stun: or stuns:"),
                                  (["stun:" + self.uri, "--only", "nothing*"], "no case is selected"),
                                  (["stun:" + self.uri, "--user", "a"], "--user needs --password"),
                                  (["stun:" + self.uri, "--probe", "x"], "--probe"),
                                  (["--target", "missing.json"], "missing.json"),
                                  (["stun:" + self.uri, "--json", "no/such/folder/x.json"], "no/such/folder")):
            self.assertIn(reason, self.rtclab("conform", *arguments, expect=2).stderr)

    def test_judges_a_server_and_reports(self):
        files = ["--json", "r.json", "--junit", "r.xml", "--html", "r.html"]
        ran = self.rtclab("conform", "stun:" + self.uri, "--only", "stun.hdr.resp-*", *files)
        self.assertIn("passed", ran.stdout)
        report = json.loads((self.folder / "r.json").read_text())
        self.assertTrue(report["complete"])
        self.assertEqual({r["outcome"] for r in report["results"]}, {"pass"})
        xml.etree.ElementTree.parse(self.folder / "r.xml")
        self.assertIn("<html", (self.folder / "r.html").read_text())
        quiet = self.rtclab("conform", "stun:" + self.uri, "--only", "stun.hdr.resp-*", "--quiet")
        self.assertEqual(quiet.stdout + quiet.stderr, "")

    def test_a_server_that_is_not_usable_is_an_incomplete_run_without_secrets_in_it(self):
        said = self.rtclab("conform", "--target", "target.json", "--json", "r.json", expect=3)
        self.assertIn('does not allocate for user "alice"', said.stdout)
        text = (self.folder / "r.json").read_text()
        self.assertFalse(json.loads(text)["complete"])
        self.assertNotIn("hunter2", text + said.stdout + said.stderr)

    def test_peer_echo_listens_until_it_is_stopped(self):
        self.assertIn("--token", self.rtclab("peer-echo", "127.0.0.1:0", "--allow", "127.0.0.1", expect=2).stderr)
        program = subprocess.Popen([PROGRAM, "peer-echo", "127.0.0.1:0", "--allow", "127.0.0.1", "--token", "t"],
                                   stdout=subprocess.PIPE, text=True)
        self.assertIn("listening on 127.0.0.1:", program.stdout.readline())
        program.send_signal(signal.SIGINT)
        self.assertEqual(program.wait(timeout=10), 0)
        program.stdout.close()


class LoadTest(CliTest):
    """`rtclab load` against `rtclab serve turn`, over loopback."""

    def setUp(self):
        super().setUp()
        self.server = subprocess.Popen([PROGRAM, "serve", "turn", "--listen", "127.0.0.1:0", "--user", "alice:hunter2",
                                        "--allow-loopback-peers"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop_server)
        self.uri = "turn:" + self.server.stdout.readline().split()[-1]
        while self.server.stdout.readline() != "ready\n":
            pass

    def stop_server(self):
        self.server.send_signal(signal.SIGTERM)
        said = self.server.communicate(timeout=10)[0]
        self.assertEqual(self.server.returncode, 0)
        return said

    def load(self, *arguments, **more):
        return self.rtclab("load", self.uri, "--user", "alice", *arguments, **more,
                           env={**os.environ, "RTCLAB_PASSWORD": "hunter2"})

    def report(self):
        schema = json.loads(self.rtclab("schema", "load").stdout)
        text = (self.folder / "load.json").read_text()
        self.assertNotIn("hunter2", text)
        report = json.loads(text)
        jsonschema.Draft202012Validator(schema).validate(report)
        return report

    def test_a_rate_is_held_and_reported(self):
        ran = self.load("--clients", "4", "--rate", "2000", "--direction", "both", "--step", "0.5", "--pid",
                        str(self.server.pid), "--json", "load.json")
        report = self.report()
        self.assertTrue(report["complete"])
        self.assertEqual((report["allocations"]["made"], report["released"], report["knee"]), (4, 4, None))
        step = report["steps"][0]
        self.assertEqual(step["received"], step["sent"])
        self.assertGreaterEqual(step["server_cpu_us_per_packet"], 0)
        self.assertIn("us CPU a packet", ran.stdout)
        self.assertEqual(ran.stderr, "")  # the live line is for terminals

    def test_a_ramp_that_meets_no_limit_has_no_knee(self):
        ran = self.load("--ramp", "--factor", "2", "--rate", "200", "--max-rate", "800", "--step", "0.2", "--max-p99", "5000",
                  "--peers", "relay", "--json", "load.json")
        report = self.report()
        self.assertEqual([step["wanted_packets_per_s"] for step in report["steps"]], [200, 400, 800])
        self.assertEqual((report["knee"], report["ended"]), (None, "the highest rate was reached"))
        self.assertEqual(report["no_knee"], {"up_to_packets_per_s": 800, "why": "the highest rate was reached"})
        self.assertIn("no knee was found up to 800 packets/s: the highest rate was reached", ran.stdout)

    def test_ctrl_c_gives_the_allocations_back(self):
        program = subprocess.Popen([PROGRAM, "load", self.uri, "--user", "alice", "--password", "hunter2", "--step", "60",
                                    "--clients", "5", "--json", "load.json"], cwd=self.folder, stdout=subprocess.PIPE, text=True)
        time.sleep(1)
        program.send_signal(signal.SIGINT)
        self.assertIn("interrupted; 5 allocations released", program.communicate(timeout=10)[0])
        self.assertEqual(program.returncode, 3)
        report = self.report()
        self.assertFalse(report["complete"])
        self.assertEqual((report["ended"], report["released"]), ("interrupted", 5))

    def test_refused_and_unreachable_are_incomplete(self):
        said = self.rtclab("load", self.uri, "--user", "alice", "--password", "wrong", "--json", "load.json", expect=3)
        self.assertIn("no allocation succeeded: 401", said.stdout)
        self.assertEqual(self.report()["allocations"]["failed"], 10)
        self.assertIn("refused", self.rtclab("load", "turn:127.0.0.1:1?transport=tcp", expect=3).stdout)

    def test_wrong_usage_says_what_to_do(self):
        for arguments, reason in ((["--pid", "999999999"], "no such process"), (["--clients", "0"], "--clients"),
                                  (["--peers", "relay", "--clients", "3"], "even number"),
                                  (["--peers", "relay", "--direction", "both"], "--peers local"),
                                  (["--ramp", "--rate", "10", "--max-rate", "5"], "lower --rate"),
                                  (["--max-packets", "0"], "--max-packets"), (["--password-file", "none"], "none"),
                                  (["--rate", "nan"], "--rate: Value nan not in range 1 to"),
                                  (["--max-loss", "-nan"], "--max-loss"), (["--max-time", "inf"], "--max-time"),
                                  (["--json", "no/such/folder/x.json"], "no/such/folder")):
            self.assertIn(reason, self.load(*arguments, expect=2).stderr)
        self.assertIn("expected a turn: or turns: URI", self.rtclab("load", "stun:127.0.0.1", expect=2).stderr)
        self.assertIn("--user needs", self.rtclab("load", self.uri, "--user", "a", expect=2).stderr)


if __name__ == "__main__":
    unittest.main()
