"""What the scripts' tests share: running a script, and folders of runs that were never run."""
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import subprocess
import sys

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
BUILD = os.environ.get("ANYBIT_BUILD", str(SCRIPTS.parent / "build" / "release"))
sys.path.insert(0, str(SCRIPTS))


def run_script(name, *arguments, **options):
    command = [SCRIPTS / name, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def load_script(name):
    """A script without .py as a module."""
    loader = importlib.machinery.SourceFileLoader(name, str(SCRIPTS / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def skip_all(file, reason):
    """Says that nothing of a file was tested, as GoogleTest does, which is what scripts/test_summary.py reads."""
    print(f"{pathlib.Path(file).name}: Skipped\n{reason}\n[  SKIPPED ]")


def point(weights, value, activations=32, range_="minmax", granularity="tensor", **ends):
    """A point of accuracy; `ends`: first and last, where it has them."""
    return {"weights": weights, "activations": activations, "range": range_, "granularity": granularity, **ends,
            "value": value}


def write_run(folder, rounds, method="fedavg", planned=None):
    """A run's folder of which only the evaluations matter: {round: [point, ...]}; `planned` rounds, if it says so."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scenario.toml").write_text(f'[training]\nmethod = {{ name = "{method}" }}\n'
                                         + (f"[federation]\nrounds = {planned}\n" if planned else ""))
    lines = [json.dumps({"round": number, "clients": 10, **({"accuracy": points} if points else {})})
             for number, points in rounds.items()]
    (folder / "metrics.jsonl").write_text("".join(line + "\n" for line in lines))
    return folder
