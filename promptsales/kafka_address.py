"""The address of Kafka: brokers alone, or a URL with a login and TLS; and what a client makes of it.

A URL is ``kafka://user:password@host:port,host:port?security.protocol=SASL_SSL&ssl.ca.location=/path``. Its options
have the names that librdkafka gives them.
"""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

HOST = r"(\[[0-9A-Fa-f:.]+(%\w+)?\]|[\w.-]+)"
ENCODE = "percent-encode special characters of user and password (@ is %40)"
_BROKER = re.compile(rf"{HOST}(:\d+)?")
_SCHEME = "kafka://"
_FILE = re.compile(r"/[^@]+")
_OPTIONS = {
    "security.protocol": re.compile("PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL"),
    "sasl.mechanism": re.compile("PLAIN|SCRAM-SHA-256|SCRAM-SHA-512"),
    "ssl.ca.location": _FILE,
    "ssl.certificate.location": _FILE,
    "ssl.key.location": _FILE,
}


def client_properties(address: str) -> dict[str, str]:
    """Return the properties that a Kafka client needs for a well-formed address: brokers, and login and TLS if any.

    A login without options uses SCRAM-SHA-512, which proves the password and does not send it.
    """
    if not address.startswith(_SCHEME):
        return {"bootstrap.servers": address}
    parts = urlsplit(address)
    login, _, brokers = parts.netloc.rpartition("@")
    options = dict(parse_qsl(parts.query))
    if login:
        user, _, password = login.partition(":")
        options = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "SCRAM-SHA-512"} | options
        options |= {"sasl.username": unquote(user), "sasl.password": unquote(password)}
    return {"bootstrap.servers": brokers, **options}


def compose_address(properties: Mapping[str, str]) -> str:
    """Return the address from which ``client_properties`` reads these properties."""
    options = {name: properties[name] for name in _OPTIONS if name in properties}
    user, password = (quote(properties.get(f"sasl.{name}", ""), safe="") for name in ("username", "password"))
    login, query = f"{user}:{password}@" if user else "", f"?{urlencode(options)}" if options else ""
    return f"{_SCHEME}{login}{properties['bootstrap.servers']}{query}"


def brokers_of(address: str) -> str:
    """Return the hosts and ports of a well-formed address, for messages."""
    return client_properties(address)["bootstrap.servers"]


def find_fault(address: str) -> str:
    """Return why no client could use an address, without quoting it; empty when it is well-formed."""
    if address.startswith(_SCHEME):
        return next(_url_faults(urlsplit(address)), "")
    return _find_fault_of_brokers(address)


def _url_faults(parts: SplitResult) -> Iterator[str]:
    login, _, brokers = parts.netloc.rpartition("@")
    if fault := _find_fault_of_brokers(brokers):
        yield f"{fault}; {ENCODE}"
    if login and not re.fullmatch(r"[^:@]+:[^:@]+", login):
        yield f"its login is not a user and a password; {ENCODE}"
    if parts.path or parts.fragment:
        yield f"it has a path; {ENCODE}"
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if options.keys() - _OPTIONS:
        yield f"it has an option other than {', '.join(_OPTIONS)}"
    for name in options:
        if not _OPTIONS[name].fullmatch(options[name]):
            yield f"its option {name} has a value that is not known"
    yield from _contradictions(options, bool(login))


def _contradictions(options: dict[str, str], has_login: bool) -> Iterator[str]:
    protocol = options.get("security.protocol", "SASL_PLAINTEXT" if has_login else "PLAINTEXT")
    if protocol.startswith("SASL") != has_login:
        yield f"{protocol} {'has no use for a login' if has_login else 'needs a login'}"
    if options.get("sasl.mechanism") == "PLAIN" and protocol != "SASL_SSL":
        yield "the mechanism PLAIN sends the password in clear; add security.protocol=SASL_SSL"


def _find_fault_of_brokers(text: str) -> str:
    brokers = [broker.strip() for broker in text.split(",")]
    if not all(_BROKER.fullmatch(broker) for broker in brokers):
        return "it is not a list of brokers"
    ports = [broker.rpartition(":")[2] for broker in brokers if re.search(r":\d+$", broker)]
    return "" if all(map(is_port, ports)) else "a port is not a number from 1 to 65535"


def is_port(port: str) -> bool:
    """Return whether a text is the number of a port."""
    return port.isascii() and port.isdigit() and 0 < int(port) < 65536
