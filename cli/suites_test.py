#!/usr/bin/env python3
"""The shipped suites on the real program: every expectation holds, one seed gives the same bytes, others can read them.

RTCLAB_PROGRAM is the program, RTCLAB_SOURCE the top of the source tree.
"""
import filecmp
import json
import os
import pathlib
import random
import subprocess
import tempfile
import unittest

import jsonschema

PROGRAM = os.environ["RTCLAB_PROGRAM"]
SOURCE = pathlib.Path(os.environ["RTCLAB_SOURCE"])
SUITES = sorted((SOURCE / "scenarios" / "suites").glob("*.json"))
# Suites whose runs are long: here only these of their runs. The optimised program runs all of them (.ci/run).
SHORTENED = {"rmcat": "controller=gcc,delay=50-ms"}
SCHEMA = json.loads((SOURCE / "results" / "results.schema.json").read_text())
SERIES_SCHEMA = json.loads((SOURCE / "results" / "series.schema.json").read_text())


def repeated(suite):
    """The suite, as tests take it that run it several times."""
    return [suite, "--filter", SHORTENED[suite.stem]] if suite.stem in SHORTENED else [suite]


def rtclab(*args, status=0, columns=100):
    done = subprocess.run([PROGRAM, *map(str, args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=400, env={**os.environ, "COLUMNS": str(columns)})
    assert done.returncode == status, f"{args} ended with {done.returncode}, expected {status}:\n{done.stdout[-4000:]}"
    return done.stdout


class SuitesTest(unittest.TestCase):
    def setUp(self):
        self.work = tempfile.TemporaryDirectory()
        self.addCleanup(self.work.cleanup)
        self.out = pathlib.Path(self.work.name)

    def results(self, name):
        return json.loads((self.out / name / "results.json").read_text())

    def test_every_expectation_holds_and_the_results_fit_their_schema(self):
        self.assertGreaterEqual(len(SUITES), 8)
        for suite in SUITES:
            with self.subTest(suite=suite.stem):
                runs = repeated(suite)
                rtclab("run", *runs, "--timeout", 300, "--out", self.out / suite.stem, "--junit", self.out / f"{suite.stem}.xml")
                results = self.results(suite.stem)
                jsonschema.validate(results, SCHEMA)
                self.assertEqual(results["summary"]["passed"], results["summary"]["runs"])
                self.assertTrue((self.out / f"{suite.stem}.xml").read_text().startswith("<?xml"))
                self.check_series(self.out / suite.stem, results)

    def check_series(self, out, results):
        """Every line fits its schema; runs with peer connections have some, in the order of results.json and of time."""
        calls = [run["id"] for run in results["runs"] if any("phases" in session for session in run["sessions"])]
        self.assertEqual((out / "series.jsonl").exists(), bool(calls))
        if not calls:
            return
        validator = jsonschema.Draft202012Validator(SERIES_SCHEMA)
        last, order = {}, []
        with open(out / "series.jsonl", encoding="utf-8") as file:
            for number, text in enumerate(file):
                line = json.loads(text)
                # The validator takes a millisecond a line: every one of the first hundred, then samples.
                if number < 100 or number % 97 == 0:
                    validator.validate(line)
                if not order or order[-1] != line["run"]:
                    order.append(line["run"])
                flow = (line["run"], line["session"], line["from"])
                self.assertAlmostEqual(line["time_ms"] - last.get(flow, 0), line["interval_ms"], delta=0.002)
                last[flow] = line["time_ms"]
        self.assertEqual(order, [run for run in calls if run in set(order)])

    def test_the_same_bytes_whatever_the_parallelism_and_the_order(self):
        for suite in SUITES:
            with self.subTest(suite=suite.stem):
                one, many, parts = (self.out / f"{suite.stem}-{kind}" for kind in ("one", "many", "parts"))
                rtclab("run", *repeated(suite), "--out", one, "--jobs", 1, "--pcap")
                rtclab("run", *repeated(suite), "--out", many, "--jobs", 3, "--pcap")
                self.assertEqual((one / "results.json").read_bytes(), (many / "results.json").read_bytes())
                names = sorted(p.name for p in (one / "pcap").iterdir())
                self.assertEqual(names, sorted(p.name for p in (many / "pcap").iterdir()))
                _, mismatch, errors = filecmp.cmpfiles(one / "pcap", many / "pcap", names, shallow=False)
                self.assertEqual((mismatch, errors), ([], []))
                # Another order: a run on its own gives the same as in its suite.
                runs = {run["id"]: run for run in self.results(one.name)["runs"]}
                for run_id in random.Random(1).sample(sorted(runs), min(3, len(runs))):
                    rtclab("run", suite, "--out", parts, "--filter", run_id)
                    alone = {run["id"]: run for run in self.results(parts.name)["runs"]}
                    self.assertEqual(alone[run_id], runs[run_id])

    def test_wireshark_reads_the_captures(self):
        # It takes the ciphertext behind an SRTCP packet's first header (RFC 3711 section 3.4) for further RTCP packets.
        for suite in SUITES:
            with self.subTest(suite=suite.stem):
                out = self.out / suite.stem
                shard = [] if suite.stem in SHORTENED else ["--shard", "1/4"]
                rtclab("run", *repeated(suite), "--out", out, "--pcap", *shard)
                captures = sorted((out / "pcap").glob("*.pcapng")) if (out / "pcap").exists() else []
                for capture in captures[:2]:
                    done = subprocess.run(["tshark", "-r", capture, "-Y", "_ws.malformed && !srtcp", "-o", "ip.check_checksum:TRUE"],
                                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertEqual(done.stdout, "")

    def test_a_capture_of_a_call_decrypts_by_itself(self):
        scenario = self.out / "secret.json"
        scenario.write_text(json.dumps({"hosts": {"alice": "internet", "bob": "internet"},
                                        "sessions": {"call": {"between": ["alice", "bob"], "data": {"amount": "20 kB"}}}}))
        rtclab("run", scenario, "--out", self.out / "secret", "--pcap")
        capture, = (self.out / "secret" / "pcap").glob("*.pcapng")
        said = subprocess.run(["tshark", "-r", capture, "-d", "dtls.port==1-65535,data", "-Y", "data.data", "-T", "fields",
                               "-e", "ip.src", "-e", "data.data"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(said.returncode, 0, said.stderr)
        lines = [line.split("\t") for line in said.stdout.splitlines()]
        self.assertEqual(len({host for host, _ in lines}), 2)
        # SCTP with WebRTC's ports (RFC 9260 section 3): all chunk types of a set-up and a transfer.
        packets = [bytes.fromhex(data) for _, datas in lines for data in datas.split(",")]
        self.assertEqual({packet[:4] for packet in packets}, {bytes.fromhex("13881388")})
        self.assertTrue({1, 2, 10, 11, 3} <= {packet[12] for packet in packets})

    def test_explain_tells_why_a_relay_was_needed(self):
        suite = SOURCE / "scenarios" / "suites" / "nat-matrix.json"
        out = self.out / "matrix"
        rtclab("run", suite, "--out", out, "--filter", "left=symmetric,right=port-restricted-cone")
        story = rtclab("explain", "left=symmetric,right=port-restricted-cone", "--in", out)
        self.assertIn("nat.filter.address-and-port-dependent", story)
        self.assertIn("Relayed", story)

    def test_the_readme_shows_what_is_printed(self):
        suites = SOURCE / "scenarios" / "suites"
        run = "nat-matrix/left=symmetric,right=port-restricted-cone/seed=1"
        said = (rtclab("run", suites / "nat-matrix.json", "--out", self.out / "m", columns=120)
                + rtclab("explain", run, suites / "nat-matrix.json", columns=120)
                + rtclab("explain", "call/nat-reboot", suites / "call.json", columns=100)).splitlines()
        blocks = (SOURCE / "README.md").read_text().split("```")[1::2]
        for start in ("left \\ right", "        ms   alice", "  Set-up, virtual ms"):
            block = next(block for block in blocks if block.startswith("\n" + start))
            for line in block.splitlines():
                if line.strip() not in ("", "...") and " runs: " not in line:
                    self.assertIn(line, said, "README.md shows what is printed no longer")

    def test_explain_shows_the_phases_of_a_call(self):
        scenario = self.out / "short.json"
        scenario.write_text(json.dumps({
            "networks": {"home": {"nat": "port-restricted-cone"}, "cafe": {"nat": "restricted-cone"}},
            "hosts": {"alice": "home", "bob": "cafe"},
            "sessions": {"call": {"between": ["alice", "bob"], "media": {"duration": "2 s"}, "data": {"amount": "20 kB"}}},
            "expect": {"call": {"state": "connected", "messages_intact": True}}}))
        out = self.out / "short"
        said = rtclab("run", scenario, "--out", out)
        self.assertIn("total Mbit/s     queue p95 ms        freezes        data Mbit/s", said)
        self.assertLessEqual(max(map(len, said.splitlines())), 100 + len(str(self.out)))
        story = rtclab("explain", "short", "--in", out)
        phases = json.loads((out / "results.json").read_text())["runs"][0]["sessions"][0]["phases"]
        self.assertEqual([phase["name"] for phase in phases],
                         ["gathering", "checks", "dtls", "sctp", "data_channels", "first_frame"] * 2)
        for line in ("DTLS ClientHello", "first video frame", "  Set-up, virtual ms\n", "  Media\n", "  Paths\n",
                     "  Data channels\n", "  Over time\n  alice -> bob, "):
            self.assertIn(line, story)
        self.assertRegex(story, r"(?m)^  alice  gathering +#+ +0\.0 ")
        self.assertRegex(story, r"(?m)^ +DTLS +#+ ")
        self.assertNotIn("Note:", story)
        self.assertLessEqual(max(map(len, story.splitlines())), 100)


if __name__ == "__main__":
    unittest.main()
