"""A local certificate authority, so that machines of one institution know each other.

`tally init` makes an authority, a certificate for the node and one for its first client. A member
that has an authority of its own puts its files in their place.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tallystick.errors import SettingsError

CA = "ca"
NODE = "node"
CLIENT = "client"
DAYS = 825
"""How long a certificate is good for; longer ones are refused by many systems."""
CA_DAYS = 3650


def make(folder: Path, now: datetime, hosts: Sequence[str]) -> None:
    """Make an authority, a node's certificate for the hosts, and a client's."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("Tallystick local authority")
    ca = (
        _builder(ca_name, ca_name, ca_key, now, CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    _write(folder, CA, ca, ca_key)
    for name, purpose, names in (
        (NODE, ExtendedKeyUsageOID.SERVER_AUTH, hosts),
        (CLIENT, ExtendedKeyUsageOID.CLIENT_AUTH, ()),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(_name(f"Tallystick {name}"), ca_name, key, now, DAYS, signer=ca_key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        )
        if names:
            alternatives = x509.SubjectAlternativeName([_host(each) for each in names])
            builder = builder.add_extension(alternatives, critical=False)
        _write(folder, name, builder.sign(ca_key, hashes.SHA256()), key)


def server_context(folder: Path) -> ssl.SSLContext:
    """Show the node's certificate, and talk to nobody without one of the authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(str(folder / f"{NODE}.pem"), str(folder / f"{NODE}.key"))
        context.load_verify_locations(str(folder / f"{CA}.pem"))
    except OSError as problem:  # ssl.SSLError is one too
        raise SettingsError("tls", f"the files in {folder} cannot be used: {problem}") from None
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(text: str) -> x509.GeneralName:
    """A host as an address, if it is one, else as a name."""
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: EllipticCurvePrivateKey,
    now: datetime,
    days: int,
    *,
    signer: EllipticCurvePrivateKey | None = None,
) -> x509.CertificateBuilder:
    """What every certificate says."""
    by = (signer or key).public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """What a key is for."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _write(
    folder: Path, name: str, certificate: x509.Certificate, key: EllipticCurvePrivateKey
) -> None:
    """Write certificate and key; the key for its owner alone."""
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / f"{name}.key"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(secret)
