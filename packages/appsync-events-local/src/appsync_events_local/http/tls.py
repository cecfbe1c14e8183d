"""TLS for the loopback addresses: a given certificate, or a self-signed one."""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAMES: Final = ("localhost", "*.appsync-api.localhost", "*.appsync-realtime-api.localhost")
ADDRESSES: Final = ("127.0.0.1", "::1")
LIFETIME: Final = timedelta(days=397)
"""The longest validity that browsers accept."""
MADE_CERTIFICATE: Final = "localhost-certificate.pem"
MADE_KEY: Final = "localhost-key.pem"
_LEFT_OVER: Final = timedelta(days=1)


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, in PEM files.

    Attributes:
        self_signed: whether it is self-signed by this service, so that clients must be configured to trust it.
    """

    certificate: Path
    key: Path
    self_signed: bool

    def context(self) -> ssl.SSLContext:
        """Return the context of a server.

        Raises:
            OSError: a file cannot be read, or certificate and key do not match (`ssl.SSLError`).
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def instructions(self) -> str:
        """Return instructions for clients to trust the certificate."""
        file = self.certificate.resolve()
        return "\n".join(
            (
                f"TLS certificate: {file}; trust it with",
                f"  Node      NODE_EXTRA_CA_CERTS={file}",
                f"  Python    SSL_CERT_FILE={file}",
                f"  curl      --cacert {file}",
                "  browsers  open the https address and accept the certificate; pages of its origin may then connect",
            )
        )


def self_signed_in(folder: Path) -> Certificate:
    """Return the self-signed certificate of this folder; create it if there is none, or if it expires within a day.

    Raises:
        OSError: the folder cannot be written.
    """
    certificate = Certificate(folder / MADE_CERTIFICATE, folder / MADE_KEY, self_signed=True)
    if certificate.certificate.exists() and certificate.key.exists():
        known = x509.load_pem_x509_certificate(certificate.certificate.read_bytes())
        if known.not_valid_after_utc - datetime.now(UTC) > _LEFT_OVER:
            return certificate
    key = ec.generate_private_key(ec.SECP256R1())
    certificate.key.touch(mode=0o600)
    certificate.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    certificate.certificate.write_bytes(_self_signed(key).public_bytes(serialization.Encoding.PEM))
    return certificate


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """Return a certificate that is not an authority, so that a client that trusts it trusts this service only."""
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Local AppSync Events service")])
    names = [
        *(x509.DNSName(host) for host in NAMES),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in ADDRESSES),
    ]
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
