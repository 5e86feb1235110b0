"""Certificates for end-to-end tests, made with the openssl command: an authority of its own in a
folder, and leaves with whatever is wrong with them."""
import pathlib

import harness

SETTINGS = """
[ca]
default_ca = authority
[authority]
new_certs_dir = FOLDER
database = FOLDER/index
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
"""


class Authority:
    def __init__(self, folder, name="authority"):
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir()
        self.settings = self.folder / "openssl.cnf"
        self.settings.write_text(SETTINGS.replace("FOLDER", str(self.folder)))
        (self.folder / "index").touch()
        self.key = self.new_key("root")
        self.certificate = self.folder / "root.pem"
        self.openssl("req", "-x509", "-new", "-key", self.key, "-subj", "/CN=" + name, "-days", "100",
                     "-extensions", "root", "-out", self.certificate)

    def openssl(self, *words):
        env = {"OPENSSL_CONF": str(self.settings), "PATH": "/usr/bin:/bin"}
        return harness.run("openssl", *words, env=env)

    def new_key(self, name, kind="ec"):
        path = self.folder / (name + ".key")
        if kind == "ec":
            self.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
                         path)
        elif kind == "ed25519":
            self.openssl("genpkey", "-algorithm", "ED25519", "-out", path)
        else:
            self.openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:%d" % kind,
                         "-out", path)
        path.chmod(0o600)
        return path

    def leaf(self, name, *, names=("localhost", "court.example"), kind="ec", digest="sha256",
             purpose="serverAuth", start="20250101000000Z", end="20500101000000Z"):
        """Returns the paths of a certificate and its key."""
        key = self.new_key(name, kind)
        request, certificate = self.folder / (name + ".csr"), self.folder / (name + ".pem")
        extensions = self.folder / (name + ".ext")
        san = "subjectAltName = %s\n" % ",".join("DNS:" + n for n in names) if names else ""
        extensions.write_text("[leaf]\nbasicConstraints = CA:false\n"
                              "keyUsage = critical,digitalSignature\nextendedKeyUsage = %s\n"
                              "authorityKeyIdentifier = keyid\n%s" % (purpose, san))
        self.openssl("req", "-new", "-key", key, "-subj", "/CN=" + name, "-out", request)
        self.openssl("ca", "-batch", "-notext", "-config", self.settings, "-in", request, "-out",
                     certificate, "-cert", self.certificate, "-keyfile", self.key, "-md",
                     digest if kind != "ed25519" else "sha256", "-startdate", start, "-enddate", end,
                     "-extfile", extensions, "-extensions", "leaf", "-outdir", self.folder)
        return certificate, key

    def leaf_for(self, name, spki):
        """Returns the path of a certificate for a public key, whose DER is given in hex."""
        other, _ = self.leaf(name)
        der, public = self.folder / (name + ".spki"), self.folder / (name + ".pub")
        der.write_bytes(bytes.fromhex(spki))
        self.openssl("pkey", "-pubin", "-inform", "DER", "-in", der, "-out", public)
        self.openssl("x509", "-req", "-in", other.with_suffix(".csr"), "-force_pubkey", public, "-CA",
                     self.certificate, "-CAkey", self.key, "-CAcreateserial", "-days", "30", "-extfile",
                     other.with_suffix(".ext"), "-extensions", "leaf", "-out", other)
        return other
