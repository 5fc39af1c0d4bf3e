"""Find citations of files in documents, docstrings, comments and messages, and those that lead nowhere.

A citation is the target of a relative link, the path or name of a file, a folder in a code span, or a test as
``<file>.py::<test>``. It resolves when the tree that is searched holds the file, the test in it, or the heading of its
``#anchor`` or ``section 2.1``. A glob (``warehouse/core/*/contract.yml``) resolves when it matches a file. What holds a
``<placeholder>`` is no citation, nor is a file of a feed that its page shows how to draft. All names are read from the
tree.
"""

import ast
import io
import os
import re
import tokenize
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

# environments, caches and the state of a stack begin with a dot; these two are part of the repository
_DOTTED = {".github", ".ci"}
_BUILT = re.compile(r"__pycache__|.*\.egg-info")

_LINK = re.compile(r"\]\(<?(?![a-z]+:)([^)\s>]+)>?\)")
_KINDS = "py|sql|md|yml|lua|lock|toml|cfg"
# a name or path, not part of an address, a placeholder or a longer word; then what may follow it
_FILE = re.compile(
    rf"(?<![\w/.<>{{}}$%~:@=-])(?P<path>(?:\.{{1,2}}/)*(?:[\w.*-]+/)*[\w.*-]*\w\.(?:{_KINDS}))(?![\w/(-]|\.\w)"
    r"(?:::(?P<test>\w+)|#(?P<anchor>[\w-]+)|,? section (?P<section>\d+(?:\.\d+)*))?"
)
_PAGE = re.compile(_FILE.pattern.replace(_KINDS, "md"))
_FOLDER = re.compile(r"(?<=`)(?P<path>[\w.-]+/[\w./-]*)(?=`)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.M)
_FENCE = re.compile(r"^ *(```|~~~).*?^ *\1", re.M | re.S)
_COMMENT = {".sql": "--", ".lua": "--", ".yml": "#", ".toml": "#", ".cfg": "#", ".sh": "#", "": "#"}


class Citation(NamedTuple):
    """A citation, where it is, and how it is read: a link from its page, a file by any end of its path, a folder."""

    page: str
    line: int
    target: str
    kind: Literal["link", "file", "folder"]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.target}"


