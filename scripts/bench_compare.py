"""Compares two files of scripts/bench, case by case."""
import json
import sys

from bench_cases import BenchError
from bench_records import read_record

MARGIN = 0.1  # what the same program differs by between minutes on a busy machine
KEYS = {"name": str, "unit": str, "higher_is_better": bool, "value": (int, float)}


def read_cases(file):
    """{name: case} of a file; BenchError where it is none of scripts/bench."""
    record = read_record(file, "scripts/bench", "cases")
    cases = record["cases"]
    for case in cases:
        if not isinstance(case, dict) or not all(isinstance(case.get(key), kind) for key, kind in KEYS.items()):
            raise BenchError(f"{file}: a case needs {', '.join(KEYS)}")
        if case["value"] <= 0:
            raise BenchError(f"{file}: {case['name']}: the value is {case['value']}; it must be above 0")
    return record, {case["name"]: case for case in cases}


def ratio(old, new):
    """How much better the new value is: 2 is twice as fast, or half the memory."""
    return new["value"] / old["value"] if new["higher_is_better"] else old["value"] / new["value"]


def differences(old, new):
    """What else differs between two records, so that nobody takes it for the program's."""
    return [f"{key}: {json.dumps(old.get(key))} and {json.dumps(new.get(key))}"
            for key in ("machine", "kernel_set") if old.get(key) != new.get(key)]


def compare(old_file, new_file, margin):
    """Prints the ratio of each case, and returns whether any is slower by more than the margin."""
    (old_record, old), (new_record, new) = read_cases(old_file), read_cases(new_file)
    for difference in differences(old_record, new_record):
        print(f"bench: not of the same {difference}", file=sys.stderr)
    slower = 0
    print(f"{'case':<32} {'old':>10} {'new':>10} {'ratio':>7}  unit (ratio above 1: better)")
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in old or name not in new:
            print(f"{name:<32} only in {new_file if name in new else old_file}")
            continue
        better = ratio(old[name], new[name])
        is_slower = better < 1 - margin
        slower += is_slower
        print(f"{name:<32} {old[name]['value']:>10.4g} {new[name]['value']:>10.4g} {better:>7.3f}  {new[name]['unit']}"
              f"{'  SLOWER' if is_slower else ''}")
    print(f"{slower} slower by more than {100 * margin:g} %")
    return slower > 0
