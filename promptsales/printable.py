"""Text of sources, files and drivers, made safe to show: on a terminal, in a log, a mail, a page or an XML file."""

import logging
import re

# what a terminal or a browser obeys instead of showing it (control characters, line separators, overrides of the
# direction of text), what nobody sees, and what UTF-8 or XML 1.0 cannot hold (lone surrogates, U+FFFE, U+FFFF)
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\ufffe\uffff\U000e0000-\U000e007f]"
)


_traceback = logging.Formatter().formatException


def printable(value: object, keep: str = "") -> str:
    r"""Return a value as text in which every character can be seen; others are written as in Python: ``\x1b``.

    Args:
        value: anything with a text.
        keep: characters that are left as they are: a line feed, in a text of several lines.
    """
    return _UNSEEN.sub(lambda found: found[0] if found[0] in keep else _escaped(found[0]), str(value))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def logger(name: str) -> logging.Logger:
    """Return the logger of a module: its messages are one printable line each, whatever arguments or errors hold."""
    found = logging.getLogger(name)
    if _make_printable not in found.filters:
        found.addFilter(_make_printable)
    return found


def _make_printable(record: logging.LogRecord) -> bool:
    record.msg, record.args = printable(record.getMessage()), None
    if record.exc_info:
        # every formatter takes this text where it is there
        record.exc_text = printable(_traceback(record.exc_info), keep="\n")
    return True
