"""Addresses of your own servers: refused where no driver could use them, in words that hold no part of them.

A password that is not percent-encoded ends up in the host, the port, the database or the error text of a driver. So
nothing of a malformed address is ever quoted, and an address is checked before a driver sees it.
"""

import re
import warnings
from collections.abc import Callable, Iterator
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from promptsales.errors import ConfigError
from promptsales.printable import printable

_HOST = r"(\[[0-9A-Fa-f:.]+(%\w+)?\]|[\w.-]+)"
_BROKER = re.compile(rf"{_HOST}(:\d+)?")
# of libpq: a host, an IP address, or the folder of a socket; "@" would be a part of a password
_LIBPQ_HOST = re.compile(r"/[^@]*|[\w.:%-]*")
_LIBPQ_OPTIONS = {
    "sslmode": re.compile("disable|allow|prefer|require|verify-ca|verify-full"),
    "target_session_attrs": re.compile("any|read-write|read-only|primary|standby|prefer-standby"),
    "load_balance_hosts": re.compile("disable|random"),
    "connect_timeout": re.compile(r"-?\d+"),
}
_ENCODE = "special characters of user and password are percent-encoded (@ is %40)"


def refuse_malformed(name: str, address: str) -> None:
    """Refuse an address of the setting ``dsn`` that its driver could not use.

    Raises:
        ConfigError: naming the setting, what is wrong and what is expected.
    """
    check, expected = _KINDS.get(name.removesuffix("_etl").removesuffix("_admin"), _POSTGRES)
    wrong = _text(address) or check(address)
    if wrong:
        raise ConfigError(
            f"connection {name}: its address is malformed: {wrong}; expected {expected}; "
            f"correct the setting PROMPTSALES_DSN__{name.upper()}"
        )


def refuse_unknown(names: set[str], known: tuple[str, ...]) -> None:
    """Refuse names in the setting ``dsn`` that no connection has.

    Raises:
        ConfigError: naming the first that can be a name, and all that are known.
    """
    for name in sorted(names - set(known)):
        # else it may be an address in the place of a name
        shown = repr(name) if re.fullmatch(r"\w{1,40}", name) else "a text that is no name"
        raise ConfigError(f"setting PROMPTSALES_DSN: no connection is called {shown}; names are {', '.join(known)}")


def refuse_mail(address: str) -> None:
    """Refuse an address of the setting ``alert_mail`` that Airflow could not send to.

    Raises:
        ConfigError: when it lacks a host, a port, a sender or a receiver, or has an option of "false".
    """
    wrong = _text(address) or _url(address, {"smtp"})
    options = {} if wrong else dict(parse_qsl(urlsplit(address).query))
    has_all = not wrong and urlsplit(address).port and {"from_email", "to_email"} <= options.keys()
    # Airflow would read any text as yes
    if not has_all or "false" in options.values():
        raise ConfigError(
            "setting alert_mail must be like smtp://user:password@host:port/?from_email=..&to_email=.., with "
            f"&disable_ssl=true for STARTTLS; leave an option out rather than set it to false; {_ENCODE}; "
            "correct PROMPTSALES_ALERT_MAIL"
        )


def refuse_webhook(address: str) -> None:
    """Refuse an address of the setting ``alert_webhook`` that nothing can be posted to.

    Raises:
        ConfigError: saying what is wrong with it.
    """
    if wrong := _text(address) or _url(address, {"http", "https"}):
        raise ConfigError(
            f"setting alert_webhook is malformed: {wrong}; expected https://host/path; "
            "correct PROMPTSALES_ALERT_WEBHOOK"
        )


def places(name: str, address: str) -> str:
    """Return the hosts and ports of an address that is well-formed, for messages."""
    kind = name.removesuffix("_etl").removesuffix("_admin")
    if kind not in _KINDS:
        return ", ".join(f"{host or 'local socket'}:{port}" for host, port in postgres_hosts(address))
    return address.partition("://")[2].partition("/")[0].rpartition("@")[2] if "://" in address else address


def without_login(address: str) -> tuple[str, tuple[str, str] | None]:
    """Return a well-formed URL of HTTP without user and password, and these: a client logs the addresses it calls."""
    parts = urlsplit(address)
    login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(), login


def postgres_hosts(address: str) -> list[tuple[str, str]]:
    """Return the hosts of a PostgreSQL address in the order libpq tries them, each with its port.

    Raises:
        ConfigError: when there are neither as many ports as hosts nor one port for all.
    """
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(address)
    hosts = str(parts.get("host") or parts.get("hostaddr") or "").split(",")
    ports = [port.strip() or "5432" for port in str(parts.get("port") or "").split(",")]
    if len(ports) == 1:
        ports *= len(hosts)
    return list(zip(hosts, ports, strict=True))


