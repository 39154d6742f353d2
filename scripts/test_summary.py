#!/usr/bin/python3
"""Sums up a test run: which tests were skipped and why, and as the last line N passed, N failed, N skipped.

Reads what ctest --output-junit wrote and the list of skips that are known. A skip for a reason that is not on the
list counts as failed: the test must be mended, or the reason accepted by a line of its own.
"""
import argparse
import fnmatch
import re
import sys
import xml.etree.ElementTree as xml

KINDS = ("machine", "accepted")
TITLES = {
    "machine": "Skipped, because this machine lacks something",
    "accepted": "Skipped, as accepted in the list",
    "new": "Skipped for a reason that the list does not have: this counts as failed",
}
GTEST_REASON = re.compile(r": Skipped\n(.*?)\n*\[  SKIPPED \]", re.DOTALL)


class ListError(Exception):
    pass


def known_skips(file):
    """(kind, test pattern, reason pattern) of each line."""
    rules = []
    with open(file, encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip() or line.startswith("#"):
                continue
            parts = [part.strip() for part in line.split("|", 2)]
            if len(parts) != 3 or parts[0] not in KINDS or not all(parts):
                raise ListError(f"{file}:{number}: a line is KIND | TEST | REASON, KIND one of {', '.join(KINDS)}")
            rules.append(parts)
    return rules


def kind_of(test, reason, rules):
    for kind, test_pattern, reason_pattern in rules:
        if fnmatch.fnmatchcase(test, test_pattern) and fnmatch.fnmatchcase(reason, reason_pattern):
            return kind
    return "new"


def skip_reason(case):
    if case.get("status") == "disabled":
        return "disabled in the source"
    match = GTEST_REASON.search(case.findtext("system-out", ""))
    reason = " ".join(match.group(1).split()) if match else ""
    return reason or "no reason given"


def was_skipped(case):
    skipped = case.find("skipped")
    return case.get("status") == "disabled" or (skipped is not None and "SKIP_" in skipped.get("message", ""))


def read_results(file):
    """(passed, failed, {test: reason of the skip})."""
    passed, failed, skipped = [], [], {}
    for case in xml.parse(file).getroot().iter("testcase"):
        if was_skipped(case):
            skipped[case.get("name")] = skip_reason(case)
        else:
            (passed if case.get("status") == "run" else failed).append(case.get("name"))
    return passed, failed, skipped


def print_skips(title, skips):
    print(f"{title} ({len(skips)}):")
    for reason in sorted(set(skips.values())):
        tests = sorted(test for test, why in skips.items() if why == reason)
        print(f"  {reason}")
        print("\n".join(f"    {test}" for test in tests))


def main(arguments):
    parser = argparse.ArgumentParser(prog="test_summary.py", description=__doc__)
    parser.add_argument("results", help="what ctest --output-junit wrote")
    parser.add_argument("known", help="the list of skips that are known")
    options = parser.parse_args(arguments)
    try:
        rules = known_skips(options.known)
        passed, failed, skipped = read_results(options.results)
    except OSError as error:
        print(f"test_summary.py: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    except (ListError, xml.ParseError) as error:
        print(f"test_summary.py: {error}", file=sys.stderr)
        return 1
    by_kind = {kind: {} for kind in TITLES}
    for test, reason in skipped.items():
        by_kind[kind_of(test, reason, rules)][test] = reason
    for kind, skips in by_kind.items():
        if skips:
            print_skips(TITLES[kind], skips)
    if failed:
        print(f"Failed ({len(failed)}):")
        print("\n".join(f"  {test}" for test in sorted(failed)))
    unexplained = len(by_kind["new"])
    bad = len(failed) + unexplained
    print(f"{len(passed)} passed, {bad} failed, {len(skipped) - unexplained} skipped")
    return 0 if passed and not bad else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
