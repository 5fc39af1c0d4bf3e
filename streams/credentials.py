"""Faust's credentials, made from the address of Kafka."""

import ssl

import faust
from faust.types.auth import CredentialsT

from promptsales.kafka_address import client_properties


def create_credentials(address: str) -> CredentialsT | None:
    """Return the login and TLS of an address as Faust takes them; None when it has neither."""
    properties = client_properties(address)
    protocol = properties.get("security.protocol", "PLAINTEXT")
    context = _create_context(properties) if protocol.endswith("SSL") else None
    if protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=properties["sasl.username"],
            password=properties["sasl.password"],
            mechanism=properties.get("sasl.mechanism", "SCRAM-SHA-512"),
            ssl_context=context,
        )
    return faust.SSLCredentials(context) if context else None


def _create_context(properties: dict[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=properties.get("ssl.ca.location"))
    if certificate := properties.get("ssl.certificate.location"):
        context.load_cert_chain(certificate, properties.get("ssl.key.location"))
    return context
