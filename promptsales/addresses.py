"""Check the addresses of your own servers before a driver uses them, without quoting any part of them.

A password that is not percent-encoded ends up in the host, the port, the database or a driver's error text. So no
message quotes a malformed address, and no driver gets one.
"""

import re
import warnings
from collections.abc import Callable, Iterator
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from promptsales import kafka_address
from promptsales.errors import ConfigError
from promptsales.kafka_address import ENCODE, HOST, is_port
from promptsales.printable import printable

# a host, an IP address or the folder of a socket; an "@" would be part of a password
_LIBPQ_HOST = re.compile(r"/[^@]*|[\w.:%-]*")
_LIBPQ_OPTIONS = {
    "sslmode": re.compile("disable|allow|prefer|require|verify-ca|verify-full"),
    "target_session_attrs": re.compile("any|read-write|read-only|primary|standby|prefer-standby"),
    "load_balance_hosts": re.compile("disable|random"),
    "connect_timeout": re.compile(r"-?\d+"),
}


def refuse_malformed(name: str, address: str) -> None:
    """Refuse an address of the setting ``dsn`` that its driver could not use.

    Raises:
        ConfigError: naming the setting, the fault and the expected form.
    """
    check, expected = _KINDS.get(_kind_of(name), _POSTGRES)
    fault = _check_text(address) or check(address)
    if fault:
        raise ConfigError(
            f"connection {name}: its address is malformed: {fault}; expected {expected}; "
            f"correct the setting PROMPTSALES_DSN__{name.upper()}"
        )


def refuse_unknown(names: set[str], known: tuple[str, ...]) -> None:
    """Refuse names in the setting ``dsn`` that no connection has.

    Raises:
        ConfigError: naming the first such name, and the names that exist.
    """
    for name in sorted(names - set(known)):
        # any other text may be an address instead of a name
        shown = repr(name) if re.fullmatch(r"\w{1,40}", name) else "a text that is not a name"
        raise ConfigError(f"setting PROMPTSALES_DSN: no connection is called {shown}; use one of {', '.join(known)}")


def refuse_mail(address: str) -> None:
    """Refuse an address of the setting ``alert_mail`` that Airflow could not send to.

    Raises:
        ConfigError: when it lacks a host, a port, a sender or a receiver, or an option is "false".
    """
    fault = _check_text(address) or _check_url(address, {"smtp"})
    options = {} if fault else dict(parse_qsl(urlsplit(address).query))
    has_all = not fault and urlsplit(address).port and {"from_email", "to_email"} <= options.keys()
    # Airflow reads any text as true
    if not has_all or "false" in options.values():
        raise ConfigError(
            "setting alert_mail must be like smtp://user:password@host:port/?from_email=..&to_email=.., with "
            f"&disable_ssl=true for STARTTLS; leave an option out rather than set it to false; {ENCODE}; "
            "correct PROMPTSALES_ALERT_MAIL"
        )


def refuse_webhook(address: str) -> None:
    """Refuse an address of the setting ``alert_webhook`` that no client can post to.

    Raises:
        ConfigError: naming the fault.
    """
    if fault := _check_text(address) or _check_url(address, {"http", "https"}):
        raise ConfigError(
            f"setting alert_webhook is malformed: {fault}; expected https://host/path; "
            "correct PROMPTSALES_ALERT_WEBHOOK"
        )


def format_hosts(name: str, address: str) -> str:
    """Return the hosts and ports of a well-formed address, for messages."""
    kind = _kind_of(name)
    if kind not in _KINDS:
        return ", ".join(f"{host or 'local socket'}:{port}" for host, port in postgres_hosts(address))
    if kind == "kafka":
        return kafka_address.brokers_of(address)
    return address.partition("://")[2].partition("/")[0].rpartition("@")[2] if "://" in address else address


def split_login(address: str) -> tuple[str, tuple[str, str] | None]:
    """Return a well-formed HTTP URL without its login, and the login: a client logs the URLs it calls."""
    parts = urlsplit(address)
    login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(), login


def postgres_hosts(address: str) -> list[tuple[str, str]]:
    """Return the hosts of a PostgreSQL address with their ports, in the order in which libpq tries them.

    Raises:
        ValueError: when the address has neither one port per host nor one port for all.
    """
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(address)
    hosts = str(parts.get("host") or parts.get("hostaddr") or "").split(",")
    ports = [port.strip() or "5432" for port in str(parts.get("port") or "").split(",")]
    if len(ports) == 1:
        ports *= len(hosts)
    return list(zip(hosts, ports, strict=True))


