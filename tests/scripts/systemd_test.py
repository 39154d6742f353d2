"""The units in scripts/systemd: their programs' options exist, both are as hard, and systemd takes them."""
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from fixtures import SCRIPTS, skip_all

UNITS = {"anybit-server.service": "server/server_options.cpp", "anybit-client@.service": "client/client_options.cpp"}
EXPOSURE = "20"  # tenths of what systemd calls exposure, at most; 100 is all that can be
BY_UNIT = ("RestrictAddressFamilies=",)  # what may differ


def read(unit):
    return (SCRIPTS / "systemd" / unit).read_text()


def hardening(unit):
    lines = read(unit).partition("NoNewPrivileges=")[2].partition("[Install]")[0].splitlines()
    return [line for line in lines if line and not line.startswith(("#", *BY_UNIT))]


class UnitsTest(unittest.TestCase):
    def test_each_option_is_one_of_the_program(self):
        for unit, source in UNITS.items():
            command = re.search(r"^ExecStart=((?:.*\\\n)*.*)", read(unit), re.MULTILINE).group(1)
            options = re.findall(r"(--[a-z-]+)", command)
            self.assertGreater(len(options), 2)
            known = (SCRIPTS.parent / source).read_text()
            for option in options:
                self.assertIn(f'"{option}"', known, unit)

    def test_both_are_as_hard(self):
        server, client = (hardening(unit) for unit in UNITS)
        self.assertGreater(len(server), 20)
        self.assertEqual(server, client)

    def test_what_is_kept_has_a_folder_of_its_own(self):
        for unit, folder, state in (("anybit-server.service", "anybit-server", "%S/anybit-server/run"),
                                    ("anybit-client@.service", "anybit-client-%i", "%S/anybit-client-%i")):
            lines = read(unit).splitlines()
            for line in (f"StateDirectory={folder}", "StateDirectoryMode=0700", f"WorkingDirectory=%S/{folder}"):
                self.assertIn(line, lines, unit)
            self.assertIn(f" --state {state} ", read(unit))

    def test_keys_are_handed_over_and_never_named(self):
        for unit in UNITS:
            self.assertRegex(read(unit), r"(?m)^LoadCredential=(server|client)\.key:/etc/anybit/")
            self.assertNotRegex(read(unit), r"(?m)^Exec.*/etc/anybit/.*\.key")


class SystemdTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for unit in UNITS:
            text = re.sub(r"/usr/local/bin/anybit-\w+", shutil.which("true"), read(unit))
            (self.folder / unit).write_text(text)

    def analyze(self, *words):
        return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)

    def test_systemd_finds_no_mistake(self):
        for unit in ("anybit-server.service", "anybit-client@2.service"):
            done = self.analyze("verify", "--man=no", self.folder / unit)
            self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""), unit)

    def test_little_is_exposed(self):
        for unit in UNITS:
            done = self.analyze("security", "--offline=yes", f"--threshold={EXPOSURE}", self.folder / unit)
            self.assertEqual(done.returncode, 0, done.stdout[-300:] + done.stderr)


if __name__ == "__main__":
    if shutil.which("systemd-analyze") is None:
        del SystemdTest
        skip_all(__file__, "machine: no systemd-analyze")
    unittest.main()
