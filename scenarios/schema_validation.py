"""Judges the published schema and every shipped suite with an independent validator (python3-jsonschema)."""

import json
import pathlib
import sys

import jsonschema

room = pathlib.Path(sys.argv[1])
schema = json.loads((room / "scenario.schema.json").read_text())
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
failures = 0

suites = sorted((room / "suites").glob("*.json"))
for file in suites:
    for error in validator.iter_errors(json.loads(file.read_text())):
        failures += 1
        print(f"{file.name}: /{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}")

# What the loader refuses by structure, the schema has to refuse too.
good = {"hosts": {"a": "internet", "b": {"network": "internet"}}}
bad = [
    {},
    [],
    {"hosts": {"a": "internet"}, "host": {}},
    {"hosts": {"a b": "internet"}},
    {"hosts": {"a": 1}},
    {**good, "networks": {"n": {"nat": "symetric"}}},
    {**good, "networks": {"n": {"nat": {"mapping": "symmetric"}}}},
    {**good, "networks": {"n": {"link": {"delay": 20}}}},
    {**good, "networks": {"n": {"link": {"delay": "20 msec"}}}},
    {**good, "networks": {"n": {"link": {"delay": "-20 ms"}}}},
    {**good, "networks": {"n": {"link": {"loss": "1"}}}},
    {**good, "networks": {"n": {"families": []}}},
    {**good, "servers": {"s": {"port": 3478}}},
    {**good, "servers": {"s": {"type": "turn", "port": 70000}}},
    {**good, "sessions": {"s": {"between": ["a"]}}},
    {**good, "sessions": {"s": {"between": ["a", "b"], "ice": {"trickle": "yes"}}}},
    {**good, "expect": {"call": {"state": "conected"}}},
    {**good, "expect": {"call": {"ice_connected": {"max": 5}}}},
    {**good, "matrix": {"cartesian": {"x": []}}},
    {**good, "seeds": []},
    {"scenarios": {}},
    {"scenarios": {"s": {"hosts": {"a": "internet"}, "wrong": 1}}},
]
good_ones = [
    good,
    {"scenarios": {"s": good}},
    {"common": good, "scenarios": {"s": {"sessions": {"call": {"ice": {"policy": "relay"}}}, "servers": None}}},
    {**good, "networks": "${networks}", "sessions": {"s": {"between": "${pair}", "start": "${t} ms"}}},
    {**good, "expect": [{"when": {"x": ["@g", 1]}, "because": "so", "call": {"checks_sent": {"equals": 5, "tolerance": "10 %"}}}]},
]
for scenario in good_ones:
    if not validator.is_valid(scenario):
        failures += 1
        print(f"refused: {json.dumps(scenario)}")
for scenario in bad:
    if validator.is_valid(scenario):
        failures += 1
        print(f"not refused: {json.dumps(scenario)}")

print(f"{len(suites)} suites, {len(bad)} bad scenarios, {failures} failures")
sys.exit(1 if failures or not suites else 0)
