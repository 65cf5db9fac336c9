"""What people wrote in YAML: plain values with the line of each, and what is wrong with them as Chinese sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from rules.model import FORMS

_DEEPEST = 100
_HARMLESS = 4_000
"""Characters: a level takes one, and so many levels fit on any stack. Most of our files are shorter."""
_MOST_VALUES = 200_000
"""In one file; the largest of ours has a hundredth of it."""

ModelT = TypeVar("ModelT", bound=BaseModel)
Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """One file as plain dicts, lists and texts (no implicit types), and the line of each place."""

    file: Path
    value: Any
    lines: Mapping[Location, int]

    def place(self, location: Location) -> str:
        """`file:line` of a location, or of the nearest above it that stands in the file."""
        known = (location[:n] for n in range(len(location), -1, -1))
        return f"{self.file}:{next((self.lines[at] for at in known if at in self.lines), 1)}"

    def fault(self, location: Location, what: str) -> str:
        """The sentence `file:line: where: what is wrong`."""
        return f"{self.place(location)}: {shown(location)}: {what}"


def shown(location: Location) -> str:
    """A location as people read it: items of lists count from 1."""
    return ".".join(str(part + 1 if isinstance(part, int) else part) for part in location) or "文件"


def written(file: Path, errors: list[str]) -> Written | None:
    """A YAML file; None where it can't be read, and `errors` says why."""
    lines: dict[Location, int] = {}
    known = len(errors)
    text = ""
    try:
        text = file.read_bytes().decode("utf-8-sig")
        if _too_deep(text):
            raise RecursionError
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        if node is None:
            errors.append(f"{file}:1: 文件是空的")
            return None
        value = _Plain(file, lines, errors).value(node, ())
    except UnicodeDecodeError:
        errors.append(f"{file}:1: 不是 UTF-8 编码，请另存为 UTF-8")
    except yaml.YAMLError as error:
        line, problem = _yaml_problem(error, text)
        errors.append(f"{file}:{line}: YAML 格式错误：{problem}")
    except RecursionError:
        errors.append(f"{file}:1: YAML 格式错误：结构太深")
    except _TooMuch as error:
        errors.append(str(error))
    return Written(file, value, lines) if len(errors) == known else None


def reread(file: Path) -> Written:
    """A file that was read before, for its lines: to keep those of all files takes a fifth of the time of reading."""
    return written(file, []) or Written(file, None, {})


def fitted(
    source: Written, value: Any, model: type[ModelT], errors: list[str], *, at: Location = ()
) -> tuple[ModelT | None, list[Location]]:
    """What is written at a location as a model, or None and the places that are wrong, of which `errors` then tells."""
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        details = error.errors()
        errors += _sentences(source, at, details)
        return None, [detail["loc"] for detail in details]


def _sentences(source: Written, at: Location, details: Sequence[Any]) -> list[str]:
    """One sentence for each place: where one of several forms would do, what each of them wants."""
    reasons: dict[Location, dict[str, None]] = {}
    for detail in details:
        if detail["type"] == "too_short" and any(_inside(other["loc"], detail["loc"]) for other in details):
            continue  # those that stand there are wrong: pydantic counts the right ones
        location = (*at, *detail["loc"])
        while detail["type"] != "missing" and location and location not in source.lines:
            location = location[:-1]  # the name that pydantic gives to one of several forms
        reasons.setdefault(location, {})[_reason(detail)] = None
    return [source.fault(location, "；或".join(said)) for location, said in reasons.items()]


def _inside(location: Location, outer: Location) -> bool:
    return len(location) > len(outer) and location[: len(outer)] == outer


_REASONS = {
    "extra_forbidden": "不认识的键",
    "missing": "缺少这一项",
    "literal_error": "只能是 {expected} 之一",
    "enum": "只能是 {expected} 之一",
    "string_pattern_mismatch": "格式不对：{form}",
    "too_short": "至少要有 {min_length} 项",
    "too_long": "最多只能有 {max_length} 项",
    "string_too_short": "不能为空",
    "int_parsing": "应是整数",
    "int_type": "应是整数",
    "int_from_float": "应是整数",
    "int_parsing_size": "数太大",
    "float_parsing": "应是数字",
    "float_type": "应是数字",
    "finite_number": "应是数字",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "不能大于 {le}",
    "bool_parsing": "应是 true 或 false",
    "bool_type": "应是 true 或 false",
    "tuple_type": "应是一个列表，例如 [甲, 乙]",
    "dict_type": "应是键值对，例如 {{名字: 内容}}",
    "model_type": "应是键值对，例如 {{名字: 内容}}",
    "string_type": "应是文字",
    "value_error": "{error}",
}
_DATE = "应是日期和时间，例如 2026-11-19T15:00:00+08:00"


