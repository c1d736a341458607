"""The certificate of one start: an authority of its own and a certificate of it, both new."""

from __future__ import annotations

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

LASTS = timedelta(days=365)
NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")


def make(address: str) -> tuple[ssl.SSLContext, bytes]:
    """What a server at that address speaks TLS with, and the authority (PEM) that clients trust."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.now(UTC)
    issuer_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))

    def begun(subject: str, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name("gherkube serve"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + LASTS)
        )

    authority = (
        begun("gherkube serve", issuer_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )
    addresses = {ip_address("127.0.0.1"), ip_address("::1")}
    names = [*NAMES]
    try:
        addresses.add(ip_address(address))
    except ValueError:
        names.append(address)
    known = [*map(x509.DNSName, names), *map(x509.IPAddress, sorted(addresses, key=str))]
    certificate = (
        begun("kube-apiserver", key.public_key())
        .add_extension(x509.SubjectAlternativeName(known), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory(prefix="gherkube-") as folder:  # ssl reads keys from files only
        file = Path(folder) / "server.pem"
        file.touch(mode=0o600)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
        context.load_cert_chain(file)
    return context, authority.public_bytes(Encoding.PEM)
