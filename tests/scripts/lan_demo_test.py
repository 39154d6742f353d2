import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

from fixtures import BUILD, SCRIPTS, run_script

QUICK = ["--build", BUILD, "--set", "data.examples=10", "--set", "data.clients=2", "--set", "federation.cohort=2",
         "--set", "federation.rounds=1", "--set", "evaluate.final.weights=[32]", "--set", "evaluate.final.range=minmax"]
PATIENCE = 60  # seconds
LAST_WORDS = "the same command goes on from there"


class LanDemoTest(unittest.TestCase):
    """A federation of real processes, on the built-in data and in a folder that has no other."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.environment = {name: value for name, value in os.environ.items() if name != "ANYBIT_DATA"}

    def run_demo(self, *words):
        return run_script("lan_demo", *words, cwd=self.folder, env=self.environment, timeout=PATIENCE)

    def start_demo(self, *words):
        """In a process group of its own, as a terminal's is."""
        demo = subprocess.Popen([SCRIPTS / "lan_demo", *words], cwd=self.folder, env=self.environment,
                                start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(demo.stdout.close)
        self.addCleanup(self.kill_group, demo.pid)
        return demo

    @staticmethod
    def kill_group(group):
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def left_of(self, group):
        """What still runs of a group, once it had a moment to end."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                os.killpg(group, 0)
            except ProcessLookupError:
                return ""
            time.sleep(0.02)
        return subprocess.run(["ps", "-o", "pid,args", "-g", str(group)], capture_output=True, text=True,
                              check=False).stdout

    def test_from_start_to_model_where_it_is_typed(self):
        demo = self.start_demo("--out", "here", *QUICK)
        said, _ = demo.communicate(timeout=PATIENCE)
        self.assertEqual(demo.returncode, 0, said)
        self.assertIn("2 clients, 2 of them a round, 0 of 1 rounds are done", said)
        self.assertIn("replay: anybit-sim replay here/run ", said)
        self.assertTrue((self.folder / "here/run/model.ckpt").is_file())
        for client in (0, 1):
            self.assertIn("the run is over", (self.folder / f"here/logs/client-{client}.txt").read_text())
        self.assertEqual(self.left_of(demo.pid), "")

    def test_stopped_it_leaves_nobody_and_a_new_one_has_its_own_port_and_clients(self):
        demo = self.start_demo(*QUICK, "--set", "federation.rounds=100000")
        metrics = self.folder / "runs/lan_demo/run/metrics.jsonl"
        end = time.monotonic() + PATIENCE
        while not (metrics.is_file() and metrics.read_bytes().count(b"\n")) and time.monotonic() < end:
            time.sleep(0.02)
        os.killpg(demo.pid, signal.SIGINT)
        said, _ = demo.communicate(timeout=PATIENCE)
        self.assertEqual(demo.returncode, 130, said)
        self.assertEqual(self.left_of(demo.pid), "")
        for told in (said, (self.folder / "runs/lan_demo/logs/server.txt").read_text()):
            self.assertIn(LAST_WORDS, told)
        again = self.run_demo(*QUICK, "--set", "data.clients=3", "--force")
        self.assertEqual(again.returncode, 0, again.stderr)
        logs = {log.name: log.read_text() for log in (self.folder / "runs/lan_demo/logs").iterdir()}
        self.assertEqual(sorted(logs), ["client-0.txt", "client-1.txt", "client-2.txt", "server.txt"])
        self.assertEqual(len(re.findall("^listening on ", logs["server.txt"], re.MULTILINE)), 1)

    def test_a_run_that_is_over_starts_no_clients(self):
        self.assertEqual(self.run_demo(*QUICK).returncode, 0)
        demo = self.start_demo(*QUICK)
        while not (line := demo.stdout.readline()).startswith("listening on ") and line:
            if "the run is finished" in line:
                finished = line
        time.sleep(0.3)
        os.killpg(demo.pid, signal.SIGINT)  # or the server would stay for those who come late
        demo.communicate(timeout=PATIENCE)
        self.assertIn("its model is runs/lan_demo/run/model.ckpt", finished)
        self.assertEqual([log.name for log in (self.folder / "runs/lan_demo/logs").iterdir()], ["server.txt"])

    def test_programs_that_are_not_there(self):
        done = self.run_demo("--build", self.folder)
        self.assertEqual((done.returncode, done.stderr),
                         (1, f"scripts/lan_demo: --build {self.folder}: the programs are not there\n"))
        self.assertEqual(self.run_demo("--out").stderr, "scripts/lan_demo: --out needs a folder\n")

    def test_a_scenario_is_looked_for_where_it_is_typed(self):
        done = self.run_demo("mine.toml", "--build", BUILD)
        self.assertEqual(done.returncode, 1)
        self.assertIn("mine.toml", done.stderr)
        (self.folder / "mine.toml").write_text("name = 1\n")
        self.assertIn("mine.toml:1: ", self.run_demo("mine.toml", "--build", BUILD).stderr)


if __name__ == "__main__":
    unittest.main()
