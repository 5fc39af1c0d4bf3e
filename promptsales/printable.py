"""Make text of sources, files and drivers safe to show: on a terminal, in a log, a mail, a page or an XML file."""

import logging
import re

# characters that a terminal or browser obeys (control characters, line separators, direction overrides), invisible
# ones, and those that UTF-8 or XML 1.0 cannot hold (lone surrogates, U+FFFE, U+FFFF)
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\ufffe\uffff\U000e0000-\U000e007f]"
)


_traceback = logging.Formatter().formatException


def printable(value: object, keep: str = "") -> str:
    r"""Return a value as text of visible characters; others are escaped as in Python: ``\x1b``.

    Args:
        value: anything that ``str`` accepts.
        keep: characters that are not escaped, such as the line feed of a text of several lines.
    """
    return _UNPRINTABLE.sub(lambda match: match[0] if match[0] in keep else _escape(match[0]), str(value))


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def logger(name: str) -> logging.Logger:
    """Return the logger of a module; each of its messages is one printable line, whatever arguments or errors hold."""
    log = logging.getLogger(name)
    if _make_printable not in log.filters:
        log.addFilter(_make_printable)
    return log


def _make_printable(record: logging.LogRecord) -> bool:
    # not None: Faust's formatter would take that for one argument
    record.msg, record.args = printable(record.getMessage()), ()
    if record.exc_info:
        # formatters use this text when it is set
        record.exc_text = printable(_traceback(record.exc_info), keep="\n")
    return True