def _check_text(address: str) -> str:
    if not address.strip():
        return "it is empty"
    return "" if printable(address) == address == address.strip() else "it holds line feeds or control characters"


def _check_postgres(address: str) -> str:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = {key: str(value) for key, value in conninfo_to_dict(address).items() if value is not None}
        hosts = postgres_hosts(address)
    except psycopg.Error:
        return f"libpq cannot read it; {ENCODE}"
    except ValueError:
        return "it has neither one port per host nor one port for all"
    return next(_postgres_faults(parts, hosts, is_url="://" in address), "")


def _postgres_faults(parts: dict[str, str], hosts: list[tuple[str, str]], is_url: bool) -> Iterator[str]:
    if not parts.keys() & {"host", "hostaddr", "dbname", "service"}:
        yield "it names neither a host nor a database"
    if not all(_LIBPQ_HOST.fullmatch(host) for host, _ in hosts):
        yield f"a host is not valid; {ENCODE}"
    if not all(map(is_port, (port for _, port in hosts))):
        yield f"a port is not a number from 1 to 65535; {ENCODE}"
    if is_url and "@" in parts.get("dbname", ""):
        yield f"its database holds an @; {ENCODE}"
    for option, allowed in _LIBPQ_OPTIONS.items():
        if parts.get(option) and not allowed.fullmatch(parts[option]):
            yield f"its option {option} has a value that libpq does not know"


def _check_mongo(address: str) -> str:
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    try:
        with warnings.catch_warnings():
            # the driver's warning about an unknown option quotes it
            warnings.simplefilter("error")
            MongoClient(address, connect=False).close()
    except OSError:
        return ""  # a certificate's file, which may exist only where the driver runs
    except (PyMongoError, ValueError, TypeError, UserWarning) as error:
        return f"the driver refuses it ({type(error).__name__}); {ENCODE}"
    return f"it holds more than one @; {ENCODE}" if "@" in urlsplit(address).path else ""


def _check_redis(address: str) -> str:
    from redis.connection import parse_url

    if fault := _check_url(address, {"redis", "rediss"}):
        return fault
    if not re.fullmatch(r"(/\d*)?", unquote(urlsplit(address).path)):
        return f"its database is not a number; {ENCODE}"
    try:
        parse_url(address)  # type: ignore[no-untyped-call]
    except ValueError:
        return "the driver refuses the value of an option"
    return ""


def _check_http(address: str) -> str:
    fault = _check_url(address, {"http", "https"})
    return fault or (f"its path holds an @; {ENCODE}" if "@" in urlsplit(address).path else "")


def _check_airflow(address: str) -> str:
    fault = _check_http(address)
    if fault:
        return fault
    parts = urlsplit(address)
    return "" if parts.username and parts.password else "it has no user or no password"


def _check_url(address: str, schemes: set[str]) -> str:
    """Return the fault of a URL with a single host; empty when it is well-formed."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return f"its host or port is not valid; {ENCODE}"
    if parts.scheme not in schemes:
        return f"it does not begin with {' or '.join(f'{scheme}://' for scheme in sorted(schemes))}"
    if not parts.hostname or not re.fullmatch(HOST, _bare_host(parts)):
        return f"it names no host; {ENCODE}"
    return "its port is not a number from 1 to 65535" if port == 0 else ""


def _bare_host(parts: SplitResult) -> str:
    host = parts.netloc.rpartition("@")[2]
    return re.sub(r":\d*$", "", host)


def _kind_of(name: str) -> str:
    return "kafka" if name.startswith("kafka_") else name.removesuffix("_etl").removesuffix("_admin")


_Check = Callable[[str], str]
_POSTGRES: tuple[_Check, str] = (
    _check_postgres,
    "postgresql://user:password@host:port/database, several hosts with a comma between them, or libpq's key=value form",
)
_KINDS: dict[str, tuple[_Check, str]] = {
    "promptcontent": (_check_mongo, "mongodb://user:password@host:port,../database?options, or mongodb+srv://.."),
    "redis": (_check_redis, "redis://user:password@host:port/number of the database, or rediss://.."),
    "kafka": (
        kafka_address.find_fault,
        "host:port, several with a comma between them, or kafka://user:password@host:port,..?security.protocol=SASL_SSL",
    ),
    "connect": (_check_http, "http://host:port or https://.."),
    "airflow": (_check_airflow, "http://user:password@host:port or https://.."),
}
