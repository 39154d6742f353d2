"""Measuring in turns, and the JSON files that what was measured is kept in."""
import json
import os
import sys

from bench_cases import BenchError


def measured(teller, wanted, programs, turns, seconds):
    """{case: [value of each turn]} of [(network, name, function of one turn)]; all take a turn before any takes the
    next."""
    values = {}
    for turn in range(turns):
        for _, name, measure in wanted:
            print(f"{teller}: turn {turn + 1} of {turns}: {name}", file=sys.stderr, flush=True)
            for case, value in measure(programs, seconds).items():
                values.setdefault(case, []).append(value)
    return values


def write_record(file, measure):
    """Writes what `measure` gives, as JSON. The file is opened first: minutes of measuring must not end in a wrong
    path. Where measuring fails, an older file stays as it was and a new one does not stay."""
    is_new = not os.path.exists(file)
    try:
        out = open(file, "a", encoding="utf-8")
    except OSError as error:
        raise BenchError(f"{file}: {error.strerror}") from None
    try:
        with out:
            text = json.dumps(measure(), indent=1) + "\n"
            out.truncate(0)
            out.write(text)
    except BaseException:
        if is_new:
            os.remove(file)
        raise


def read_record(file, script, part):
    """The object in a file that `script` wrote, which has a list called `part`; BenchError where it has not."""
    try:
        with open(file, encoding="utf-8") as text:
            record = json.load(text)
    except OSError as error:
        raise BenchError(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise BenchError(f"{file}: not JSON: {error}") from None
    if not isinstance(record, dict) or not isinstance(record.get(part), list):
        raise BenchError(f"{file}: no file that {script} -o wrote: it has no list of {part}")
    return record