def _reason(detail: Any) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    expected = str(context.get("expected", "")).replace(" or ", "、").replace(", ", "、").replace("'", "")
    form = FORMS.get(context.get("pattern", ""), "")
    sentence = _DATE if kind.startswith("datetime") else _REASONS.get(kind, "写法不对")
    return sentence.format(**{**context, "expected": expected, "form": form})


_UNQUOTED = "“{}”开头的词要加引号，例如 \"{}family\""
_YAML_PROBLEMS = (
    ("',' or ']'", "方括号没有配对，或少了逗号"),
    ("',' or '}'", "花括号没有配对，或少了逗号"),
    ("mapping values", "冒号用得不对：一句话里有冒号，就给整句加引号；是另一项，就换行对齐"),
    ("end of stream", "引号没有配对"),
    ("expected key", "缩进没有对齐，或引号、括号没有配对"),
    ("'-' indicator", "缩进没有对齐：同一列表的各项都以 - 开头，并且对齐"),
    ("document start", "缩进没有对齐"),
    ("node content", "这里缺少内容，或括号没有配对"),
    ("undefined alias", "“*”开头的词要加引号"),
    ("alphabetic or numeric", "“&”、“*”开头的词要加引号"),
    ("second occurrence", "“&”开头的名字用了两次；是一个词就加引号"),
    ("another document", "一个文件里只写一份，请删去 --- 和它以后的内容"),
    ("tab character", "缩进不能用制表符（Tab），请用空格"),
    ("escape character", "双引号里不能这样用反斜杠：请改用单引号"),
    ("comment or line break", "“>”、“|”开头的词要加引号"),
)


def _yaml_problem(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """(line, what is wrong there) for what the parser says in English."""
    if isinstance(error, yaml.reader.ReaderError):
        return text.encode()[: error.position].count(b"\n") + 1, "有看不见的控制字符，请删去这一行重写"
    mark, problem = getattr(error, "problem_mark", None), str(getattr(error, "problem", ""))
    if "end of stream" in problem:  # what matters is where it began
        mark = getattr(error, "context_mark", None) or mark
    line = mark.line + 1 if mark else 1
    if "cannot start any token" in problem and mark:
        sign = text[mark.index : mark.index + 1]
        return line, "缩进不能用制表符（Tab），请用空格" if sign == "\t" else _UNQUOTED.format(sign, sign)
    told = (said for words, said in _YAML_PROBLEMS if words in problem)
    return line, next(told, "这一行附近的写法不对，请检查缩进、冒号、引号和括号")


class _TooMuch(Exception):
    pass


def _too_deep(text: str) -> bool:
    """Whether composing could overrun the stack: it calls itself for each level, in C, where nothing stops it."""
    if len(text) < _HARMLESS:
        return False
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            return True
    return False


@dataclass(slots=True)
class _Plain:
    """YAML nodes as dicts, lists and texts; notes lines and errors on the way."""

    file: Path
    lines: dict[Location, int]
    errors: list[str]
    _above: set[int] = field(default_factory=set)

    def value(self, node: yaml.Node, at: Location) -> Any:
        line = node.start_mark.line + 1
        if len(self.lines) >= _MOST_VALUES:  # a few lines of references to references stand for billions
            raise _TooMuch(f"{self.file}:{line}: 内容太多（超过 {_MOST_VALUES} 项）；请减少引用（&、*）或拆成多个文件")
        self.lines[at] = line
        if id(node) in self._above:
            self.errors.append(f"{self.file}:{line}: 引用（&、*）绕成了圈")
            return None
        self._above.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.value(item, (*at, n)) for n, item in enumerate(node.value)]
            return self._mapping(node, at) if isinstance(node, yaml.MappingNode) else node.value
        finally:
            self._above.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, at: Location) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in plain:
                self.errors.append(f"{self.file}:{key.start_mark.line + 1}: 重复的键 {name}")
            plain[name] = self.value(value, (*at, name))
        return plain
