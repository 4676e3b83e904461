"""Reads small, plain YAML and remembers where all stands; it refuses repeated keys, anchors, tags, depth and bulk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.error import MarkedYAMLError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.reader import ReaderError

from ..errors import AssentError

LARGEST = 64_000
"""Bytes of one file; a policy of some five hundred rules."""
DEEPEST = 8

Path = tuple[str | int, ...]

_PLAIN = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}


class YamlError(AssentError):
    """The file is not plain YAML."""

    def __init__(self, problem: str, line: int | None = None, column: int | None = None) -> None:
        self.problem, self.line, self.column = problem, line, column
        super().__init__(problem)


@dataclass(frozen=True, slots=True)
class Mark:
    """Where something stands: line and column from 1; `inside` is where the text of a scalar begins, where known."""

    line: int
    column: int
    inside: tuple[int, int | None] = (0, None)


@dataclass(frozen=True, slots=True)
class Marked:
    """Plain data with the marks of its values and of its keys, by path."""

    value: Any
    values: dict[Path, Mark] = field(default_factory=dict)
    keys: dict[Path, Mark] = field(default_factory=dict)

    def mark(self, path: Path, *, key: bool = False) -> Mark:
        """Return where `path` stands, or the nearest thing around it that is there."""
        if key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, Mark(1, 1))


def read_yaml(content: bytes) -> Marked:
    """Parse one document of plain YAML; raises YamlError with line and column."""
    if len(content) > LARGEST:
        raise YamlError(f"the file has {len(content):,} bytes, more than {LARGEST:,}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise YamlError("this is not UTF-8 text", content.count(b"\n", 0, error.start) + 1) from None
    try:
        _refuse_tricks(text)
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        marked = Marked(None)
        value = None if node is None else _value(loader, node, (), marked)
        return Marked(value, marked.values, marked.keys)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = f"not YAML: {error.problem or error.context}"
        raise YamlError(problem, *((mark.line + 1, mark.column + 1) if mark else ())) from None
    except ReaderError as error:
        problem = f"not YAML: the character U+{error.character:04X} is not allowed"
        raise YamlError(problem, text.count("\n", 0, error.position) + 1) from None


def _refuse_tricks(text: str) -> None:
    """Look at the flat events first: building the tree recurses, and aliases can make it grow without bound."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        mark = event.start_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        if getattr(event, "anchor", None) is not None:
            raise YamlError("anchors and aliases (& and *) are not supported; quote the text if one was meant", line, column)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise YamlError(f"nested more than {DEEPEST} levels deep", line, column)


def _value(loader: yaml.SafeLoader, node: Node, path: Path, marked: Marked) -> Any:
    marked.values[path] = _mark(node)
    if node.tag not in _PLAIN:
        shown = repr(node.value[:40]) if isinstance(node, ScalarNode) else "this"
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        raise YamlError(f"{shown} would be read as {kind}, which is not supported; put it in quotes", *_place(node))
    match node:
        case MappingNode():
            return _mapping(loader, node, path, marked)
        case SequenceNode():
            return [_value(loader, item, (*path, index), marked) for index, item in enumerate(node.value)]
    try:
        return loader.construct_object(node)
    except (ValueError, OverflowError):
        raise YamlError(f"{node.value[:40]!r} cannot be read", *_place(node)) from None


def _mapping(loader: yaml.SafeLoader, node: MappingNode, path: Path, marked: Marked) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, ScalarNode) or key_node.tag != "tag:yaml.org,2002:str":
            shown = key_node.value if isinstance(key_node, ScalarNode) else "this"
            raise YamlError(f"{shown!r} is not text, so it cannot be a key; put it in quotes", *_place(key_node))
        key = str(key_node.value)
        here = (*path, key)
        if key in found:
            raise YamlError(f"{key!r} is given twice, first in line {marked.keys[here].line}", *_place(key_node))
        marked.keys[here] = _mark(key_node)
        found[key] = _value(loader, value_node, here, marked)
    return found


def _place(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _mark(node: Node) -> Mark:
    line, column = _place(node)
    style = getattr(node, "style", None)
    if style == "|":
        return Mark(line, column, (line + 1, None))
    if style == ">" or node.start_mark.line != node.end_mark.line:
        return Mark(line, column, (line, None))
    return Mark(line, column, (line, column + (style in ("'", '"'))))