class Tree:
    """The files below a folder, as citations name them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def files(self) -> frozenset[str]:
        """Return the path of each file, relative to the root."""
        paths = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if name in _DOTTED or not (name[0] == "." or _BUILT.fullmatch(name))]
            paths += [Path(folder, name).relative_to(self.root).as_posix() for name in names]
        return frozenset(paths)

    @cached_property
    def folders(self) -> frozenset[str]:
        """Return the path of each folder, relative to the root."""
        return frozenset(parent.as_posix() for file in self.files for parent in Path(file).parents)

    @cached_property
    def by_name(self) -> dict[str, list[str]]:
        """Return the paths of the files of each name."""
        names: dict[str, list[str]] = {}
        for file in sorted(self.files):
            names.setdefault(file.rpartition("/")[2], []).append(file)
        return names

    def read(self, path: str) -> str:
        """Return the text of a file; nothing of one that is no text."""
        try:
            return (self.root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            return ""

    def unresolved(self) -> list[str]:
        """Return the citations that lead nowhere, by page and line."""
        return [str(citation) for citation in sorted(set(self.citations())) if not self.resolves(citation)]

    def citations(self) -> Iterator[Citation]:
        """Yield every citation in the tree."""
        for page in self.files:
            if page.endswith(".md"):
                yield from _in_markdown(page, self.read(page))
            elif page.endswith(".py"):
                yield from _in_python(page, self.read(page))
            elif (mark := _COMMENT.get(Path(page).suffix)) is not None:
                yield from _in_comments(page, self.read(page), mark)

    def resolves(self, citation: Citation) -> bool:
        """Return whether a citation leads to a file or folder, and to the test or heading in it that it names."""
        if citation.kind != "link" and self._is_drafted(citation):
            return True
        if citation.kind == "folder":
            return self._has_folder(citation)
        if citation.kind == "link":
            return self._has_linked(citation)
        match = _FILE.fullmatch(citation.target)
        assert match, citation
        return any(
            (not match["test"] or re.search(rf"^ *(async )?def {match['test']}\(", self.read(file), re.M))
            and (not match["anchor"] or match["anchor"] in self.anchors(file))
            and (not match["section"] or any(_is_numbered(match["section"], text) for text in self.headings(file)))
            for file in self._named(match["path"], citation.page)
        )

    def _has_linked(self, link: Citation) -> bool:
        path, _, anchor = link.target.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(link.page), path)) if path else link.page
        if target in self.files:
            return not anchor or anchor in self.anchors(target)
        return target in self.folders and not anchor

    def _has_folder(self, citation: Citation) -> bool:
        path = citation.target.rstrip("/")
        if path.partition("/")[0] not in self.folders or path in self.folders | self.files:
            return True  # not of this tree, or there
        # else it may be of a kind that the repository does not hold, which readers make themselves
        suffix = Path(path).suffix
        return bool(suffix) and suffix not in {Path(file).suffix for file in self.files}

    def _is_drafted(self, citation: Citation) -> bool:
        """Return whether it belongs to a feed that the reader of the page makes with ``promptsales contracts new``."""
        drafted = re.findall(r"promptsales contracts new \w+\.(\w+)", self.read(citation.page))
        return not {part.partition(".")[0] for part in citation.target.split("/")}.isdisjoint(drafted)

    def _named(self, path: str, page: str) -> list[str]:
        """Return the files that a path may mean, seen from the page that cites it."""
        seen_from_page = os.path.normpath(os.path.join(os.path.dirname(page), path))
        if seen_from_page in self.files:
            return [seen_from_page]
        path = re.sub(r"^(\.{1,2}/)+", "", path)  # a text may be read elsewhere, as that of a page which code writes
        if "*" in path:
            return [file for file in self.files if fnmatchcase(f"/{file}", f"*/{path}")]
        return [file for file in self.by_name.get(path.rpartition("/")[2], ()) if f"/{file}".endswith(f"/{path}")]

    def headings(self, page: str) -> list[str]:
        """Return the headings of a page, without those in examples."""
        return _HEADING.findall(_FENCE.sub("", self.read(page)))

    def anchors(self, page: str) -> set[str]:
        """Return the anchors that GitHub gives to the headings of a page."""
        anchors: list[str] = []
        for heading in self.headings(page):
            words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
            anchors.append(re.sub(r"[^\w\- ]", "", words).replace(" ", "-"))
        repeated = (
            f"{anchor}-{anchors[:at].count(anchor)}" for at, anchor in enumerate(anchors) if anchor in anchors[:at]
        )
        return {*anchors, *repeated}


def _is_numbered(section: str, heading: str) -> bool:
    return heading.startswith((f"{section} ", f"{section}. "))


def _mentions(page: str, line: int, text: str, pattern: re.Pattern[str] = _FILE) -> Iterator[Citation]:
    for match in pattern.finditer(text):
        place = line + text.count("\n", 0, match.start())
        yield Citation(page, place, match[0], "folder" if pattern is _FOLDER else "file")


def _in_prose(page: str, line: int, text: str) -> Iterator[Citation]:
    yield from _mentions(page, line, text)
    for citation in _mentions(page, line, text, _FOLDER):
        if not _FILE.search(citation.target):
            yield citation


def _in_markdown(page: str, text: str) -> Iterator[Citation]:
    for match in _LINK.finditer(text):
        yield Citation(page, 1 + text.count("\n", 0, match.start()), match[1], "link")
    yield from _in_prose(page, 1, _LINK.sub("]", text))


def _in_python(page: str, text: str) -> Iterator[Citation]:
    """Read comments and docstrings; of other strings, such as messages and help texts, the pages that they name."""
    if not (_FILE.search(text) or _FOLDER.search(text)):
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield from _in_prose(page, token.start[0], token.string)
    tree = ast.parse(text)
    docstrings = {id(node) for node in map(_docstring, ast.walk(tree)) if node}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) in docstrings:
                yield from _in_prose(page, node.lineno, node.value)
            elif not page.startswith("tests/"):  # strings of tests name files that they make
                yield from _mentions(page, node.lineno, node.value, _PAGE)


def _docstring(node: ast.AST) -> ast.Constant | None:
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        match node.body:
            case [ast.Expr(value=ast.Constant(value=str()) as constant), *_]:
                return constant
    return None


def _in_comments(page: str, text: str, mark: str) -> Iterator[Citation]:
    """Read comments; of the rest, such as descriptions, the pages that it names."""
    for number, line in enumerate(text.splitlines(), 1):
        code, _, comment = line.partition(mark)
        yield from _in_prose(page, number, comment)
        yield from _mentions(page, number, code, _PAGE)
