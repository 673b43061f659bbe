#!/usr/bin/env python3
"""Runs a target and reads its reports with the eyes of others: targets_test.py TARGET CONFORMANCE.schema.json

RTCLAB_PROGRAM is the program. Exits 77 where the server is not installed.
"""
import collections
import json
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import jsonschema

FOLDER = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
# What a target has to have been tried over, at least.
TRANSPORTS = {"coturn": {"udp", "tcp", "tls", "dtls"}, "p1_stun": {"udp", "tcp", "tls"}, "turn-server": {"udp", "tcp", "tls"}}
VARIANTS = {"coturn": {"longterm", "rest", "oauth"}}
SECRETS = ("looking-glass", "builders-yard", "shared-secret-of-the-lab")


def check_run(out, name, validator):
    run = json.loads((out / f"{name}.json").read_text(encoding="utf-8"))
    validator.validate(run)
    outcomes = collections.Counter(result["outcome"] for result in run["results"])
    print(name, dict(outcomes), f"{run['elapsed_ms'] / 1000:.1f} s")
    assert run["complete"], run["incomplete_why"]
    assert not outcomes["blocked"] and not outcomes["error"], outcomes
    junit = xml.etree.ElementTree.parse(out / f"{name}.xml").getroot()
    cases = junit.findall(".//testcase")
    assert len(cases) == len(run["results"]), (len(cases), len(run["results"]))
    page = (out / f"{name}.html").read_text(encoding="utf-8")
    for result in run["results"]:
        assert not result.get("flaky"), result["id"]
        if result["outcome"] == "fail":
            assert result["expectation"] == "xfail" and result["id"] in page, result["id"]
    for report in (page, (out / f"{name}.json").read_text(), (out / f"{name}.xml").read_text()):
        assert not any(secret in report for secret in SECRETS)
    return run


def main(target, schema):
    validator = jsonschema.Draft202012Validator(json.loads(pathlib.Path(schema).read_text(encoding="utf-8")))
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder)
        ran = subprocess.run([FOLDER / target / "run", "--out", out], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
        if ran.returncode == SKIPPED:
            print(ran.stdout)
            sys.exit(SKIPPED)
        assert ran.returncode == 0, f"{target} ended with {ran.returncode}\n{ran.stdout}"
        runs = {path.stem: check_run(out, path.stem, validator) for path in sorted(out.glob("*.json"))}
        assert set(runs) == VARIANTS.get(target, {"longterm"}), set(runs)
        passed = {result["transport"] for run in runs.values() for result in run["results"] if result["outcome"] == "pass"}
        assert passed >= TRANSPORTS[target], passed
        # What is listed has failed in one variant or another: nothing in the overlay is out of date. Slow cases are not run here.
        ids = {result["id"]: result for run in runs.values() for result in run["results"] if result.get("expectation")}
        known = json.loads((FOLDER / target / "expected.json").read_text(encoding="utf-8"))["expected"]
        tried = {result["id"] for run in runs.values() for result in run["results"]}
        assert set(known) & tried == set(ids), (set(known) & tried) ^ set(ids)


if __name__ == "__main__":
    main(*sys.argv[1:])
