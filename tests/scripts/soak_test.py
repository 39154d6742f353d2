import contextlib
import io
import subprocess
import tempfile
import types
import unittest
from unittest import mock

from fixtures import BUILD, load_script

from bench_cases import BenchError

soak = load_script("soak")


class PartsTest(unittest.TestCase):
    """What it runs, for which words; kills themselves are tests of their own (scripts.soak_METHOD)."""

    def run_soak(self, *words, clang="/usr/bin/clang++", fuzz_code=0, failures=0):
        """(exit code, [what was run], what was printed)."""
        parts = []

        def note_soak(_, method, kills, seed):
            parts.append((method, kills, seed))
            return failures

        def note_command(command, check):
            self.assertFalse(check)
            parts.append([str(command[0].relative_to(soak.bench_cases.ROOT)), *command[1:]])
            return types.SimpleNamespace(returncode=fuzz_code)

        out = io.StringIO()
        with mock.patch.object(soak, "soak", note_soak), mock.patch.object(soak.subprocess, "run", note_command), \
                mock.patch.object(soak.shutil, "which", lambda _: clang), \
                contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            return soak.main([*words, "--build", BUILD]), parts, out.getvalue()

    def test_all_of_it(self):
        self.assertEqual(self.run_soak(), (0, [("fedavg", 100, 1), ("stateful", 100, 1),
                                               ["scripts/fuzz", "--seconds", "60"]], ""))

    def test_no_fuzz_without_clang_or_where_it_is_not_wanted(self):
        code, parts, said = self.run_soak("--kills", "3", clang=None)
        self.assertEqual((code, parts), (0, [("fedavg", 3, 1), ("stateful", 3, 1)]))
        self.assertEqual(said, "fuzzing is skipped: no clang++ (scripts/packages --install fuzz installs it)\n")
        self.assertEqual(self.run_soak("--no-fuzz"), (0, [("fedavg", 100, 1), ("stateful", 100, 1)], ""))
        self.assertEqual(self.run_soak("--method", "stateful", "--seed", "7"), (0, [("stateful", 100, 7)], ""))

    def test_a_failure_of_each_part_is_told_by_the_exit_code(self):
        self.assertEqual(self.run_soak("--no-fuzz", failures=1)[0], 1)
        self.assertEqual(self.run_soak(fuzz_code=1)[0], 1)
        code, _, said = self.run_soak(fuzz_code=2)
        self.assertEqual((code, said), (2, "soak: scripts/fuzz failed (2); its words stand above\n"))


class EndTest(unittest.TestCase):
    """A federation whose processes are sleeping shells, or such as end at once."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.federation = soak.Federation(soak.pathlib.Path(BUILD), "fedavg", folder.name)
        self.addCleanup(self.federation.stop)
        (self.federation.folder / "run").mkdir()
        (self.federation.folder / "run" / "model.ckpt").write_bytes(b"model")
        for name, value in (("PATIENCE", 5), ("AFTER_THE_END", 0.1)):
            patch = mock.patch.object(soak, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def start(self, *clients):
        self.federation.server = subprocess.Popen(["true"])
        self.federation.clients = {number: subprocess.Popen(command) for number, command in enumerate(clients)}

    def test_a_client_that_does_not_end_is_a_failure(self):
        self.start(["true"], ["sleep", "60"])
        with self.assertRaisesRegex(BenchError, "^client 1 does not end; what was said: "):
            self.federation.end()

    def test_but_one_that_was_killed_may_find_nobody(self):
        self.start(["true"], ["sleep", "60"])
        self.federation.victim = 1
        self.assertEqual(len(self.federation.end()), 64)
        self.assertIsNotNone(self.federation.clients[1].poll())
        self.start(["sleep", "60"], ["true"])
        with self.assertRaisesRegex(BenchError, "^client 0 does not end"):
            self.federation.end()

    def test_a_process_that_fails_is_a_failure(self):
        self.start(["true"], ["false"])
        with self.assertRaisesRegex(BenchError, "^client 1 ended with 1; "):
            self.federation.end()


if __name__ == "__main__":
    unittest.main()