def _text(address: str) -> str:
    if not address.strip():
        return "it is empty"
    return "" if printable(address) == address == address.strip() else "it holds line feeds or control characters"


def _postgres(address: str) -> str:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = {key: str(value) for key, value in conninfo_to_dict(address).items() if value is not None}
        hosts = postgres_hosts(address)
    except psycopg.Error:
        return f"libpq cannot read it; {_ENCODE}"
    except ValueError:
        return "it has neither as many ports as hosts nor one port for all"
    return next(_postgres_faults(parts, hosts, is_url="://" in address), "")


def _postgres_faults(parts: dict[str, str], hosts: list[tuple[str, str]], is_url: bool) -> Iterator[str]:
    if not parts.keys() & {"host", "hostaddr", "dbname", "service"}:
        yield "it names neither a host nor a database"
    if not all(_LIBPQ_HOST.fullmatch(host) for host, _ in hosts):
        yield f"a host is none; {_ENCODE}"
    if not all(map(_is_port, (port for _, port in hosts))):
        yield f"a port is no number from 1 to 65535; {_ENCODE}"
    if is_url and "@" in parts.get("dbname", ""):
        yield f"its database holds an @; {_ENCODE}"
    for option, allowed in _LIBPQ_OPTIONS.items():
        if parts.get(option) and not allowed.fullmatch(parts[option]):
            yield f"its option {option} has a value that libpq does not know"


def _mongo(address: str) -> str:
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    try:
        with warnings.catch_warnings():
            # the driver warns of an option that it does not know, and quotes it
            warnings.simplefilter("error")
            # nothing is asked or resolved yet
            MongoClient(address, connect=False).close()
    except OSError:
        return ""  # a certificate that need not be on this machine
    except (PyMongoError, ValueError, TypeError, UserWarning) as error:
        return f"the driver refuses it ({type(error).__name__}); {_ENCODE}"
    return f"it holds more than one @; {_ENCODE}" if "@" in urlsplit(address).path else ""


def _redis(address: str) -> str:
    from redis.connection import parse_url

    if wrong := _url(address, {"redis", "rediss"}):
        return wrong
    if not re.fullmatch(r"(/\d*)?", unquote(urlsplit(address).path)):
        return f"its database is no number; {_ENCODE}"
    try:
        parse_url(address)  # type: ignore[no-untyped-call]
    except ValueError:
        return "the driver refuses the value of an option"
    return ""


def _kafka(address: str) -> str:
    brokers = [broker.strip() for broker in address.split(",")]
    if not all(_BROKER.fullmatch(broker) for broker in brokers):
        return "it is no list of brokers"
    ports = [broker.rpartition(":")[2] for broker in brokers if re.search(r":\d+$", broker)]
    return "" if all(map(_is_port, ports)) else "a port is no number from 1 to 65535"


def _http(address: str) -> str:
    wrong = _url(address, {"http", "https"})
    return wrong or (f"its path holds an @; {_ENCODE}" if "@" in urlsplit(address).path else "")


def _airflow(address: str) -> str:
    wrong = _http(address)
    if wrong:
        return wrong
    parts = urlsplit(address)
    return "" if parts.username and parts.password else "it has no user or no password"


def _url(address: str, schemes: set[str]) -> str:
    """Return what is wrong with a URL of one host; nothing where it is well-formed."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return f"its host or port is none; {_ENCODE}"
    if parts.scheme not in schemes:
        return f"it does not begin with {' or '.join(f'{scheme}://' for scheme in sorted(schemes))}"
    if not parts.hostname or not re.fullmatch(_HOST, _bare_host(parts)):
        return f"it names no host; {_ENCODE}"
    return "its port is no number from 1 to 65535" if port == 0 else ""


def _bare_host(parts: SplitResult) -> str:
    host = parts.netloc.rpartition("@")[2]
    return re.sub(r":\d*$", "", host)


def _is_port(port: str) -> bool:
    return port.isascii() and port.isdigit() and 0 < int(port) < 65536


_Check = Callable[[str], str]
_POSTGRES: tuple[_Check, str] = (
    _postgres,
    "postgresql://user:password@host:port/database, several hosts with a comma between them, or libpq's key=value form",
)
_KINDS: dict[str, tuple[_Check, str]] = {
    "promptcontent": (_mongo, "mongodb://user:password@host:port,../database?options, or mongodb+srv://.."),
    "redis": (_redis, "redis://user:password@host:port/number of the database, or rediss://.."),
    "kafka": (_kafka, "host:port, several with a comma between them"),
    "connect": (_http, "http://host:port or https://.."),
    "airflow": (_airflow, "http://user:password@host:port or https://.."),
}
