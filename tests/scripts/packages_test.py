import os
import pathlib
import shutil
import tempfile
import unittest

from fixtures import run_script

DPKG_QUERY = '#!/usr/bin/env bash\n[ "$3" = {missing} ] && exit 1\nprintf installed\n'
RECORDER = '#!/usr/bin/env bash\necho "{name} $*" >>"$RECORD"\n{then}\n'


class PackagesTest(unittest.TestCase):
    """scripts/packages on a machine made of stand-ins: what it asks apt for is written down, not done."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.programs = pathlib.Path(folder.name)
        self.record = self.programs / "record"
        for program in ("bash", "env", "sed"):
            (self.programs / program).symlink_to(shutil.which(program))

    def add(self, name, text):
        (self.programs / name).write_text(text)
        (self.programs / name).chmod(0o755)

    def install(self, missing, user, sudo=False):
        self.add("dpkg-query", DPKG_QUERY.format(missing=missing))
        self.add("apt-get", RECORDER.format(name="apt-get", then=""))
        self.add("id", f"#!/usr/bin/env bash\necho {user}\n")
        if sudo:
            self.add("sudo", RECORDER.format(name="sudo", then='"$@"'))
        done = run_script("packages", "--install", "program",
                          env={**os.environ, "PATH": str(self.programs), "RECORD": str(self.record)})
        return done, self.record.read_text().splitlines() if self.record.exists() else []

    def test_the_list_of_the_tests_holds_the_programs(self):
        program = run_script("packages", "program").stdout.split()
        tests = run_script("packages", "tests").stdout.split()
        self.assertEqual(tests[:len(program)], program)
        self.assertIn("g++", program)
        self.assertIn("libgtest-dev", tests)
        self.assertNotIn("libgtest-dev", program)
        bench = run_script("packages", "bench").stdout.split()
        self.assertEqual(bench, [*tests, "python3-torch", "libopenblas0-pthread"])

    def test_fuzzing_needs_clang_besides(self):
        tests = run_script("packages", "tests").stdout.split()
        fuzz = run_script("packages", "fuzz").stdout.split()
        self.assertEqual(fuzz, [*tests, "clang-14", "libclang-rt-14-dev", "libomp-14-dev"])

    def test_another_processor_needs_its_compiler_besides(self):
        tests = run_script("packages", "tests").stdout.split()
        cross = run_script("packages", "cross").stdout.split()
        self.assertEqual(cross, [*tests, "g++-aarch64-linux-gnu", "qemu-user-static"])

    def test_nothing_missing_is_one_line_and_no_apt(self):
        done, calls = self.install(missing="none", user=1000)
        self.assertEqual((done.returncode, calls), (0, []))
        self.assertRegex(done.stdout, r"\Apackages: all \d+ are installed\n\Z")

    def test_root_installs_what_is_missing(self):
        done, calls = self.install(missing="cmake", user=0)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("installing 1 that are missing: cmake\n", done.stdout)
        self.assertEqual(calls, ["apt-get update -qq", "apt-get install -qq -y --no-install-recommends cmake"])

    def test_others_install_through_sudo(self):
        done, calls = self.install(missing="cmake", user=1000, sudo=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(calls[:2], ["sudo apt-get update -qq", "apt-get update -qq"])
        self.assertEqual(calls[-1], "apt-get install -qq -y --no-install-recommends cmake")

    def test_without_sudo_one_error_gives_the_command(self):
        done, calls = self.install(missing="cmake", user=1000)
        self.assertEqual((done.returncode, calls), (1, []))
        self.assertIn("apt-get update && apt-get install --no-install-recommends cmake\n", done.stderr)


if __name__ == "__main__":
    unittest.main()
