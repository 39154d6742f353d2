import json
import pathlib
import subprocess
import tempfile
import time
import unittest
from unittest import mock

from fixtures import BUILD, load_script, run_script

from bench_cases import BenchError

transport = load_script("bench_transport")

LISTENS = "echo listening on 127.0.0.1:1 >&2; echo 10 clients, 0 of 40 rounds are done >&2"


class ScriptTest(unittest.TestCase):
    def test_a_case_is_a_line_of_json_and_nothing_else(self):
        done = run_script("bench_transport", "--only", "client executable", "--build", BUILD)
        self.assertEqual((done.returncode, done.stderr, done.stdout.count("\n")), (0, "", 1))
        told = json.loads(done.stdout)
        self.assertEqual(list(told), ["case", "client_mb", "must_mb"])
        self.assertEqual(told["case"], "client executable")
        self.assertGreater(told["client_mb"], 0)

    def test_the_large_rounds_come_first(self):
        self.assertEqual(list(transport.CASES)[:2], ["10x6.5MB plain", "10x6.5MB tls"])

    def test_mistakes_are_said_without_a_traceback(self):
        done = run_script("bench_transport", "--only", "nothing", "--build", BUILD)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"\Abench_transport: no case begins so; there are 10x6.5MB plain, .*\n\Z")
        done = run_script("bench_transport", "--only", "10x6.5MB plain", "--build", "/nowhere")
        self.assertEqual((done.returncode, done.stderr),
                         (2, "bench_transport: /nowhere/server/anybit-server: No such file or directory; scripts/test "
                             "builds what is missing\n"))
        done = run_script("bench_transport", "--only", "client executable", "--build", "/nowhere")
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"\Abench_transport: strip failed \(1\): .*\n\Z")


class WaitingTest(unittest.TestCase):
    """Programs that are scripts of the shell, which do not what they should."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.begun = []  # processes
        begin = subprocess.Popen

        def note(*words, **options):
            self.begun.append(begin(*words, **options))
            return self.begun[-1]
        for where, name, stand_in in ((transport, "PATIENCE", 0.5), (transport.subprocess, "Popen", note)):
            patch = mock.patch.object(where, name, stand_in)
            patch.start()
            self.addCleanup(patch.stop)

    def add(self, program, text):
        path = self.folder / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def expect(self, case, message, processes):
        begin = time.monotonic()
        with self.assertRaisesRegex(BenchError, message):
            case(self.folder, self.folder)
        self.assertLess(time.monotonic() - begin, 30)
        self.assertEqual(len(self.begun), processes)
        for process in self.begun:
            self.assertIsNotNone(process.returncode, process.args)

    def test_a_server_that_does_not_listen(self):
        self.add("server/anybit-server", "exec sleep 60")
        self.expect(transport.large_rounds, "^anybit-server takes longer than 0.5 s: $", 1)

    def test_a_server_that_fails(self):
        self.add("server/anybit-server", "echo no luck >&2; exit 1")
        self.expect(transport.large_rounds, "^anybit-server failed: no luck$", 1)

    def test_peers_that_are_silent_fail_or_stay(self):
        self.add("server/anybit-server", f"{LISTENS}; exec sleep 60")
        self.add("tests/bench/bench_peers", "exec sleep 60")
        self.expect(transport.large_rounds, "^bench_peers takes longer than 0.5 s$", 2)
        self.begun.clear()
        self.add("tests/bench/bench_peers", "exit 1")
        self.expect(transport.large_rounds, "^bench_peers failed; its words stand above$", 2)
        self.begun.clear()
        self.add("tests/bench/bench_peers", "echo '{}'; exec sleep 60")
        self.expect(transport.large_rounds, "^bench_peers does not end$", 2)

    def test_a_server_that_stays(self):
        self.add("server/anybit-server", f"{LISTENS}; exec sleep 60")
        self.add("tests/bench/bench_peers", "echo '{}'")
        self.expect(transport.large_rounds, "^anybit-server does not end: listening on ", 2)

    def test_a_client_that_fails_at_the_end(self):
        self.add("server/anybit-server", f"{LISTENS}; mkdir run; echo >run/metrics.jsonl; exec sleep 0.2")
        self.add("client/anybit-client", "exit 3")
        self.expect(transport.first_round, r"^anybit-client 0 failed \(3\); its words stand above$", 11)


if __name__ == "__main__":
    unittest.main()
