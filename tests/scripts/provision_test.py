import pathlib
import re
import shutil
import stat
import subprocess
import tempfile
import unittest

from fixtures import run_script, skip_all


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def fingerprint(certificate):
    line = openssl("x509", "-in", certificate, "-noout", "-fingerprint", "-sha256")
    return line.strip().split("=")[1].replace(":", "").lower()


class ProvisionTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name) / "certificates"

    def provision(self, *arguments):
        done = run_script("provision", self.dir, *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""), arguments)
        return done.stdout

    def refusal(self, *arguments):
        """The one line that says what to do."""
        done = run_script("provision", self.dir, *arguments)
        self.assertEqual((done.returncode, done.stdout), (1, ""), arguments)
        self.assertRegex(done.stderr, r"\Ascripts/provision: [^\n]+\n\Z")
        return done.stderr.removeprefix("scripts/provision: ").strip().replace(str(self.dir), "DIR")

    def start(self, clients="0-1"):
        self.provision("ca")
        self.provision("server", "server.lan", "192.168.1.5", "fd00::1")
        return self.provision("client", clients)

    def allowed(self):
        lines = (self.dir / "server" / "allowed").read_text().splitlines()
        return [tuple(line.split()) for line in lines if not line.startswith("#")]

    def rows(self):
        """[name, state, until, fingerprint] of each line."""
        rows = [line.split() for line in self.provision("list").splitlines()[1:] if not line.startswith("next: ")]
        return [[row[0], " ".join(row[1:-2]), *row[-2:]] for row in rows]

    def states(self):
        return {name: state for name, state, *_ in self.rows()}

    def verify(self, purpose, certificate, ca=None):
        return openssl("verify", "-purpose", purpose, "-CAfile", ca or self.dir / "ca" / "ca.crt",
                       certificate).strip().endswith("OK")

    def test_each_step_names_the_next(self):
        self.assertTrue(self.provision("ca").endswith(
            f"next: scripts/provision {self.dir} server NAME-OR-ADDRESS...\n"))
        self.assertTrue(self.provision("server", "server.lan").endswith(
            f"next: scripts/provision {self.dir} client 0\n"))
        self.assertTrue(self.provision("client", "7").endswith(f"next: scp -r {self.dir}/client-7 USER@MACHINE:\n"))

    def test_a_machine_gets_one_folder(self):
        self.start()
        for name, file, purpose in (("server", "server", "sslserver"), ("client-1", "client", "sslclient")):
            folder = self.dir / name
            self.assertLessEqual({"ca.crt", f"{file}.crt", f"{file}.key"}, {path.name for path in folder.iterdir()})
            self.assertTrue(self.verify(purpose, folder / f"{file}.crt", folder / "ca.crt"))
            key = openssl("pkey", "-in", folder / f"{file}.key", "-pubout")
            self.assertEqual(key, openssl("x509", "-in", folder / f"{file}.crt", "-noout", "-pubkey"))
            self.assertIn("NIST CURVE: P-256", openssl("pkey", "-in", folder / f"{file}.key", "-noout", "-text"))

    def test_certificates_say_who_and_for_what(self):
        self.start()
        client = self.dir / "client-1" / "client.crt"
        self.assertEqual(openssl("x509", "-in", client, "-noout", "-subject").strip(), "subject=CN = client-1")
        self.assertFalse(self.verify("sslserver", client))
        server = self.dir / "server" / "server.crt"
        self.assertFalse(self.verify("sslclient", server))
        self.assertIn("DNS:server.lan, IP Address:192.168.1.5, IP Address:FD00:0:0:0:0:0:0:1",
                      openssl("x509", "-in", server, "-noout", "-ext", "subjectAltName"))
        self.assertIn("CA:TRUE, pathlen:0", openssl("x509", "-in", self.dir / "ca" / "ca.crt", "-noout", "-text"))

    def test_keys_are_for_their_owner_alone(self):
        self.start()
        keys = sorted(self.dir.glob("**/*.key"))
        self.assertEqual(len(keys), 4)
        for key in keys:
            self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600, key)
        self.assertEqual(stat.S_IMODE(self.dir.stat().st_mode), 0o700)

    def test_clients_are_on_the_allow_list(self):
        self.start("0-2")
        self.assertEqual(self.allowed(), [(f"client-{k}", fingerprint(self.dir / f"client-{k}" / "client.crt"))
                                          for k in range(3)])

    def test_nothing_is_overwritten(self):
        self.start()
        before = {path: path.read_bytes() for path in self.dir.glob("**/*.*") if path.is_file()}
        self.assertEqual(self.refusal("ca"), "DIR has a CA already; for a new certificate of it type: "
                                             "scripts/provision DIR renew ca")
        self.assertTrue(self.refusal("server", "other.lan").startswith("DIR has a server already; type: "))
        self.assertTrue(self.refusal("client", "2", "1").startswith("client-1 is there already; type: "))
        self.assertEqual({path: path.read_bytes() for path in before}, before)
        self.assertFalse((self.dir / "client-2").exists())

    def test_renewing_keeps_the_key_and_lets_both_certificates_in(self):
        self.start()
        folder = self.dir / "client-1"
        key, old = (folder / "client.key").read_bytes(), fingerprint(folder / "client.crt")
        self.assertIn(f"then: scripts/provision {self.dir} revoke 1 --old", self.provision("renew", "client-1"))
        new = fingerprint(folder / "client.crt")
        self.assertNotEqual(old, new)
        self.assertEqual((folder / "client.key").read_bytes(), key)
        self.assertEqual(self.allowed()[1:], [("client-1", old), ("client-1", new)])
        self.assertEqual([fingerprint(path) for path in (self.dir / "replaced").iterdir()], [old])
        self.provision("revoke", "1", "--old")
        self.assertEqual(self.allowed()[1:], [("client-1", new)])
        self.assertTrue(folder.exists())

    def test_renewing_with_a_new_key_keeps_the_old_one_aside(self):
        self.start()
        folder = self.dir / "client-0"
        old = (folder / "client.key").read_bytes()
        self.provision("renew", "0", "--new-key")
        self.assertNotEqual((folder / "client.key").read_bytes(), old)
        self.assertEqual([path.read_bytes() for path in (self.dir / "replaced").glob("*.key")], [old])
        self.assertEqual(openssl("pkey", "-in", folder / "client.key", "-pubout"),
                         openssl("x509", "-in", folder / "client.crt", "-noout", "-pubkey"))

    def test_a_renewed_server_keeps_its_names_or_gets_others(self):
        self.start()
        names = ("x509", "-in", self.dir / "server" / "server.crt", "-noout", "-ext", "subjectAltName")
        before = openssl(*names)
        self.provision("renew", "server")
        self.assertEqual(openssl(*names), before)
        self.provision("renew", "server", "other.lan")
        self.assertEqual(openssl(*names).split("\n")[1].strip(), "DNS:other.lan")

    def test_a_renewed_ca_goes_on_with_its_certificates(self):
        self.start()
        before = (self.dir / "ca" / "ca.crt").read_bytes()
        self.provision("renew", "ca", "--days", "4000")
        self.assertNotEqual((self.dir / "ca" / "ca.crt").read_bytes(), before)
        folder = self.dir / "client-0"
        self.assertTrue(self.verify("sslclient", folder / "client.crt", folder / "ca.crt"))
        self.assertEqual((self.dir / "server" / "ca.crt").read_bytes(), (self.dir / "ca" / "ca.crt").read_bytes())
        self.provision("client", "2", "--days", "3990")

    def test_revoked_clients_leave_the_list_and_a_record(self):
        self.start()
        gone = fingerprint(self.dir / "client-0" / "client.crt")
        stays = self.allowed()[1:]
        self.provision("revoke", "0")
        self.assertEqual(self.allowed(), stays)
        self.assertFalse((self.dir / "client-0").exists())
        self.assertEqual(self.states()["client-0"], "revoked")
        record = (self.dir / "record").read_text()
        self.assertRegex(record, rf"\d{{4}}-\d\d-\d\dT[\d:]+Z made client-0 {gone}\n")
        self.assertRegex(record, rf"\d{{4}}-\d\d-\d\dT[\d:]+Z revoked client-0 {gone}")
        self.provision("client", "0")
        self.assertEqual([name for name, _ in self.allowed()], ["client-1", "client-0"])
        self.assertNotEqual(self.allowed()[1][1], gone)

    def test_the_list_says_how_each_stands(self):
        self.start()
        self.provision("client", "10", "--days", "5")
        allowed = self.dir / "server" / "allowed"
        allowed.write_text("".join(line for line in allowed.read_text().splitlines(True) if "client-1 " not in line))
        self.assertEqual(self.states(), {"ca": "good", "server": "good", "client-0": "good", "client-1": "not allowed",
                                         "client-10": "ends soon"})

    def test_the_list_has_older_certificates_that_are_still_let_in(self):
        self.start()
        old = fingerprint(self.dir / "client-0" / "client.crt")
        self.assertNotIn("next:", self.provision("list"))
        self.provision("renew", "0")
        new = fingerprint(self.dir / "client-0" / "client.crt")
        until = self.rows()[2][2]
        self.assertEqual([row for row in self.rows() if row[0] == "client-0"],
                         [["client-0", "good", until, new], ["client-0", "still let in", until, old]])
        self.assertIn(f"\nnext: scripts/provision {self.dir} revoke 0 --old ", self.provision("list"))
        self.provision("revoke", "0", "--old")
        self.assertEqual([row[:2] for row in self.rows() if row[0] == "client-0"], [["client-0", "good"]])
        self.assertNotIn("next:", self.provision("list"))

    def test_a_damaged_certificate_is_said_once(self):
        self.start()
        path = self.dir / "client-1" / "client.crt"
        listed = fingerprint(path)
        path.write_text("garbage")
        self.assertEqual([row for row in self.rows() if row[0] == "client-1"],
                         [["client-1", "damaged", "-", "-"], ["client-1", "still let in", "-", listed]])
        self.assertNotIn("next:", self.provision("list"))
        for arguments in (("renew", "1"), ("revoke", "1", "--old")):
            self.assertEqual(self.refusal(*arguments), "DIR/client-1/client.crt is damaged: copy it back from its "
                                                       "machine, or revoke it and make another")
        self.provision("revoke", "1")
        self.assertEqual(self.rows()[-1], ["client-1", "revoked", "-", "-"])

    def test_how_long_they_hold(self):
        self.start()
        for path, days in (("ca/ca.crt", 3650), ("server/server.crt", 730), ("client-0/client.crt", 730)):
            for seconds, expected in ((days * 86400 - 3600, "will not"), (days * 86400 + 3600, "will expire")):
                self.assertIn(expected, openssl("x509", "-in", self.dir / path, "-noout", "-checkend", seconds))
        self.assertRegex(self.refusal("client", "5", "--days", "3651"),
                         r"the CA ends on [\d-]+: give fewer --days than 3651, or type: scripts/provision DIR renew ca")
        self.assertEqual(list(self.dir.glob(".work*")), [])

    def test_what_is_missing_is_named_with_the_command_that_makes_it(self):
        self.assertEqual(self.refusal("list"), "there is no folder DIR; type: scripts/provision DIR ca")
        self.dir.mkdir()
        for arguments in (("server", "a"), ("client", "0"), ("renew", "ca"), ("list",)):
            self.assertEqual(self.refusal(*arguments), "there is no CA in DIR yet; type: scripts/provision DIR ca")
        self.provision("ca")
        self.assertEqual(self.refusal("renew", "server"),
                         "there is no server in DIR yet; type: scripts/provision DIR server NAME-OR-ADDRESS...")
        self.assertEqual(self.refusal("renew", "3"),
                         "there is no client-3 in DIR; type: scripts/provision DIR client 3")
        self.assertEqual(self.refusal("revoke", "3"),
                         "client-3 is not on the allow-list; type: scripts/provision DIR list")

    def test_bad_input_is_one_line(self):
        self.provision("ca")
        for host in ("server.lan:7700", "192.168.1.5:7700", "300.1.1.1", "a b", "-", "1", "*.lan", "a,DNS:b"):
            self.assertIn("no", self.refusal("server", host), host)
        for client in ("x", "-1", "1-", "03", "client-", "2-1", "0-99999", "1.5", "../x", ""):
            self.assertNotEqual(self.refusal("client", client), "", client)
        self.assertIn("give the clients' numbers", self.refusal("client"))
        self.assertIn("give the names", self.refusal("server"))
        self.assertIn("give what", self.refusal("renew"))
        self.assertIn("there is no command 'foo'", self.refusal("foo"))
        self.assertIn("there is no option '--foo'", self.refusal("ca", "--foo"))
        for days in ("0", "x", "-3", "100000", ""):
            self.assertIn("--days takes a number of days", self.refusal("client", "0", "--days", days))
        self.assertIn("--new-key is for renew", self.refusal("client", "0", "--new-key"))
        self.assertIn("--old is for revoke", self.refusal("client", "0", "--old"))
        self.assertIn("clients ask no list", self.refusal("revoke", "server"))
        self.assertEqual([path.name for path in self.dir.glob("client*")], [])
        done = run_script("provision")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("scripts/provision DIR ca", done.stderr)

    def test_help_is_the_head_of_the_file(self):
        done = run_script("provision", "--help")
        self.assertEqual(done.returncode, 0)
        self.assertTrue(done.stdout.startswith("Certificates for a federation"))
        self.assertTrue(re.search(r"DIR/record says what was done when\.\n\Z", done.stdout))


if __name__ == "__main__":
    if shutil.which("openssl") is None:
        skip_all(__file__, "machine: no openssl program")
    else:
        unittest.main()
