"""Translate parameters of libpq to properties of PostgreSQL's Java driver, which Spark and Debezium use."""

from collections.abc import Mapping

from promptsales.errors import ConfigError

# a parameter of libpq and the driver's property of the same meaning
_PROPERTIES = {
    "sslmode": "sslmode",
    "sslrootcert": "sslrootcert",
    "sslcert": "sslcert",
    "sslkey": "sslkey",
    "sslpassword": "sslpassword",
    "sslnegotiation": "sslNegotiation",
    "channel_binding": "channelBinding",
    "gssencmode": "gssEncMode",
    "require_auth": "requireAuth",
}
# parameters that protect the connection and that the driver lacks
_LACKING = ("sslcrl", "sslcrldir", "ssl_min_protocol_version", "requirepeer")


def security_properties(name: str, parameters: Mapping[str, object]) -> dict[str, str]:
    """Return the properties that protect a connection as libpq's parameters do.

    Args:
        name: the connection, for the message.
        parameters: libpq's parameters, such as those of an address.

    Raises:
        ConfigError: when a parameter has no counterpart, so that the connection would be weaker than it says.
    """
    given = {key: str(value) for key, value in parameters.items() if value is not None}
    for key in _LACKING:
        if key in given:
            raise ConfigError(
                f"connection {name}: its option {key} has no counterpart in PostgreSQL's Java driver, which Spark and "
                f"Debezium use; remove it from PROMPTSALES_DSN__{name.upper()}"
            )
    properties = {_PROPERTIES[key]: value for key, value in given.items() if key in _PROPERTIES}
    if given.get("sslrootcert") == "system":  # libpq then checks the name too
        del properties["sslrootcert"]
        properties |= {"sslmode": "verify-full", "sslfactory": "org.postgresql.ssl.DefaultJavaSSLFactory"}
    elif "sslrootcert" in given and given.get("sslmode") == "require":
        properties["sslmode"] = "verify-ca"  # what libpq makes of it; the driver would check nothing
    return properties
