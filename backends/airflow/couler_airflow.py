"""Builds an Airflow DAG from every NAME.couler.json below the folder this file lies in.

`couler compile -t airflow` writes the documents; this file is the same for all of them and is put into the DAGs folder
once (`couler airflow install FOLDER`). It runs on Airflow 2.10, 2.11 and 3.x.

A document that is broken does not take the others down: it is logged and listed as an import error of its own path,
with the place in it. With COULER_STRICT=1 it is an import error of this file, which builds nothing then. To keep
workflows further apart, write a file of two lines for each beside it:

    from couler_airflow import load  # an Airflow dag
    dag = load("NAME.couler.json")

and set COULER_AIRFLOW_SCAN=off, so that this file builds none itself.

Settings, in airflow.cfg or the environment:

    [couler] root    folder that all workers share, for the files of runs; default AIRFLOW_HOME/couler
                     (AIRFLOW__COULER__ROOT)
    [couler] poll    seconds between looks at the run of a part; default 10
    CW_SECRETS       folder with NAME/KEY files for secret() and config(); without it, Airflow Variables:
                     the variable NAME holds a JSON object with KEY

Sections: values, expressions, documents, one task at run time, steps, kinds of tasks, DAGs, the folder.
"""

from __future__ import annotations

import datetime
import errno
import fcntl
import hashlib
import importlib
import json
import logging
import math
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import uuid
import zoneinfo
from collections.abc import Callable, Iterator
from typing import Any

log = logging.getLogger("couler")

DOCUMENT_VERSION = 1
SUFFIX = ".couler.json"
RECORD = "couler"  # XCom key of a task's record
CALL = "couler-call"  # of what a trigger task hands to the run that it starts
INT_LIMIT = 2**53 - 1
TEXT_LIMIT = 120_000  # bytes of one value; \ $ { [ and blanks other than space count as five
STEP_LIMIT = 512 * 1024  # bytes of all values of a step
LIST_LIMIT = 1_000_000
STRING_LIMIT = 16 * 1024 * 1024
JSON_DEPTH = 200
FOR_LIMIT = 1000  # elements of one `for`
EXIT_VALUE = 121  # a broken value rule, or an input that could not be evaluated
EXIT_TIMEOUT = 124
EXIT_NOT_FOUND = 127
GRACE = 5.0  # seconds between TERM and KILL
POLL = 1.0  # seconds between looks at a lock
KEPT_ENV = ("PATH", "HOME", "USER", "LANG", "TZ")


def _first(*places: str) -> Any:
    """The first of "module:name" that this Airflow has."""
    for place in places:
        module, name = place.split(":")
        try:
            return getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            continue
    raise ImportError("this Airflow has none of " + ", ".join(places))


DAG = _first("airflow.sdk:DAG", "airflow.models.dag:DAG")
BaseOperator = _first("airflow.sdk:BaseOperator", "airflow.models.baseoperator:BaseOperator")
BaseSensorOperator = _first(
    "airflow.sdk.bases.sensor:BaseSensorOperator", "airflow.sensors.base:BaseSensorOperator"
)
TaskGroup = _first("airflow.sdk:TaskGroup", "airflow.utils.task_group:TaskGroup")
XComArg = _first("airflow.sdk:XComArg", "airflow.models.xcom_arg:XComArg")
Param = _first("airflow.sdk:Param", "airflow.models.param:Param")
Variable = _first("airflow.sdk:Variable", "airflow.models.variable:Variable")
get_parsing_context = _first(
    "airflow.sdk:get_parsing_context", "airflow.utils.dag_parsing_context:get_parsing_context"
)
AirflowException = _first("airflow.sdk.exceptions:AirflowException", "airflow.exceptions:AirflowException")
AirflowFailException = _first(
    "airflow.sdk.exceptions:AirflowFailException", "airflow.exceptions:AirflowFailException"
)
AirflowSkipException = _first(
    "airflow.sdk.exceptions:AirflowSkipException", "airflow.exceptions:AirflowSkipException"
)
AirflowClusterPolicySkipDag = _first(
    "airflow.exceptions:AirflowClusterPolicySkipDag", "airflow.sdk.exceptions:AirflowException"
)
AirflowTaskTimeout = _first(
    "airflow.sdk.exceptions:AirflowTaskTimeout", "airflow.exceptions:AirflowTaskTimeout"
)
mask_secret = _first("airflow.sdk.log:mask_secret", "airflow.utils.log.secrets_masker:mask_secret")
conf = _first("airflow.configuration:conf")
try:
    AIRFLOW = tuple(int(x) for x in re.findall(r"\d+", importlib.import_module("airflow.version").version)[:3])
except ImportError:  # the package of the task runner alone
    AIRFLOW = (3, 0, 0)


# ---------------------------------------------------------------- values
#
# A value of the language. `v` holds: string, file, dir: str; int, size: int; float, duration (seconds): float;
# bool: bool; time: (seconds since 1970, nanoseconds); json: the data, its numbers as floats; a list: a Python list of
# values. `text` is the exact text of a value that came from outside: a bare reference passes it on unchanged.
# An absent value is None.


class CoulerError(Exception):
    """What a user did, or a document says, that cannot be."""


class EvalError(CoulerError):
    """An expression has no value: it fails the task that needs it."""


class Value:
    __slots__ = ("kind", "many", "sha256", "text", "v")

    def __init__(self, kind: str, v: Any, many: bool = False, text: str | None = None, sha256: str | None = None):
        self.kind, self.v, self.many, self.text, self.sha256 = kind, v, many, text, sha256

    @property
    def type(self) -> str:
        return f"list<{self.kind}>" if self.many else self.kind

    def bare(self) -> Value:
        """The same without its outside text, as an element of a list is."""
        return self if self.text is None else Value(self.kind, self.v, self.many, None, self.sha256)


KINDS = frozenset(("string", "int", "float", "bool", "json", "time", "duration", "size", "file", "dir", "any"))
_types: dict[str, tuple[str, bool, bool]] = {}


def type_of(name: str) -> tuple[str, bool, bool]:
    """"list<int>?" is ("int", True, True): kind, list, optional."""
    t = _types.get(name)
    if t is None:
        s = name[:-1] if name.endswith("?") else name
        many = s.startswith("list<") and s.endswith(">")
        kind = s[5:-1] if many else s
        if kind not in KINDS:
            raise CoulerError(f"no type {name!r}")
        t = _types[name] = (kind, many, name.endswith("?"))
    return t


def string(s: str) -> Value:
    return Value("string", s)


def boolean(b: bool) -> Value:
    return Value("bool", b)


def integer(i: int) -> Value:
    if abs(i) > INT_LIMIT:
        raise EvalError(f"the result is outside of \u00b1{INT_LIMIT}, the range of int")
    return Value("int", i)


def real(d: float, kind: str = "float") -> Value:
    if not math.isfinite(d):
        raise EvalError("the result is not a number" if math.isnan(d) else "the result is too large for a float")
    return Value(kind, d + 0.0 if d else 0.0)


def list_of(kind: str, values: list[Value]) -> Value:
    if len(values) > LIST_LIMIT:
        raise EvalError(f"the list has over {LIST_LIMIT:,} elements")
    return Value(kind, values, True)


# ---- numbers as text: RFC 8785, which is ECMAScript's Number::toString


def float_text(d: float) -> str:
    if math.isnan(d):
        return "nan"
    if math.isinf(d):
        return "inf" if d > 0 else "-inf"
    if d == 0:
        return "0"
    sign, d = ("-", -d) if d < 0 else ("", d)
    mantissa, _, exponent = repr(d).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + ("" if fraction == "0" else fraction)
    point = len(whole) + int(exponent or 0)
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    digits = stripped.rstrip("0")
    n = len(digits)
    if n <= point <= 21:
        return sign + digits + "0" * (point - n)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    e = point - 1
    return f"{sign}{digits[0]}{'.' + digits[1:] if n > 1 else ''}e{'+' if e >= 0 else '-'}{abs(e)}"


_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z", re.ASCII)
_INT = re.compile(r"-?(?:0|[1-9][0-9]*)\Z", re.ASCII)
_DURATION = re.compile(r"(?:([0-9.]+)d)?(?:([0-9.]+)h)?(?:([0-9.]+)m)?(?:([0-9.]+)s)?(?:([0-9.]+)ms)?\Z", re.ASCII)
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)(Ti|Gi|Mi|Ki|TB|GB|MB|KB|B)\Z", re.ASCII)
_DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]+)?\Z", re.ASCII)
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))\Z", re.ASCII
)
_SIZE_UNITS = {
    **{u: 1024 ** (i + 1) for i, u in enumerate(("Ki", "Mi", "Gi", "Ti"))},
    **{u: 1000**i for i, u in enumerate(("B", "KB", "MB", "GB", "TB"))},
}


def number(s: str) -> float | None:
    """A JSON number; None if s is none; infinite past the range of doubles."""
    return float(s) + 0.0 if _JSON_NUMBER.match(s) else None


def _scaled(digits: str, mul: int, shift: int = 0) -> float:
    from fractions import Fraction

    f = Fraction(digits) * mul
    return float(f * 10**shift if shift >= 0 else f / 10**-shift)


def duration_of(s: str) -> float | None:
    m = _DURATION.match(s)
    if not m or not s or any(g is not None and not _DECIMAL.match(g) for g in m.groups()):
        return None
    units = ((86400, 0), (3600, 0), (60, 0), (1, 0), (1, -3))
    return sum(_scaled(g, mul, shift) for g, (mul, shift) in zip(m.groups(), units) if g is not None)


def size_of(s: str) -> int | None:
    m = _SIZE.match(s)
    n = round(_scaled(m.group(1), _SIZE_UNITS[m.group(2)])) if m else None
    return None if n is None or n > INT_LIMIT else n


# ---- times


def _days(y: int, m: int, d: int) -> int:
    """Days from 1970-01-01 of the proleptic Gregorian calendar, year 0 included."""
    if y == 0:  # datetime starts at year 1; year 0 is a leap year
        return datetime.date(4, m, d).toordinal() - 1461 - 719163
    return datetime.date(y, m, d).toordinal() - 719163


def _date(days: int) -> tuple[int, int, int]:
    n = days + 719163
    if n < 1:
        d = datetime.date.fromordinal(n + 1461)
        return 0, d.month, d.day
    d = datetime.date.fromordinal(n)
    return d.year, d.month, d.day


TIME_MIN = _days(0, 1, 1) * 86400
TIME_MAX = _days(9999, 12, 31) * 86400 + 86399


def time_of(s: str) -> tuple[int, int] | None:
    m = _TIME.match(s)
    if not m:
        return None
    y, mo, d, h, mi, se = (int(x) for x in m.groups()[:6])
    if not (1 <= mo <= 12 and h <= 23 and mi <= 59 and se <= 60):
        return None
    leap = y % 4 == 0 and (y % 100 != 0 or y % 400 == 0)
    if not 1 <= d <= (29 if mo == 2 and leap else (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[mo - 1]):
        return None
    ns = int((m.group(7) or "0")[:9].ljust(9, "0"))
    east = 0
    if m.group(8):
        eh, em = int(m.group(9)), int(m.group(10))
        if eh > 23 or em > 59:
            return None
        east = (eh * 3600 + em * 60) * (1 if m.group(8) == "+" else -1)
    t = _days(y, mo, d) * 86400 + h * 3600 + mi * 60 + se - east
    if (se == 60 and t % 86400) or not TIME_MIN <= t <= TIME_MAX:
        return None
    return t, 0 if se == 60 else ns


def time_text(t: tuple[int, int]) -> str:
    y, mo, d = _date(t[0] // 86400)
    s = t[0] % 86400
    fraction = "." + f"{t[1]:09d}".rstrip("0") if t[1] else ""
    return f"{y:04d}-{mo:02d}-{d:02d}T{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}{fraction}Z"


def time_from(d: datetime.datetime) -> Value:
    if d.tzinfo is None:
        d = d.replace(tzinfo=datetime.timezone.utc)
    delta = d - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return Value("time", (delta.days * 86400 + delta.seconds, delta.microseconds * 1000))


def time_format(sec: int, east: int, form: str) -> str:
    local = sec + east
    days, s = local // 86400, local % 86400
    y, mo, d = _date(days)
    field = {
        "Y": f"{y:04d}", "m": f"{mo:02d}", "d": f"{d:02d}", "H": f"{s // 3600:02d}", "M": f"{s // 60 % 60:02d}",
        "S": f"{s % 60:02d}", "j": f"{days - _days(y, 1, 1) + 1:03d}", "u": str((days + 3) % 7 + 1), "%": "%",
    }  # fmt: skip
    out, i = [], 0
    while i < len(form):
        if form[i] != "%":
            out.append(form[i])
            i += 1
            continue
        if form[i + 1 : i + 2] not in field:
            raise EvalError(f"format_time has no '{form[i : i + 2]}'; it has %Y %m %d %H %M %S %j %u %%")
        out.append(field[form[i + 1]])
        i += 2
    return "".join(out)


# ---- json


def _json_float(s: str) -> float:
    d = float(s)
    if math.isinf(d):
        raise ValueError("a number past the range of doubles")
    return d + 0.0 if d else 0.0


def _no_constant(s: str) -> Any:
    raise ValueError(f"JSON has no {s}")


def _depth_of(j: Any) -> int:
    deepest, stack = 0, [(j, 1)]
    while stack:
        x, depth = stack.pop()
        if isinstance(x, (list, dict)):
            deepest = max(deepest, depth)
            stack.extend((y, depth + 1) for y in (x.values() if isinstance(x, dict) else x))
    return deepest


def json_of(text: str) -> Any:
    """The data of JSON text, numbers as floats. Raises ValueError."""
    try:
        j = json.loads(text, parse_int=_json_float, parse_float=_json_float, parse_constant=_no_constant)
        text.encode()
    except RecursionError:
        raise ValueError(f"nested too deeply ({JSON_DEPTH} levels at most)") from None
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair") from None
    if "\\u" in text and not _paired(j):
        raise ValueError("half of a surrogate pair")
    if _depth_of(j) > JSON_DEPTH:
        raise ValueError(f"nested too deeply ({JSON_DEPTH} levels at most)")
    return j


def _paired(j: Any) -> bool:
    try:
        json.dumps(j, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def json_text(j: Any) -> str:
    """Compact JSON as RFC 8785 has it: members by name, numbers in one way."""
    if isinstance(j, bool) or j is None:
        return {True: "true", False: "false", None: "null"}[j]
    if isinstance(j, (int, float)):
        return float_text(float(j))
    if isinstance(j, str):
        return json.dumps(j, ensure_ascii=False)
    if isinstance(j, list):
        return "[" + ",".join(json_text(x) for x in j) + "]"
    return "{" + ",".join(json.dumps(k, ensure_ascii=False) + ":" + json_text(x) for k, x in sorted(j.items())) + "}"


def json_eq(a: Any, b: Any) -> bool:
    if isinstance(a, bool) or isinstance(b, bool) or a is None or b is None:
        return a is b
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(json_eq, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(json_eq(a[k], b[k]) for k in a)
    return type(a) is type(b) and bool(a == b)


def json_data(data: Any) -> Any:
    """Data as Airflow hands it over, with its numbers as floats."""
    return json_of(json.dumps(data))


# ---- text of values


def canon(v: Value | None) -> str:
    """The text of a value without regard to what it was outside."""
    if v is None:
        return "null"
    if v.many:
        return element_text(v)
    if v.kind in ("string", "file", "dir"):
        return str(v.v)
    if v.kind in ("int", "size"):
        return str(v.v)
    if v.kind in ("float", "duration"):
        return float_text(v.v)
    if v.kind == "bool":
        return "true" if v.v else "false"
    if v.kind == "time":
        return time_text(v.v)
    return json_text(v.v)


def text_of(v: Value | None) -> str:
    """What a step's variable holds."""
    return canon(v) if v is None or v.text is None else v.text


def element_text(v: Value | None) -> str:
    """A value as JSON: what stands in a list."""
    if v is None:
        return "null"
    if v.many:
        return "[" + ",".join(element_text(x) for x in v.v) + "]"
    if v.kind in ("string", "time", "file", "dir") or (v.kind == "float" and not math.isfinite(v.v)):
        return json.dumps(canon(v), ensure_ascii=False)
    return canon(v)


def shown_text(v: Value | None) -> str:
    """What "${x}" gives: of a json string its characters."""
    return str(v.v) if v is not None and v.kind == "json" and not v.many and isinstance(v.v, str) else text_of(v)


def to_json(v: Value | None) -> Any:
    if v is None:
        return None
    if v.many:
        return [to_json(x) for x in v.v]
    if v.kind in ("int", "size"):
        return float(v.v)
    if v.kind in ("float", "duration"):
        if not math.isfinite(v.v):
            raise EvalError("json has no NaN and no infinities")
        return v.v
    if v.kind == "time":
        return time_text(v.v)
    return v.v


def check_text(s: str) -> None:
    try:
        n = len(s.encode())
    except UnicodeEncodeError:
        raise CoulerError("not valid UTF-8") from None
    for c in s:
        if c in "\\${[\t\n\r":
            n += 4
        elif c < " " or c == "\x7f":
            raise CoulerError("control characters other than tab and line ends cannot be passed on")
    if n > TEXT_LIMIT:
        raise CoulerError("over 120,000 bytes (each of \\ $ { [ tab and line ends counts as five): use a file")


def _parse_int(s: str, strict: bool) -> Value:
    if not _INT.match(s):
        raise CoulerError("expected an int such as 42 or -3")
    if abs(int(s)) > INT_LIMIT:
        raise CoulerError(f"expected an int within \u00b1{INT_LIMIT}")
    return Value("int", int(s), text=s)


def _parse_float(s: str, strict: bool) -> Value:
    d = float(s) if s in ("nan", "inf", "-inf") else number(s)
    if d is None:
        raise CoulerError("expected a number such as 0.5, 3 or 1e-4")
    if math.isinf(d) and not strict and s not in ("inf", "-inf"):
        raise CoulerError("expected a number within \u00b11.7976931348623157e308")
    return Value("float", d, text=s)


def _parse_bool(s: str, strict: bool) -> Value:
    if s not in ("true", "false"):
        raise CoulerError("expected true or false")
    return Value("bool", s == "true", text=s)


def _parse_duration(s: str, strict: bool) -> Value:
    d = number(s)
    if d is not None and math.isfinite(d):
        return Value("duration", d, text=s)
    if strict:
        raise CoulerError("expected a duration in seconds such as 5400 or 0.25")
    d = duration_of(s.removeprefix("-"))
    if d is None:
        raise CoulerError("expected a duration such as 1h30m, 30s, or a number of seconds")
    return Value("duration", -d if s.startswith("-") else d)


def _parse_size(s: str, strict: bool) -> Value:
    if _INT.match(s) and 0 <= int(s) <= INT_LIMIT:
        return Value("size", int(s), text=s)
    n = None if strict else size_of(s)
    if n is None:
        raise CoulerError(
            "expected a size in bytes such as 1048576"
            if strict
            else "expected a size such as 16Gi, 500MB, or a number of bytes"
        )
    return Value("size", n)


def _parse_time(s: str, strict: bool) -> Value:
    t = time_of(s)
    if t is None:
        raise CoulerError("expected a time such as 2026-03-01T10:20:30Z (RFC 3339)")
    return Value("time", t)


def _parse_json(s: str, strict: bool) -> Value:
    check_text(s)
    try:
        return Value("json", json_of(s), text=s)
    except ValueError as x:
        raise CoulerError(f"expected JSON: {x}") from None


def _parse_string(s: str, strict: bool) -> Value:
    check_text(s)
    return Value("string", s)


def _parse_path(kind: str) -> Callable[[str, bool], Value]:
    def parse(s: str, strict: bool) -> Value:
        check_text(s)
        if not s:
            raise CoulerError("expected a path or a location, got nothing")
        return Value(kind, s)

    return parse


PARSERS: dict[str, Callable[[str, bool], Value]] = {
    "int": _parse_int, "float": _parse_float, "bool": _parse_bool, "duration": _parse_duration, "size": _parse_size,
    "time": _parse_time, "json": _parse_json, "string": _parse_string, "file": _parse_path("file"),
    "dir": _parse_path("dir"),
}  # fmt: skip


def parse(type_name: str, s: str, strict: bool = True) -> Value:
    """Text checked against a type. strict: the forms that an output may have; else also those of the source ("2Gi")."""
    kind, many, _ = type_of(type_name)
    if not many:
        return PARSERS[kind](s, strict)
    check_text(s)
    try:
        data = json_of(s)
    except ValueError as x:
        raise CoulerError(f"expected JSON: {x}") from None
    if not isinstance(data, list):
        raise CoulerError("expected a JSON list such as [1, 2]")
    values = []
    for i, element in enumerate(data):
        try:
            loose = not strict and isinstance(element, str) and kind in ("duration", "size")
            values.append(parse(kind, element, False) if loose else json_to(element, kind, False))
        except CoulerError as e:
            raise CoulerError(f"element {i}: {e}") from None
    return Value(kind, values, True, s)


def _named(j: Any) -> str:
    if isinstance(j, bool):
        return "a bool"
    names = ((type(None), "null"), (float, "a number"), (str, "a string"), (list, "a list"))
    return next((n for t, n in names if isinstance(j, t)), "an object")


def _misfit(kind: str, many: bool, got: str) -> EvalError:
    return EvalError(f"expected {'list<' + kind + '>' if many else kind}, got {got}")


def json_to(j: Any, kind: str, many: bool) -> Value:
    """JSON data as a value of a type, with a check."""
    if many:
        if not isinstance(j, list):
            raise _misfit(kind, True, _named(j))
        values = []
        for i, x in enumerate(j):
            try:
                values.append(json_to(x, kind, False))
            except CoulerError as e:
                raise EvalError(f"element {i}: {e}") from None
        return list_of(kind, values)
    if kind == "json":
        return Value("json", j)
    if kind == "bool" and isinstance(j, bool):
        return boolean(j)
    if isinstance(j, float):
        if kind in ("float", "duration"):
            return Value(kind, j)
        if kind in ("int", "size"):
            if j != math.trunc(j) or abs(j) > INT_LIMIT or (kind == "size" and j < 0):
                raise _misfit(kind, False, float_text(j))
            return Value(kind, int(j))
    if isinstance(j, str) and (kind in ("string", "time", "file", "dir") or (kind == "float" and j in ("nan", "inf", "-inf"))):
        return parse(kind, j)
    raise _misfit(kind, False, _named(j))


def convert(v: Value | None, type_name: str) -> Value | None:
    kind, many, optional = type_of(type_name)
    if v is None:
        if optional:
            return None
        if kind == "json" and not many:
            return Value("json", None)
        raise _misfit(kind, many, "an absent value")
    if v.kind == kind and v.many == many:
        return v
    if v.kind == "json" and not v.many:
        return json_to(v.v, kind, many)
    if kind == "json" and not many:
        return Value("json", to_json(v))
    if v.many and many:
        return Value(kind, [convert(y, kind) for y in v.v], True)
    if not v.many and not many:
        if v.kind == "int" and kind == "float":
            return Value("float", float(v.v), text=v.text)
        if v.kind == "string" and kind in ("time", "file", "dir"):
            return parse(kind, v.v)
        if v.kind in ("file", "dir") and kind in ("file", "dir"):
            return Value(kind, v.v, text=v.text, sha256=v.sha256)
    raise _misfit(kind, many, v.type)


def equal(a: Value | None, b: Value | None) -> bool:
    if a is None or b is None:
        return a is b
    a_json, b_json = (x.kind == "json" and not x.many for x in (a, b))
    if a_json and b_json:
        return json_eq(a.v, b.v)
    if a_json or b_json:
        return _json_same(a.v, b) if a_json else _json_same(b.v, a)
    if a.many or b.many:
        return a.many and b.many and len(a.v) == len(b.v) and all(map(equal, a.v, b.v))
    if a.kind in ("int", "float") and b.kind in ("int", "float"):
        return bool(a.v == b.v) if a.kind == b.kind else float(a.v) == float(b.v)
    paths = ("file", "dir")
    return (a.kind == b.kind or (a.kind in paths and b.kind in paths)) and bool(a.v == b.v)


def _json_same(j: Any, v: Value) -> bool:
    if v.many:
        same = (json_eq(x, y.v) if y.kind == "json" else _json_same(x, y) for x, y in zip(j, v.v)) if isinstance(j, list) else ()
        return isinstance(j, list) and len(j) == len(v.v) and all(same)
    if v.kind == "time":
        return isinstance(j, str) and time_of(j) == v.v
    if v.kind == "bool":
        return j is v.v
    if v.kind in ("int", "size", "float", "duration"):
        return isinstance(j, float) and j == float(v.v)
    return isinstance(j, str) and j == v.v


def named_kind(v: Value | None) -> str:
    if v is None:
        return "an absent value"
    if v.kind == "json" and not v.many:
        return {"null": "json null"}.get(_named(v.v), "a json " + _named(v.v).split()[-1])
    return v.type


# ---------------------------------------------------------------- expressions
#
# An expression is JSON: a string, true, false, a whole number, null are themselves; a list is an operation,
# ["+", a, b]. It is interpreted here; nothing is ever handed to eval or to a template engine. `Scope` answers what
# references read. OPERATIONS and FUNCTIONS are the whole language; couler-airflow.schema.json documents their shapes.


class Scope:
    """What references in an expression read. reference() raises EvalError; None is an absent value."""

    def reference(self, e: list[Any]) -> Value | None:
        raise EvalError(f"{e[0]!r} has no meaning here")


REFERENCES = frozenset(
    ("out", "status", "exit_code", "loop", "if", "for", "input", "path", "env", "item", "index", "arg", "field")
)
Operation = Callable[[list[Any], Scope], "Value | None"]


def evaluate(e: Any, scope: Scope) -> Value | None:
    if isinstance(e, str):
        return string(e)
    if isinstance(e, bool):
        return boolean(e)
    if isinstance(e, int):
        return integer(e)
    if e is None:
        return None
    if not isinstance(e, list) or not e or not isinstance(e[0], str):
        raise CoulerError(f"no expression: {json.dumps(e)[:80]}")
    if e[0] in REFERENCES:
        return scope.reference(e)
    op = OPERATIONS.get(e[0])
    if op is None:
        raise CoulerError(f"no operation {e[0]!r} in an expression")
    return op(e, scope)


def needed(e: Any, scope: Scope) -> Value:
    v = evaluate(e, scope)
    if v is None:
        raise EvalError("the value is absent: its step was skipped or failed; give it a fallback with ??")
    return v


def condition(e: Any, scope: Scope) -> bool:
    v = evaluate(e, scope)
    if v is None:
        raise EvalError("the condition is absent: its step was skipped; give it a fallback with ??")
    if v.many or v.kind not in ("bool", "json") or not isinstance(v.v, bool):
        raise EvalError(f"a condition must be true or false, got {named_kind(v)}")
    return v.v


def _lit(e: list[Any], scope: Scope) -> Value | None:
    v = parse(e[1], e[2])
    if len(e) > 3:
        v.sha256 = e[3]
    return v


def _at(e: list[Any], scope: Scope) -> Value | None:
    try:
        return evaluate(e[2], scope)
    except EvalError as x:
        if str(x).startswith(e[1]):
            raise
        raise EvalError(f"{e[1]}: {x}") from None


def _list(e: list[Any], scope: Scope) -> Value | None:
    values = [evaluate(x, scope) for x in e[2:]]
    kind, many, _ = type_of(e[1])
    if not many:
        return Value("json", [to_json(v) for v in values])
    if kind == "any":
        kind = next((v.kind for v in values if v is not None), "any")
    out = []
    for i, v in enumerate(values):
        if v is None and kind != "json":
            continue
        try:
            c = convert(v, kind)
        except CoulerError as x:
            raise EvalError(f"element {i}: {x}") from None
        if c is not None:
            out.append(c.bare())
    return list_of(kind, out)


def _map(e: list[Any], scope: Scope) -> Value | None:
    return Value("json", {e[i]: to_json(evaluate(e[i + 1], scope)) for i in range(1, len(e), 2)})


def _concat(e: list[Any], scope: Scope) -> Value | None:
    return limited("".join(shown_text(needed(x, scope)) for x in e[1:]))


def limited(s: str) -> Value:
    if len(s.encode()) > STRING_LIMIT:
        raise EvalError("the text would have over 16 MiB")
    return string(s)


def _cond(e: list[Any], scope: Scope) -> Value | None:
    return evaluate(e[2] if condition(e[1], scope) else e[3], scope)


def _coalesce(e: list[Any], scope: Scope) -> Value | None:
    v = evaluate(e[1], scope)
    return evaluate(e[2], scope) if v is None else v


def _logic(e: list[Any], scope: Scope) -> Value | None:
    a = condition(e[1], scope)
    return boolean(a) if a == (e[0] == "||") else boolean(condition(e[2], scope))


def _not(e: list[Any], scope: Scope) -> Value | None:
    v = needed(e[1], scope)
    if v.many or v.kind != "bool":
        raise EvalError(f"'!' needs true or false, got {named_kind(v)}")
    return boolean(not v.v)


def _equals(e: list[Any], scope: Scope) -> Value | None:
    return boolean(equal(evaluate(e[1], scope), evaluate(e[2], scope)) == (e[0] == "=="))


def _unwrapped(v: Value) -> Value:
    if v.kind == "json" and not v.many:
        if isinstance(v.v, float):
            return Value("float", v.v)
        if isinstance(v.v, str):
            return string(v.v)
    return v


def order(x: Value, y: Value) -> int:
    """-1, 0, 1; 2 where one is NaN."""
    a, b = _unwrapped(x), _unwrapped(y)
    numbers = ("int", "float")
    if a.many or b.many or not ((a.kind in numbers and b.kind in numbers) or a.kind == b.kind):
        raise EvalError(f"{named_kind(x)} and {named_kind(y)} have no order")
    if a.kind in numbers and (a.kind != b.kind or a.kind == "float"):
        p, q = float(a.v), float(b.v)
        return 2 if math.isnan(p) or math.isnan(q) else (p > q) - (p < q)
    if a.kind not in ("int", "string", "time", "duration", "size"):
        raise EvalError(f"{named_kind(x)} and {named_kind(y)} have no order")
    if a.kind == "duration" and (math.isnan(a.v) or math.isnan(b.v)):
        return 2
    return int(a.v > b.v) - int(a.v < b.v)


def _compare(e: list[Any], scope: Scope) -> Value | None:
    c = order(needed(e[1], scope), needed(e[2], scope))
    return boolean(c in {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (1, 0)}[e[0]])


def _in(e: list[Any], scope: Scope) -> Value | None:
    x, many = needed(e[1], scope), needed(e[2], scope)
    if many.many:
        return boolean(any(equal(x, y) for y in many.v))
    if many.kind == "json" and isinstance(many.v, list):
        return boolean(any(equal(x, Value("json", y)) for y in many.v))
    raise EvalError(f"'in' needs a list, got {named_kind(many)}")


def _finite(d: float, kind: str, *operands: Value) -> Value:
    if not math.isfinite(d):
        for v in operands:
            if v.kind == "float" and not math.isfinite(v.v):
                raise EvalError("cannot compute with " + ("nan" if math.isnan(v.v) else "an infinite number"))
    return real(d, kind)


def _arith_float(op: str, kind: str, a: float, b: float, *operands: Value) -> Value:
    try:
        if op == "+":
            return _finite(a + b, kind, *operands)
        if op == "-":
            return _finite(a - b, kind, *operands)
        if op == "*":
            return _finite(a * b, kind, *operands)
        if op == "/":
            if b == 0:
                raise EvalError("division by zero")
            return _finite(a / b, kind, *operands)
    except OverflowError:
        raise EvalError("the result is too large for a float") from None
    raise EvalError(f"'{op}' does not take {named_kind(operands[0])} and {named_kind(operands[1])}")


def _arith_int(op: str, a: int, b: int) -> Value:
    if op in "/%" and b == 0:
        raise EvalError("division by zero")
    if op == "/":
        return real(a / b)
    if op == "%":
        return integer(abs(a) % abs(b) * (1 if a >= 0 else -1))
    return integer(a + b if op == "+" else a - b if op == "-" else a * b)


def _nanoseconds(fraction: float) -> int:
    ns = fraction * 1e9
    return math.floor(ns) + (1 if ns - math.floor(ns) >= 0.5 else 0)


def _shift_time(t: tuple[int, int], d: float) -> Value:
    if abs(d) > 1e12:
        raise EvalError("the time is outside of the years 0000 to 9999")
    whole = math.floor(d)
    ns = t[1] + _nanoseconds(d - whole)
    sec = t[0] + whole + ns // 1_000_000_000
    if not TIME_MIN <= sec <= TIME_MAX:
        raise EvalError("the time is outside of the years 0000 to 9999")
    return Value("time", (sec, ns % 1_000_000_000))


def _arith(e: list[Any], scope: Scope) -> Value | None:
    op, a, b = e[0], needed(e[1], scope), needed(e[2], scope)
    x, y = ("" if v.many else v.kind for v in (a, b))
    numbers = ("int", "float")
    if x == "int" and y == "int":
        return _arith_int(op, a.v, b.v)
    if x in numbers and y in numbers:
        return _arith_float(op, "float", float(a.v), float(b.v), a, b)
    if x == "time" and y == "duration" and op in "+-":
        return _shift_time(a.v, b.v if op == "+" else -b.v)
    if x == "duration" and y == "time" and op == "+":
        return _shift_time(b.v, a.v)
    if x == "time" and y == "time" and op == "-":
        return real(float(a.v[0] - b.v[0]) + (float(a.v[1]) - float(b.v[1])) / 1e9, "duration")
    if x == "duration" and y == "duration" and op in "+-":
        return _arith_float(op, "duration", a.v, b.v, a, b)
    if op == "*" and "duration" in (x, y) and (x in numbers or y in numbers):
        return _arith_float(op, "duration", float(a.v), float(b.v), a, b)
    raise EvalError(f"'{op}' does not take {named_kind(a)} and {named_kind(b)}")


def _neg(e: list[Any], scope: Scope) -> Value | None:
    v = needed(e[1], scope)
    if not v.many and v.kind == "int":
        return integer(-v.v)
    if not v.many and v.kind in ("float", "duration"):
        return _finite(-v.v, v.kind, v)
    raise EvalError(f"'-' does not take {named_kind(v)}")


def _member_of(v: Value, key: str) -> Value:
    if isinstance(v.v, dict):
        if key in v.v:
            return Value("json", v.v[key])
        raise EvalError(f"the json object has no member '{key}'")
    raise EvalError(f"no member '{key}': the value is {named_kind(v)}")


def _member(e: list[Any], scope: Scope) -> Value | None:
    v = needed(e[2], scope)
    if v.many or v.kind != "json":
        raise EvalError(f"{named_kind(v)} has no members")
    return _member_of(v, e[1])


def _index(e: list[Any], scope: Scope) -> Value | None:
    x, i = needed(e[1], scope), needed(e[2], scope)
    is_json = x.kind == "json" and not x.many
    if is_json and i.kind == "string" and not i.many:
        return _member_of(x, i.v)
    if i.many or i.kind != "int":
        raise EvalError(f"an index must be an int, got {named_kind(i)}")
    if not x.many and not (is_json and isinstance(x.v, list)):
        raise EvalError(f"only a list has elements, this is {named_kind(x)}")
    n = len(x.v)
    if not 0 <= i.v < n:
        more = "the list is empty" if not n else f"the list has {n} element{'s' if n > 1 else ''}, 0 to {n - 1}"
        raise EvalError(f"index {i.v} is out of range: {more}")
    return Value("json", x.v[i.v]) if is_json else x.v[i.v].bare()


def _call(e: list[Any], scope: Scope) -> Value | None:
    fn = FUNCTIONS.get(e[1])
    if fn is None:
        raise CoulerError(f"no function {e[1]!r} in an expression")
    if e[1] in ("present", "json"):
        return fn(*(evaluate(x, scope) for x in e[2:]))
    return fn(*(needed(x, scope) for x in e[2:]))


def _conv(e: list[Any], scope: Scope) -> Value | None:
    return convert(evaluate(e[2], scope), e[1])


OPERATIONS: dict[str, Operation] = {
    "lit": _lit, "at": _at, "list": _list, "map": _map, "text": _concat, "?:": _cond, "??": _coalesce,
    "||": _logic, "&&": _logic, "!": _not, "==": _equals, "!=": _equals, "<": _compare, "<=": _compare,
    ">": _compare, ">=": _compare, "in": _in, "+": _arith, "-": _arith, "*": _arith, "/": _arith, "%": _arith,
    "neg": _neg, ".": _member, "[]": _index, "call": _call, "conv": _conv,
}  # fmt: skip


# ---- functions


def _wrong(name: str, v: Value | None) -> EvalError:
    return EvalError(f"{name} does not take {named_kind(v)}")


def _characters(name: str, v: Value) -> str:
    if not v.many and (v.kind == "string" or (v.kind == "json" and isinstance(v.v, str))):
        return str(v.v)
    raise _wrong(name, v)


def _fn_len(v: Value) -> Value:
    if v.many or v.kind == "string" or (v.kind == "json" and isinstance(v.v, (list, dict, str))):
        return integer(len(v.v))
    raise _wrong("len", v)


def _fn_range(*args: Value) -> Value:
    for v in args:
        if v.many or v.kind != "int":
            raise _wrong("range", v)
    a, b = (0, args[0].v) if len(args) == 1 else (args[0].v, args[1].v)
    if b - a > LIST_LIMIT:
        raise EvalError(f"the range has {b - a} elements; a list has at most 1,000,000")
    return Value("int", [integer(i) for i in range(a, b)], True)


def _operands(args: tuple[Value, ...]) -> list[Value]:
    return args[0].v if len(args) == 1 and args[0].many else list(args)


def _extreme(name: str, sign: int) -> Callable[..., tuple[int, list[Value]]]:
    def find(*args: Value) -> tuple[int, list[Value]]:
        v = _operands(args)
        if not v:
            raise EvalError(f"{name} of an empty list")
        best = 0
        for i, x in enumerate(v):
            c = order(x, v[best])
            if c == 2:
                raise EvalError("cannot compute with nan")
            if c == sign:
                best = i
        return best, v

    return find


def _fn_extreme(name: str, sign: int) -> Callable[..., Value]:
    find = _extreme(name, sign)

    def fn(*args: Value) -> Value:
        i, v = find(*args)
        return _finite(v[i].v, v[i].kind, v[i]) if not v[i].many and v[i].kind in ("float", "duration") else v[i].bare()

    return fn


def _fn_arg(name: str, sign: int) -> Callable[..., Value]:
    find = _extreme(name, sign)
    return lambda *args: integer(find(*args)[0])


def _fn_sum(name: str) -> Callable[..., Value]:
    def fn(*args: Value) -> Value:
        v = _operands(args)
        kind, ints, whole, total = "float", True, 0, 0.0
        for x in v:
            if x.many or x.kind not in ("int", "float", "duration"):
                raise _wrong(name, x)
            total += float(x.v)
            if x.kind != "int":
                ints = False
                kind = "duration" if x.kind == "duration" else kind
            elif ints:
                whole = integer(whole + x.v).v
        if name == "mean":
            if not v:
                raise EvalError("mean of an empty list")
            return _finite(total / len(v), kind, *v)
        if not v and args[0].kind == "duration":
            return real(0.0, "duration")
        return integer(whole) if ints else _finite(total, kind, *v)

    return fn


def _fn_index_of(many: Value, x: Value) -> Value:
    if not many.many:
        raise _wrong("index_of", many)
    return integer(next((i for i, y in enumerate(many.v) if equal(y, x)), -1))


def _cannot(name: str, v: Value, want: str) -> EvalError:
    s = shown_text(v)
    return EvalError(f"{name} cannot read {s[:40] + '...' if len(s) > 40 else s!r} ({named_kind(v)}): {want}")


def _int_of_float(d: float) -> Value:
    if not math.isfinite(d):
        raise EvalError("cannot compute with " + ("nan" if math.isnan(d) else "an infinite number"))
    return integer(math.trunc(d))


def _fn_int(v: Value) -> Value:
    if v.many:
        raise _wrong("int", v)
    if v.kind == "int":
        return v
    if v.kind == "size":
        return integer(v.v)
    if v.kind in ("float", "duration") or (v.kind == "json" and isinstance(v.v, float)):
        return _int_of_float(v.v)
    if v.kind in ("string", "json") and isinstance(v.v, str):
        digits = v.v.removeprefix("-")
        if not digits or not digits.isascii() or not digits.isdigit():
            raise _cannot("int", v, "expected digits only" if digits else "expected digits")
        return integer(int(v.v) if len(digits.lstrip("0")) < 20 else INT_LIMIT + 1)
    raise _cannot("int", v, "expected a number or digits")


def _fn_float(v: Value) -> Value:
    if v.many:
        raise _wrong("float", v)
    if v.kind == "float":
        return v
    if v.kind in ("duration", "int", "size") or (v.kind == "json" and isinstance(v.v, float)):
        return real(float(v.v))
    if v.kind in ("string", "json") and isinstance(v.v, str):
        minus, digits = ("-", v.v[1:]) if v.v.startswith("-") else ("", v.v)
        d = number(re.sub(r"\A0+(?=[0-9])", "", digits))
        if d is None or digits.startswith("-"):
            raise _cannot("float", v, "expected a number such as 0.5 or 1e-4")
        return real(-d if minus else d)
    raise _cannot("float", v, "expected a number")


def _fn_bool(v: Value) -> Value:
    if v.many:
        raise _wrong("bool", v)
    if v.kind == "bool":
        return v
    if v.kind == "json" and isinstance(v.v, bool):
        return boolean(v.v)
    if v.kind in ("string", "json") and v.v in ("true", "false"):
        return boolean(v.v == "true")
    raise _cannot("bool", v, "expected true or false")


def _fn_parse_json(v: Value) -> Value:
    try:
        return Value("json", json_of(_characters("parse_json", v)))
    except ValueError as x:
        raise EvalError(f"the text is no JSON: {x}") from None


def _fn_join(many: Value, sep: Value) -> Value:
    s = _characters("join", sep)
    if not many.many:
        raise _wrong("join", many)
    return limited(s.join(shown_text(x) for x in many.v))


def _fn_split(v: Value, sep: Value) -> Value:
    s, at = _characters("split", v), _characters("split", sep)
    if not at:
        raise EvalError("split needs a separator of one character or more")
    return list_of("string", [string(x) for x in s.split(at)])


def _fn_basename(v: Value) -> Value:
    s = _characters("basename", v)
    end = s.rstrip("/")
    return string(end.rsplit("/", 1)[-1] if end else "/" if s else ".")


def _fn_dirname(v: Value) -> Value:
    s = _characters("dirname", v)
    end = s.rstrip("/")
    if not end:
        return string("/" if s else ".")
    if "/" not in end:
        return string(".")
    return string(end.rsplit("/", 1)[0].rstrip("/") or "/")


def _fn_contains(v: Value, x: Value) -> Value:
    if v.many:
        return boolean(any(equal(y, x) for y in v.v))
    return boolean(_characters("contains", x) in _characters("contains", v))


def _fn_case(name: str, up: bool) -> Callable[..., Value]:
    def fn(v: Value) -> Value:
        s = _characters(name, v)
        if not s.isascii():
            at = next(i for i, c in enumerate(s) if not c.isascii())
            raise EvalError(f"{name} takes ASCII only, and character {at + 1} is not")
        return string(s.upper() if up else s.lower())

    return fn


def _fn_replace(v: Value, old: Value, new: Value) -> Value:
    s, a, b = (_characters("replace", x) for x in (v, old, new))
    if not a:
        raise EvalError("replace needs something to look for, this is empty")
    return limited(s.replace(a, b))


def _fn_pad(v: Value, width: Value, *fill: Value) -> Value:
    f = _characters("pad", fill[0]) if fill else " "
    if len(f) != 1:
        raise EvalError("pad fills with one character")
    if width.many or width.kind != "int":
        raise _wrong("pad", width)
    s = shown_text(v)
    if (width.v - len(s)) * len(f.encode()) > STRING_LIMIT:
        raise EvalError("the text would have over 16 MiB")
    return limited(f * (width.v - len(s)) + s)


def _fn_format_time(t: Value, form: Value, *zone: Value) -> Value:
    if t.many or t.kind != "time":
        raise _wrong("format_time", t)
    east = 0
    if zone:
        name = _characters("format_time", zone[0])
        try:
            moment = datetime.datetime.fromtimestamp(t.v[0], zoneinfo.ZoneInfo(name))
            offset = moment.utcoffset()
            east = int(offset.total_seconds()) if offset is not None else 0
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise EvalError(f"no time zone '{name}': expected an IANA name such as Europe/Berlin") from None
    if not TIME_MIN <= t.v[0] + east <= TIME_MAX:
        raise EvalError("the time is outside of the years 0000 to 9999")
    return string(time_format(t.v[0], east, _characters("format_time", form)))


def _fn_file(v: Value, *sha256: Value) -> Value:
    if v.many or v.kind not in ("string", "file"):
        raise _wrong("file", v)
    if not v.v:
        raise EvalError("file needs a path or a location, got nothing")
    digest = _characters("file", sha256[0]).lower() if sha256 else None
    if digest is not None and not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise EvalError("sha256 is 64 hexadecimal digits")
    return Value("file", v.v, sha256=digest)


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "len": _fn_len, "range": _fn_range, "min": _fn_extreme("min", -1), "max": _fn_extreme("max", 1),
    "sum": _fn_sum("sum"), "mean": _fn_sum("mean"), "argmin": _fn_arg("argmin", -1), "argmax": _fn_arg("argmax", 1),
    "index_of": _fn_index_of, "present": lambda v: boolean(v is not None), "str": lambda v: limited(shown_text(v)),
    "int": _fn_int, "float": _fn_float, "bool": _fn_bool, "json": lambda v: Value("json", to_json(v)),
    "parse_json": _fn_parse_json, "join": _fn_join, "split": _fn_split, "basename": _fn_basename,
    "dirname": _fn_dirname, "contains": _fn_contains,
    "starts_with": lambda s, p: boolean(_characters("starts_with", s).startswith(_characters("starts_with", p))),
    "ends_with": lambda s, p: boolean(_characters("ends_with", s).endswith(_characters("ends_with", p))),
    "lower": _fn_case("lower", False), "upper": _fn_case("upper", True), "replace": _fn_replace, "pad": _fn_pad,
    "format_time": _fn_format_time, "file": _fn_file,
}  # fmt: skip


# ---------------------------------------------------------------- documents
#
# One NAME.couler.json, checked as a whole before anything is built of it, so that what somebody changed by hand is found
# at its place. couler-airflow.schema.json says the same for editors. Task ids with a hyphen are couler's own.

BEGIN, END, RESULT = "couler-begin", "couler-end", "couler-result"
FIELDS = ("run_id", "start_time", "scheduled_time", "url")  # of workflow
ID = re.compile(r"[A-Za-z0-9_.-]{1,250}\Z")
LONGEST = 1e9  # seconds; datetime.timedelta takes a little more

# A check looks at a part of a document and raises Wrong. Names: what stands in the document, by the table it stands in.
Names = dict[str, frozenset[str]]
Check = Callable[[Any, Names], None]


class Wrong(CoulerError):
    """Something in a document is not what it should be; `path` is the way to it, filled on the way out."""

    def __init__(self, message: str):
        super().__init__(message)
        self.path: list[str | int] = []

    def inside(self, key: str | int) -> Wrong:
        self.path.insert(0, key)
        return self

    def __str__(self) -> str:
        way = "".join(f"[{k}]" if isinstance(k, int) else f".{k}" if ID.match(k) else f"[{json.dumps(k)}]" for k in self.path)
        return f"{way.removeprefix('.') or 'document'}: {self.args[0]}"


def _shown(x: Any) -> str:
    s = json.dumps(x)
    return s if len(s) <= 60 else s[:57] + "..."


def _fact(expected: str, holds: Callable[[Any], bool]) -> Check:
    def check(x: Any, names: Names) -> None:
        if not holds(x):
            raise Wrong(f"expected {expected}, got {_shown(x)}")

    return check


def _one_of(*words: str) -> Check:
    return _fact(f"one of {', '.join(words)}" if len(words) > 1 else repr(words[0]), lambda x: isinstance(x, str) and x in words)


def _name(table: str, what: str) -> Check:
    def check(x: Any, names: Names) -> None:
        if not isinstance(x, str) or x not in names[table]:
            raise Wrong(f"expected {what}, got {_shown(x)}, which is none of this document")

    return check


def _list_of(item: Check, least: int = 0) -> Check:
    def check(x: Any, names: Names) -> None:
        if not isinstance(x, list) or len(x) < least:
            raise Wrong(f"expected a list{' of ' + str(least) + ' or more' if least else ''}, got {_shown(x)}")
        for i, y in enumerate(x):
            try:
                item(y, names)
            except Wrong as w:
                raise w.inside(i) from None

    return check


def _row(*items: Check, rest: Check | None = None, least: int | None = None) -> Check:
    """A list with a meaning for each place."""
    n = len(items)
    least = n if least is None else least

    def check(x: Any, names: Names) -> None:
        if not isinstance(x, list) or len(x) < least or (rest is None and len(x) > n):
            raise Wrong(f"expected a list of {least if least == n and rest is None else f'{least} or more'}, got {_shown(x)}")
        for i, y in enumerate(x):
            item = items[i] if i < n else rest
            try:
                if item is not None:
                    item(y, names)
            except Wrong as w:
                raise w.inside(i) from None

    return check


def _map_of(item: Check, key: Check | None = None) -> Check:
    def check(x: Any, names: Names) -> None:
        if not isinstance(x, dict):
            raise Wrong(f"expected an object, got {_shown(x)}")
        for k, y in x.items():
            try:
                if key is not None:
                    key(k, names)
                item(y, names)
            except Wrong as w:
                raise w.inside(k) from None

    return check


def _record(fields: dict[str, Check], *required: str) -> Check:
    def check(x: Any, names: Names) -> None:
        if not isinstance(x, dict):
            raise Wrong(f"expected an object, got {_shown(x)}")
        for k, y in x.items():
            field = fields.get(k)
            if field is None:
                raise Wrong(f"no field {k!r}; there are {', '.join(fields)}" if len(fields) <= 12 else f"no field {k!r}")
            try:
                field(y, names)
            except Wrong as w:
                raise w.inside(k) from None
        for k in required:
            if k not in x:
                raise Wrong(f"the field {k!r} is missing")

    return check


def _is_whole(x: Any) -> bool:
    return isinstance(x, int) and not isinstance(x, bool)


def _is_type(x: Any) -> bool:
    try:
        return isinstance(x, str) and bool(type_of(x))
    except CoulerError:
        return False


def _is_date(x: Any) -> bool:
    try:
        return isinstance(x, str) and bool(datetime.datetime.fromisoformat(x))
    except ValueError:
        return False


def _is_zone(x: Any) -> bool:
    try:
        return isinstance(x, str) and bool(zoneinfo.ZoneInfo(x))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False


_text = _fact("a text", lambda x: isinstance(x, str))
_flag = _fact("true or false", lambda x: isinstance(x, bool))
_whole = _fact("a whole number", _is_whole)
_count = _fact("a whole number, 0 or more", lambda x: _is_whole(x) and x >= 0)
_positive = _fact("a whole number, 1 or more", lambda x: _is_whole(x) and x >= 1)
_number = _fact("a number", lambda x: _is_whole(x) or isinstance(x, float))
_seconds = _fact(f"seconds, 0 to {LONGEST:.0f}", lambda x: (_is_whole(x) or isinstance(x, float)) and 0 <= x <= LONGEST)
_id = _fact("1 to 250 of letters, digits, _ . -", lambda x: isinstance(x, str) and bool(ID.match(x)))
_type = _fact("a type such as string or list<file>", _is_type)
_cron = _fact("five fields such as 0 2 * * 1-5", lambda x: isinstance(x, str) and bool(re.fullmatch(r"[0-9*,/-]+( +[0-9*,/-]+){4}", x)))
_zone = _fact("a time zone such as Europe/Berlin", _is_zone)
_object = _fact("an object", lambda x: isinstance(x, dict))
_any = _fact("a value", lambda x: True)
_texts = _list_of(_text)
_task, _loop, _table = _name("tasks", "the id of a task"), _name("loops", "a key of loops"), _name("tables", "a key of tables")


def _expression(x: Any, names: Names) -> None:
    """A text, true, false, null and a whole number are themselves; anything else is [operation, operand, ...]."""
    if isinstance(x, list):
        operation = EXPRESSIONS.get(x[0]) if x and isinstance(x[0], str) else None
        if operation is None:
            raise Wrong(f"expected an expression: an operation and its operands, got {_shown(x)}")
        operation(x, names)
    elif not (x is None or isinstance(x, (str, int))):
        raise Wrong(f"expected an expression, got {_shown(x)}")


_expressions = _map_of(_expression)
_binary, _unary = _row(_any, _expression, _expression), _row(_any, _expression)
EXPRESSIONS: dict[str, Check] = {
    "out": _row(_any, _task, _text), "status": _row(_any, _task), "exit_code": _row(_any, _task),
    "loop": _row(_any, _list_of(_task, 1), _text), "if": _row(_any, _task, _list_of(_expression), _flag),
    "for": _row(_any, _loop, _type, _expression), "item": _row(_any, _loop), "index": _row(_any, _loop),
    "arg": _row(_any, _loop, _text), "input": _row(_any, _text), "path": _row(_any, _text), "env": _row(_any, _text),
    "field": _row(_any, _one_of(*FIELDS)),
    "lit": _row(_any, _type, _text, _text, least=3), "at": _row(_any, _text, _expression),
    "list": _row(_any, _type, rest=_expression), "map": _row(_any, rest=_expression), "text": _row(_any, rest=_expression),
    "?:": _row(_any, _expression, _expression, _expression), "neg": _unary, "!": _unary,
    **dict.fromkeys(("??", "||", "&&", "==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/", "%", "[]"), _binary),
    ".": _row(_any, _text, _expression), "call": _row(_any, _one_of(*FUNCTIONS), rest=_expression),
    "conv": _row(_any, _type, _expression),
}  # fmt: skip

_locks = _list_of(_row(_expression, _positive))
_param: dict[str, Check] = {"value": _expression, "in": _expression}
_stored = _record({"secret": _row(_text, _text), "config": _row(_text, _text)})


def _secret(x: Any, names: Names) -> None:
    _stored(x, names)
    if len(x) != 1:
        raise Wrong(f"expected one of secret and config, got {_shown(x)}")


TASK_FIELDS: dict[str, Check] = {
    "task_id": _id, "kind": _any, "name": _text, "label": _text, "doc": _text, "at": _text,
    "group": _name("groups", "a key of groups"), "dependencies": _list_of(_task),
    "trigger_rule": _one_of("all_done", "none_failed"),
    "within": _record({"task": _task, "branch": _count, "round": _flag, "on": _one_of("success", "failure", "exit")}, "task"),
    "after": _list_of(_row(_task, _flag)), "scope": _text, "loop": _loop,
    "handler": _one_of("success", "failure", "exit"), "trial": _flag, "allow_failure": _flag,
    "step": _name("steps", "a key of steps"), "in": _expressions, "to": _expressions,
    "env": _map_of(lambda x, names: (_secret if isinstance(x, dict) else _expression)(x, names)),
    "env_from": _list_of(_row(_one_of("secret", "config"), _text)),
    "image": _expression, "resources": _expressions,
    "mounts": _map_of(_row(_one_of("secret", "config", "claim"), _text)),
    "placement": _record({"labels": _expressions, "annotations": _expressions, "node_selector": _expressions,
                          "service_account_name": _expression, "tolerations": _list_of(_map_of(_text))}),
    "locks": _locks, "retries": _count, "retry_delay": _seconds, "max_retry_delay": _seconds,
    "retry_exponential_backoff": _number,
    "retry_on": lambda x, names: (_list_of(_whole) if isinstance(x, list) else _one_of("any", "error", "failure"))(x, names),
    "cache": _record({"ttl": _seconds, "version": _text, "key": _list_of(_expression)}),
    "retry_within": _seconds, "execution_timeout": _expression, "max_active_tis_per_dagrun": _positive,
    "priority_weight": _whole, "pool": _text, "pool_slots": _positive, "airflow": _object,
    "conditions": _list_of(_expression), "list": _expression, "type": _type, "states": _expressions,
    "while": _expression, "round": _count, "body": _list_of(_task), "needs": _list_of(_expression), "last": _flag,
    "params": _map_of(_record(_param, "value")), "of": _text, "begin": _task,
    "outputs": _map_of(_record({"value": _expression}, "value")), "table": _table, "trials": _list_of(_task, 1),
    "objective": _text, "minimize": _flag, "goal": _number, "max_failed": _whole, "keep_best": _count,
    "dag": _id, "part": _flag, "trigger": _task,
    "results": _object, "seconds": _seconds, "poke_interval": _seconds, "message": _expression,
    "asks": _list_of(_record({"name": _text, "type": _type, "default": _expression, "in": _expression}, "name", "type")),
}  # fmt: skip

# The kinds of tasks, with the fields each cannot do without.
KIND_FIELDS: dict[str, tuple[str, ...]] = {
    "begin": (), "run": ("step",), "branch": ("conditions",), "each": ("list",), "round": ("round",), "call_begin": (),
    "call_end": ("of", "begin"), "trigger": ("dag",), "triggered": ("trigger",), "best": ("table", "trials"),
    "wait": ("seconds",), "poll": ("step",), "approve": (), "fail": ("message",), "end": (), "result": (),
}  # fmt: skip
_of_kind = {kind: _record(TASK_FIELDS, "task_id", "kind", *fields) for kind, fields in KIND_FIELDS.items()}
_kind = _record({**TASK_FIELDS, "kind": _one_of(*KIND_FIELDS)}, "task_id", "kind")


def _task_fields(x: Any, names: Names) -> None:
    kind = x.get("kind") if isinstance(x, dict) else None
    (_of_kind.get(kind, _kind) if isinstance(kind, str) else _kind)(x, names)


_code_text = _record({"path": _text, "text": _text, "exec": _flag}, "path", "text")
_code_fetched = _record({"path": _text, "location": _text, "sha256": _text, "exec": _flag}, "path", "location", "sha256")


def _code_file(x: Any, names: Names) -> None:
    (_code_fetched if isinstance(x, dict) and "location" in x else _code_text)(x, names)


DOCUMENT = _record(
    {
        "couler": _fact(f"the version {DOCUMENT_VERSION}", lambda x: _is_whole(x) and x == DOCUMENT_VERSION),
        "dag_id": _id, "source": _text, "description": _text, "doc_md": _text,
        "schedule": _record({"cron": _list_of(_cron, 1), "timezone": _zone}, "cron"), "catchup": _flag,
        "start_date": _fact("a date such as 2026-01-01", _is_date),
        "max_active_runs": _positive, "max_active_tasks": _positive, "tags": _texts, "owner": _text,
        "params": _map_of(_record({**_param, "type": _type, "doc": _text, "default": _any, "enum": _list_of(_any)}, "type")),
        "runtime": _record({"kind": _one_of("local", "kubernetes", "docker"), "claim": _text, "namespace": _text}, "kind"),
        "timeout": _expression, "only_if": _expression, "deadline": _seconds, "keep": _seconds, "keep_runs": _count,
        "locks": _locks,
        "scopes": _map_of(_record({"in": _text, "loop": _loop, "fail_fast": _flag, "handler": _flag})),
        "loops": _map_of(_record({"in": _loop, "task": _task, "length": _count, "items": _expression, "table": _table,
                                  "from": _task, "budget": _text})),
        "tables": _map_of(_record({"args": _texts, "types": _list_of(_type), "objective": _text, "minimize": _flag,
                                   "goal": _number, "max_failed": _whole, "budget": _text, "budget_type": _type,
                                   "rows": _list_of(_texts)}, "args", "types", "objective", "rows")),
        "stores": _list_of(_record({"uri": _text, "secret": _text}, "uri")),
        "code": _map_of(_code_file),
        "steps": _map_of(_record({"shell": _text, "script": _text, "command": _list_of(_expression, 1), "args": _list_of(_expression),
                                  "in": _list_of(_row(_text, _type, _text, least=2)),
                                  "out": _list_of(_row(_text, _type, _record({"stdout": _flag, "named": _text}), least=2)),
                                  "code": _list_of(_name("code", "a key of code"))})),
        "groups": _map_of(_record({"in": _name("groups", "a key of groups"), "doc": _text})),
        "tasks": _list_of(_task_fields),
        "outputs": _map_of(_record({"value": _expression, "to": _expression}, "value")),
        "airflow": _object, "max_parallel": _positive, "parts": _list_of(_object),
    },
    "couler", "dag_id", "tasks",
)  # fmt: skip
OF_A_RUN = ("source", "owner", "tags", "start_date", "runtime", "stores")  # what a part has from the document it stands in
AIRFLOW_OF_A_PART = ("default_args", "tags", "access_control", "owner_links", "user_defined_macros", "template_searchpath")


def _names_of(data: Any) -> Names:
    """What may be referred to; nothing where the document has another shape than it should."""
    data = data if isinstance(data, dict) else {}
    names: Names = {}
    for table in ("loops", "tables", "steps", "code", "groups"):
        names[table] = frozenset(data[table]) if isinstance(data.get(table), dict) else frozenset()
    tasks = data["tasks"] if isinstance(data.get("tasks"), list) else []
    ids = (t.get("task_id") for t in tasks if isinstance(t, dict))
    names["tasks"] = frozenset(i for i in ids if isinstance(i, str))
    return names


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        keys = [k for k, _ in pairs]
        raise CoulerError(f"the field {next(k for k in keys if keys.count(k) > 1)!r} stands twice in one object")
    return data


class Document:
    """A checked document. `tasks` by id; `chains`: the loops around each loop, outermost first, itself last.

    A workflow that was split has `parts`, documents of DAGs that its own one starts. A part has the document it stands in
    as `whole`.
    """

    def __init__(self, path: str, data: Any, whole: Document | None = None):
        DOCUMENT(data, _names_of(data))
        self.path, self.data, self.whole = path, data, whole
        if whole is not None:
            if "parts" in data:
                raise Wrong("a part has no parts of its own: all stand in the whole document").inside("parts")
            raw = {k: v for k, v in whole.data.get("airflow", {}).items() if k in AIRFLOW_OF_A_PART}
            self.data = {**{k: whole.data[k] for k in OF_A_RUN if k in whole.data}, **data, "airflow": raw}
        self.dag_id: str = data["dag_id"]
        self.source: str = data.get("source", "")
        self.tasks: dict[str, dict[str, Any]] = {}
        self.loops: dict[str, dict[str, Any]] = data.get("loops", {})
        self.chains = {loop: self._chain(loop) for loop in self.loops}
        self.chains[""] = ()
        self.scopes: dict[str, list[str]] = {}
        for i, t in enumerate(data["tasks"]):
            self._add(i, t)
        self._check_edges()
        self._check_triggers()

    def part(self, i: int) -> Document:
        try:
            return Document(self.path, self.data["parts"][i], self)
        except Wrong as x:
            raise CoulerError(f"parts[{i}].{x}") from None
        except CoulerError as x:
            raise CoulerError(f"parts[{i}]: {x}") from None

    def parts(self) -> list[Document]:
        """The documents of the parts, each checked."""
        return [self.part(i) for i in range(len(self.data.get("parts", ())))]

    def _check_triggers(self) -> None:
        whole = self.whole or self
        known = {p.get("dag_id") for p in whole.data.get("parts", ())}
        for tid, t in self.tasks.items():
            if t["kind"] == "trigger" and t["dag"] not in known:
                raise CoulerError(f"task {tid!r}: dag: no part has the dag_id {t['dag']!r}")
            if t["kind"] == "triggered" and self.tasks[t["trigger"]]["kind"] != "trigger":
                raise CoulerError(f"task {tid!r}: trigger: {t['trigger']!r} is no task of the kind trigger")

    def _chain(self, loop: str) -> tuple[str, ...]:
        chain: list[str] = []
        at: str | None = loop
        while at:
            if at in chain:
                raise CoulerError(f"loops.{loop}.in: the loop is inside of itself")
            if not {"task", "length"} & set(self.loops[at]):
                raise CoulerError(f"loops.{at}: the field 'task' or 'length' is missing")
            if "length" in self.loops[at] and not {"items", "table"} & set(self.loops[at]):
                raise CoulerError(f"loops.{at}: the field 'items' or 'table' is missing")
            chain.append(at)
            at = self.loops[at].get("in")
        return tuple(reversed(chain))

    def _add(self, i: int, t: dict[str, Any]) -> None:
        tid = t["task_id"]
        if tid in self.tasks:
            raise CoulerError(f"tasks[{i}].task_id: {tid!r} stands twice")
        if t["kind"] == "each" and not any(spec.get("task") == tid for spec in self.loops.values()):
            raise CoulerError(f"tasks[{i}].task_id: no loop has the task {tid!r}, which finds its elements")
        self.tasks[tid] = t
        self.scopes.setdefault(t.get("scope", ""), []).append(tid)

    def _check_edges(self) -> None:
        """There is no cycle (Kahn)."""
        waits = dict.fromkeys(self.tasks, 0)
        after: dict[str, list[str]] = {tid: [] for tid in self.tasks}
        for tid, t in self.tasks.items():
            for d in t.get("dependencies", ()):
                after[d].append(tid)
                waits[tid] += 1
        ready = [tid for tid, n in waits.items() if not n]
        seen = 0
        while ready:
            seen += 1
            for d in after[ready.pop()]:
                waits[d] -= 1
                if not waits[d]:
                    ready.append(d)
        if seen < len(self.tasks):
            raise CoulerError("dependencies: a cycle among " + ", ".join(sorted(tid for tid, n in waits.items() if n)[:10]))

    def chain(self, tid: str) -> tuple[str, ...]:
        try:
            return self.chains[self.tasks[tid].get("loop", "")]
        except KeyError:
            raise CoulerError(f"no task {tid!r}") from None

    def scope(self, name: str) -> dict[str, Any]:
        scope: dict[str, Any] = self.data.get("scopes", {}).get(name, {})
        return scope


def read_document(path: str) -> Document:
    try:
        with open(path, encoding="utf-8") as f:
            data = json.load(f, object_pairs_hook=_once, parse_constant=_no_constant)
        return Document(path, data)
    except (OSError, UnicodeDecodeError) as x:
        raise CoulerError(f"{path}: {x}") from x
    except json.JSONDecodeError as x:
        raise CoulerError(f"{path}:{x.lineno}:{x.colno}: no JSON: {x.msg}") from x
    except RecursionError:
        raise CoulerError(f"{path}: nested too deeply") from None
    except (CoulerError, ValueError) as x:
        raise CoulerError(f"{path}: {x}") from None


# ---------------------------------------------------------------- one task at run time
#
# Every task leaves a record under the XCom key `couler`: {status, why, exit_code, index, out: {NAME: [text, type]}}.
# status: succeeded, failed, skipped. why, of a skipped one: condition (an `if` went the other way: what is after it may
# start), upstream (something it needs failed), stopped (fail_fast, a workflow's timeout). Values travel as text, so
# that no number, no key and no string changes on its way through Airflow's serializers.


def pack(v: Value | None) -> list[str] | None:
    return None if v is None else [text_of(v), v.type, *([v.sha256] if v.sha256 else [])]


def unpack(p: list[str] | None) -> Value | None:
    if p is None:
        return None
    kind, many, _ = type_of(p[1])
    if not many and kind in ("string", "file", "dir"):
        return Value(kind, p[0], sha256=p[2] if len(p) > 2 else None)
    if many and kind in ("string", "file", "dir"):
        return Value(kind, [Value(kind, x) for x in json.loads(p[0])], True, p[0])
    return parse(p[1], p[0])


def root_folder() -> str:
    folder = conf.get("couler", "root", fallback="") or os.path.join(
        os.environ.get("AIRFLOW_HOME", os.path.expanduser("~/airflow")), "couler"
    )
    return os.path.abspath(os.path.expanduser(folder))


def file_name(s: str) -> str:
    """s as one component of a path, distinct for distinct s."""
    safe = re.sub(r"[^A-Za-z0-9_.-]", "_", s)[:100]
    return safe if safe == s else f"{safe}.{hashlib.sha256(s.encode()).hexdigest()[:12]}"


class Frame(Scope):
    """References as seen from one place: the element of each loop around it."""

    def __init__(self, run: Running, by: dict[str, int]):
        self.run, self.by = run, by

    def index(self, tid: str) -> tuple[int, ...]:
        try:
            return tuple(self.by[loop] for loop in self.run.doc.chain(tid))
        except KeyError as x:
            raise CoulerError(f"task {tid!r} stands in the loop {x.args[0]!r}, which is not around its reader") from None

    def outcome(self, tid: str) -> dict[str, Any]:
        return self.run.outcome(tid, self.index(tid))

    def inner(self, loop: str, i: int) -> Frame:
        return Frame(self.run, {**self.by, loop: i})

    def reference(self, e: list[Any]) -> Value | None:
        method: Callable[..., Value | None] | None = getattr(self, "_ref_" + e[0], None)
        if method is None:
            raise EvalError(f"{e[0]!r} has no meaning here")
        return method(*e[1:])

    def _ref_out(self, tid: str, name: str) -> Value | None:
        o = self.outcome(tid)
        return unpack(o["out"].get(name)) if o["status"] == "succeeded" else None

    def _ref_status(self, tid: str) -> Value | None:
        return string(self.outcome(tid)["status"])

    def _ref_exit_code(self, tid: str) -> Value | None:
        code = self.outcome(tid).get("exit_code")
        return None if code is None else integer(code)

    def _ref_loop(self, rounds: list[str], name: str) -> Value | None:
        if name == "-status":
            return string(self.loop_status(rounds))
        o = self.loop_outcome(rounds)
        return unpack(o["out"].get(name)) if o["status"] == "succeeded" else None

    def loop_status(self, rounds: list[str]) -> str:
        """A round that was not decided after one that ran: a step of the one before failed."""
        for i, tid in enumerate(rounds):
            o = self.outcome(tid)
            if o["status"] != "succeeded":
                return "failed" if i else str(o["status"])
            if o["out"]["-go"][0] != "true":
                break
        return "succeeded"

    def loop_outcome(self, rounds: list[str]) -> dict[str, Any]:
        """Of the round that ended the loop."""
        o: dict[str, Any] = {}
        for tid in rounds:
            o = self.outcome(tid)
            if o["status"] != "succeeded" or o["out"]["-go"][0] != "true":
                return o
        return o

    def _ref_if(self, tid: str, values: list[Any], status: bool) -> Value | None:
        o = self.outcome(tid)
        taken = int(o["out"]["-branch"][0]) if o["status"] == "succeeded" else -1
        if 0 <= taken < len(values) and values[taken] is not None:
            return evaluate(values[taken], self)
        return string("skipped") if status else None

    def _ref_for(self, loop: str, kind: str, e: Any) -> Value | None:
        length, _ = self.run.length(loop, self)
        if length is None:
            return None
        values = (evaluate(e, self.inner(loop, i)) for i in range(length))
        return list_of(kind, [v.bare() for v in values if v is not None])

    def _ref_item(self, loop: str) -> Value | None:
        return self.run.item(loop, self)

    def _ref_index(self, loop: str) -> Value | None:
        return integer(self.by[loop])

    def _ref_arg(self, loop: str, name: str) -> Value | None:
        return self.run.argument(loop, self.by[loop], name, self)

    def _ref_field(self, name: str) -> Value | None:
        return self.run.field(name)

    def blocked(self, e: Any) -> bool:
        """Whether a producer of something that e reads, taken or not, failed and was not allowed to."""
        if not isinstance(e, list) or not e:
            return False
        op = e[0]
        if op == "out":
            return e[1] != self.run.tid and self.run.blocks(e[1], self.outcome(e[1]))
        if op == "loop":
            if e[2] == "-status":
                return False
            return self.run.blocks(e[1][0], self.loop_outcome(e[1]))
        if op in ("status", "exit_code", "lit"):
            return False
        if op == "if":
            o = self.outcome(e[1])
            if o["status"] != "succeeded":
                return not e[3] and self.run.blocks(e[1], o)
            taken = int(o["out"]["-branch"][0])
            return 0 <= taken < len(e[2]) and self.blocked(e[2][taken])
        if op == "for":
            length, why = self.run.length(e[1], self)
            if length is None:
                return why != "condition"
            return any(self.inner(e[1], i).blocked(e[3]) for i in range(length))
        return any(self.blocked(x) for x in e[1:])


class Running:
    """The task instance that runs: where it stands, what its expressions read, how it ends."""

    def __init__(self, operator: Any, context: Any):
        self.operator, self.context = operator, context
        self.ti = context["ti"]
        self.doc = document_of(operator.dag_id)
        self.tid: str = operator.task_id
        self.spec = self.doc.tasks[self.tid]
        self.chain = self.doc.chain(self.tid)
        index = list(operator.index or ())
        depth = len(self.chain)
        if len(index) != max(0, 2 * depth - 1):
            raise CoulerError(f"task {self.tid!r} got the index {index!r}, which does not fit its {depth} loops")
        self.index = tuple(int(i) for i in index[:depth])
        self.positions = tuple(int(i) for i in index[depth:]) + ((int(self.ti.map_index),) if depth else ())
        self.frame = Frame(self, dict(zip(self.chain, self.index)))
        self.run_id: str = context["dag_run"].run_id
        self.caller: dict[str, Any] | None = self._caller() if self.doc.whole is not None else None
        self.folder = os.path.join(root_folder(), file_name(self.doc.dag_id), file_name(self.run_id))
        if self.caller is not None:
            self.folder = self.caller["folder"]
        self._one: dict[tuple[str, tuple[int, ...]], Any] = {}
        self._all: dict[str, dict[tuple[int, ...], Any]] = {}
        self._elements: dict[str, list[list[int]]] = {}
        self._states: dict[tuple[str, int], str] | None = None

    def _caller(self) -> dict[str, Any]:
        """What the run that started this run of a part handed to it (Trigger): asked for, as a run that is cleared keeps its conf."""
        by = (getattr(self.context["dag_run"], "conf", None) or {}).get("couler")
        given = self._pull_of(by[0], by[1], by[2], by[3], CALL) if isinstance(by, list) and len(by) == 4 else None
        if given is None:
            whole = self.doc.whole.dag_id if self.doc.whole is not None else ""
            raise AirflowFailException(f"{self.doc.dag_id} is a part of {whole}, which starts it: trigger {whole}")
        return dict(given)

    # ---- runs of parts

    def part_run(self, trigger: str) -> str:
        """The id of the run that a trigger task starts; the same whenever it is asked for."""
        mine = "".join([trigger, *(f".{i}" for i in self.index)])
        run_id = f"{mine}__{self.run_id}"
        return run_id if len(run_id) <= 250 else f"{run_id[:200]}.{hashlib.sha256(run_id.encode()).hexdigest()[:16]}"

    def for_part(self, trigger: str, params: dict[str, Value | None]) -> dict[str, Any]:
        """What the run of a part gets of this one."""
        left = self.remaining()
        scopes = list(self._scopes())
        stops = [] if self.spec.get("handler") else [mark for scope, mark in scopes if self.doc.scope(scope).get("fail_fast")]
        return {
            "folder": os.path.join(self.folder, "parts", file_name(self.part_run(trigger))),
            "fetched": self.fetched,
            "params": {name: pack(v) for name, v in params.items()},
            "fields": {name: pack(self.field(name)) for name in FIELDS},
            "deadline": None if left is None else time.time() + left,
            "stops": [*stops, *(self.caller["stops"] if self.caller else ())],
            "mark": scopes[0][1] if self.doc.tasks[trigger].get("part") else None,
            "places": self.places(),
            "handler": self.in_handler(),
        }

    def run_state(self, dag_id: str, run_id: str) -> str:
        """success, failed, running, queued. Of a run that is not there: "", or an error of Airflow 3."""
        if AIRFLOW >= (3,):
            state = self.ti.get_dagrun_state(dag_id, run_id)
            return str(getattr(state, "value", state))
        found = _first("airflow.models.dagrun:DagRun").find(dag_id=dag_id, run_id=run_id)
        return str(found[0].state) if found else ""

    def _pull_of(self, dag_id: str, run_id: str, tid: str, position: int, key: str) -> Any:
        if AIRFLOW >= (3,):
            return self.ti.xcom_pull(task_ids=tid, dag_id=dag_id, run_id=run_id, key=key, map_indexes=position)
        return _first("airflow.models.xcom:XCom").get_one(task_id=tid, dag_id=dag_id, run_id=run_id, key=key, map_index=position)

    def result_of(self, dag_id: str, run_id: str) -> Any:
        """The record of the last task of another run; None if it left none."""
        return self._pull_of(dag_id, run_id, RESULT, -1, RECORD)

    def places(self) -> list[list[Any]]:
        """What max_parallel allows, of this run and of those it is a part of: names of locks and how many may hold each."""
        mine = [[f"couler/{self.doc.dag_id}/{self.run_id}", self.doc.data["max_parallel"]]] if "max_parallel" in self.doc.data else []
        return [*mine, *(self.caller["places"] if self.caller else ())]

    @property
    def fetched(self) -> str:
        """Where what is remote lies, once for a run and its parts."""
        return str(self.caller["fetched"]) if self.caller else os.path.join(self.folder, "fetched")

    # ---- records

    def _pull(self, tid: str, position: int, key: str = RECORD) -> Any:
        return self.ti.xcom_pull(task_ids=tid, key=key, map_indexes=position)

    def _pull_all(self, tid: str) -> list[Any]:
        if AIRFLOW >= (3,):
            xcom = _first("airflow.sdk.execution_time.xcom:XCom")
            got = xcom.get_all(key=RECORD, dag_id=self.doc.dag_id, task_id=tid, run_id=self.run_id)
            return list(got or ())
        got = self.ti.xcom_pull(task_ids=tid, key=RECORD, map_indexes=None)
        return [got] if isinstance(got, dict) else list(got or ())

    def record(self, tid: str, index: tuple[int, ...]) -> Any:
        """The record of an instance; None if it left none."""
        chain = self.doc.chain(tid)
        depth = len(chain)
        key = (tid, index)
        if key in self._one:
            return self._one[key]
        if depth == 0:
            self._one[key] = self._pull(tid, -1)
        elif chain == self.chain[:depth] and index == self.index[:depth]:
            self._one[key] = self._pull(tid, self.positions[depth - 1])
        else:
            if tid not in self._all:
                self._all[tid] = {tuple(r["index"]): r for r in self._pull_all(tid)}
            return self._all[tid].get(index)
        return self._one[key]

    def outcome(self, tid: str, index: tuple[int, ...]) -> dict[str, Any]:
        """How an instance ended. One without a record was never started, or its worker was lost."""
        r = self.record(tid, index)
        if r is not None:
            return dict(r)
        state = self.states().get((tid, self.position(tid, index)))
        if state == "failed":
            return {"status": "failed", "why": None, "exit_code": None, "out": {}}
        frame = Frame(self, dict(zip(self.doc.chain(tid), index)))
        why = self.guard(self.doc.tasks[tid], frame) if state != "upstream_failed" else "upstream"
        return {"status": "skipped", "why": why or "upstream", "exit_code": None, "out": {}}

    def states(self) -> dict[tuple[str, int], str]:
        """States of all instances of this run, by task id and map index."""
        if self._states is None:
            self._states = dict(self._query_states())
        return self._states

    def _query_states(self) -> Iterator[tuple[tuple[str, int], str]]:
        if AIRFLOW < (3,):
            for ti in self.context["dag_run"].get_task_instances():
                yield (ti.task_id, ti.map_index), str(ti.state)
            return
        # The answer's keys are ID and ID_INDEX: ask for mapped and other tasks apart where these could be confused.
        mapped = [tid for tid, t in self.doc.tasks.items() if t.get("loop")]
        confused = [tid for tid in mapped if any(other.startswith(tid + "_") for other in self.doc.tasks)]
        rest = [tid for tid in self.doc.tasks if tid not in confused]
        for ids in ([None] if not confused else [rest, *([tid] for tid in confused)]):
            got = self.ti.get_task_states(dag_id=self.doc.dag_id, run_ids=[self.run_id], task_ids=ids)
            for key, state in got.get(self.run_id, {}).items():
                tid, _, index = key.rpartition("_")
                if tid in self.doc.tasks and self.doc.tasks[tid].get("loop") and index.isdigit() and (ids is None or tid in ids):
                    yield (tid, int(index)), str(state)
                else:
                    yield (key, -1), str(state)

    def blocks(self, tid: str, o: dict[str, Any]) -> bool:
        """Whether what reads an output of tid may not start."""
        if self.spec.get("handler") and not self.doc.tasks[tid].get("handler"):
            return False
        if o["status"] == "failed":
            return not self.doc.tasks[tid].get("allow_failure")
        return bool(o["status"] == "skipped" and o["why"] != "condition")

    def guard(self, spec: dict[str, Any], frame: Frame) -> str | None:
        """Why the region around spec keeps it from running; None if it may."""
        within = spec.get("within")
        if within is None:
            return None
        o = frame.outcome(within["task"])
        if o["status"] == "succeeded":
            go = True
            if "branch" in within:
                go = int(o["out"]["-branch"][0]) == within["branch"]
            elif "round" in within:
                go = o["out"]["-go"][0] == "true"
            elif "on" in within:
                go = within["on"] == "exit" or (within["on"] == "failure") == (o["out"]["status"][0] == "failed")
            return None if go else "condition"
        return str(o["why"]) if o["status"] == "skipped" else "upstream"

    # ---- loops

    def elements(self, loop: str) -> list[list[int]]:
        """The instances of a loop's tasks by map index: the elements of each loop around, then positions in those."""
        if loop not in self._elements:
            spec = self.doc.loops[loop]
            if "task" in spec:
                self._elements[loop] = self._pull(spec["task"], -1, "return_value") or []
            else:
                self._elements[loop] = literal_elements(self.doc, loop)
        return self._elements[loop]

    def position(self, tid: str, index: tuple[int, ...]) -> int:
        loop = self.doc.tasks[tid].get("loop", "")
        if not loop:
            return -1
        return next((p for p, e in enumerate(self.elements(loop)) if tuple(e[: len(index)]) == index), -2)

    def _each(self, loop: str, frame: Frame) -> dict[str, Any]:
        """What the task of a `for` found for the elements of the loops around it."""
        spec = self.doc.loops[loop]
        outer = [frame.by[o] for o in self.doc.chains[loop][:-1]]
        o = self.outcome(spec["task"], ())
        for found in o.get("each", ()):
            if found["index"] == outer:
                return dict(found)
        return {"status": o["status"] if o["status"] != "succeeded" else "skipped", "why": o["why"] or "upstream"}

    def length(self, loop: str, frame: Frame) -> tuple[int | None, str | None]:
        """Elements of a loop, or None with why it did not run."""
        spec = self.doc.loops[loop]
        if "task" not in spec:
            return spec["length"], None
        found = self._each(loop, frame)
        if found["status"] == "succeeded":
            return len(found["items"]), None
        return None, found["why"] if found["status"] == "skipped" else "upstream"

    def item(self, loop: str, frame: Frame) -> Value | None:
        spec = self.doc.loops[loop]
        i = frame.by[loop]
        if "task" not in spec:
            many = evaluate(spec["items"], frame)
            if many is None or not many.many or i >= len(many.v):
                raise CoulerError(f"loops.{loop}.items: no element {i}")
            element: Value = many.v[i]
            return element.bare()
        return unpack(self._each(loop, frame)["items"][i])

    def trial(self, loop: str, i: int, frame: Frame) -> int | None:
        """The row of the table that trial instance i runs; None if this rung has fewer."""
        spec = self.doc.loops[loop]
        if "from" not in spec:
            return i
        o = frame.outcome(spec["from"])
        rows = json.loads(o["out"]["-rows"][0]) if o["status"] == "succeeded" else []
        return rows[i] if i < len(rows) else None

    def argument(self, loop: str, i: int, name: str, frame: Frame) -> Value | None:
        spec = self.doc.loops[loop]
        table = self.doc.data["tables"][spec["table"]]
        if name == table.get("budget"):
            return parse(table["budget_type"], spec["budget"])
        row = self.trial(loop, i, frame)
        column = table["args"].index(name)
        return None if row is None else parse(table["types"][column], table["rows"][row][column]).bare()

    # ---- facts about the run

    def started(self) -> Value:
        dag_run = self.context["dag_run"]
        scheduled = self.scheduled()
        created = getattr(dag_run, "queued_at", None) or dag_run.start_date or datetime.datetime.now(datetime.timezone.utc)
        return scheduled or time_from(created)

    def scheduled(self) -> Value | None:
        dag_run = self.context["dag_run"]
        manual = str(getattr(dag_run.run_type, "value", dag_run.run_type)) not in ("scheduled", "backfill")
        at = getattr(dag_run, "logical_date", None)
        return None if manual or at is None else time_from(at)

    def field(self, name: str) -> Value | None:
        if self.caller is not None:
            return unpack(self.caller["fields"].get(name))
        if name == "run_id":
            return string(self.run_id)
        if name == "start_time":
            return self.started()
        if name == "scheduled_time":
            return self.scheduled()
        if name == "url":
            base = conf.get("api", "base_url", fallback="") if AIRFLOW >= (3,) else conf.get("webserver", "base_url", fallback="")
            run = urllib.parse.quote(self.run_id, safe="")
            path = f"runs/{run}" if AIRFLOW >= (3,) else f"grid?dag_run_id={run}"
            return string(f"{base.rstrip('/')}/dags/{self.doc.dag_id}/{path}") if base else None
        raise CoulerError(f"no workflow.{name}")

    def in_handler(self) -> bool:
        """Whether this task stands in an `on` block, or in a workflow called from one."""
        scope = self.spec.get("scope", "")
        while scope:
            if self.doc.scope(scope).get("handler"):
                return True
            scope = self.doc.scope(scope).get("in", "")
        return bool(self.spec.get("handler") or (self.caller and self.caller["handler"]))

    def remaining(self) -> float | None:
        """Seconds until the workflow's timeout; None if it has none."""
        if self.caller is not None:
            return None if self.caller["deadline"] is None else float(self.caller["deadline"]) - time.time()
        timeout = self.doc.data.get("timeout")
        if timeout is None or self.in_handler():
            return None
        start = getattr(self.context["dag_run"], "start_date", None)
        v = evaluate(timeout, self.frame)
        if v is None or start is None:
            return None
        gone: datetime.timedelta = datetime.datetime.now(datetime.timezone.utc) - start
        return float(v.v) - gone.total_seconds()

    # ---- ends

    def push(self, status: str, exit_code: int | None, out: dict[str, Any], **more: Any) -> None:
        self.ti.xcom_push(
            key=RECORD,
            value={"status": status, "why": None, "exit_code": exit_code, "index": list(self.index), "out": out, **more},
        )

    def succeed(self, out: dict[str, Value | None], exit_code: int | None = 0, **more: Any) -> None:
        packed = {name: pack(v) for name, v in out.items()}
        size = sum(len(p[0].encode()) for p in packed.values() if p)
        if size > STEP_LIMIT and "each" not in more:
            self.fail(EXIT_VALUE, f"the values have {size:,} bytes; a step's values are at most 512 KiB in all: use files")
        self.push("succeeded", exit_code, packed, **more)

    def skip(self, why: str) -> None:
        self.push("skipped", None, {}, why=why)
        raise AirflowSkipException(
            {
                "condition": "an if went the other way",
                "upstream": "something it needs failed or was skipped for that",
                "stopped": "the run starts no more steps",
            }[why]
        )

    def fail(self, exit_code: int | None, message: str, again: bool = False, **more: Any) -> None:
        self.push("failed", exit_code, {}, **more)
        if not self.spec.get("allow_failure") and not self.spec.get("trial") and not again:
            self.stop_others()
        raise (AirflowException if again else AirflowFailException)(f"{self.name}: {message}")

    @property
    def name(self) -> str:
        """As the run is read: l[0].append[2]."""
        label: str = self.spec.get("label") or self.spec.get("name", self.tid)
        for i in self.index:
            label = label.replace("[*]", f"[{i}]", 1)
        return label

    def enter(self, *expressions: Any) -> None:
        """Skips unless the task may start: its region runs, and what it needs has ended well."""
        why = self.guard(self.spec, self.frame)
        if why:
            self.skip(why)
        if any(self.frame.blocked(e) for e in expressions) or self._held():
            self.skip("upstream")
        left = self.remaining()
        if self.stopped() or (left is not None and left <= 0):
            self.skip("stopped")

    def _held(self) -> bool:
        return any(hard and self._order_blocks(tid) for tid, hard in self.spec.get("after", ()))

    def _order_blocks(self, tid: str) -> bool:
        """A task of a region is all its instances below the elements both stand in."""
        common = [loop for loop in self.doc.chain(tid) if loop in self.frame.by]
        if len(common) == len(self.doc.chain(tid)):
            indexes = [self.frame.index(tid)]
        else:
            prefix = tuple(self.frame.by[loop] for loop in common)
            every = (tuple(e[: len(self.doc.chain(tid))]) for e in self.elements(self.doc.tasks[tid]["loop"]))
            indexes = [i for i in every if i[: len(prefix)] == prefix]
        for index in indexes:
            o = self.outcome(tid, index)
            if o["status"] == "failed" or (o["status"] == "skipped" and o["why"] != "condition"):
                return True
        return False

    # ---- fail_fast: a file in the run's folder for each workflow whose steps are no longer started; it names who failed

    def _scopes(self) -> Iterator[tuple[str, str]]:
        """The workflows around this task, the innermost first, with their stop files."""
        scope = self.spec.get("scope", "")
        while True:
            depth = len(self.doc.chains[self.doc.scope(scope).get("loop", "")])
            mark = ".".join([scope or "-", *map(str, self.index[:depth])])
            around = self.caller["mark"] if self.caller and not scope else None
            yield scope, around or os.path.join(self.folder, "stopped", file_name(mark))
            if not scope or self.doc.scope(scope).get("handler"):
                return
            scope = self.doc.scope(scope).get("in", "")

    def stop_others(self) -> None:
        scope, mark = next(self._scopes())
        if not self.doc.scope(scope).get("fail_fast") or self.spec.get("handler"):
            return
        if self.spec["kind"] == "triggered" and self.doc.tasks[self.spec["trigger"]].get("part"):
            return  # the step that failed in the part has left it
        os.makedirs(os.path.dirname(mark), exist_ok=True)
        part = f"{mark}.{os.getpid()}.{time.monotonic_ns()}"
        with open(part, "w", encoding="utf-8") as f:
            json.dump(self.me(), f)
        os.replace(part, mark)

    def stopped(self) -> bool:
        if self.spec.get("handler"):
            return False
        marks = [mark for scope, mark in self._scopes() if self.doc.scope(scope).get("fail_fast")]
        return any(self._stands(mark) for mark in [*marks, *(self.caller["stops"] if self.caller else ())])

    def me(self) -> list[Any]:
        return [self.doc.dag_id, self.run_id, self.tid, int(self.ti.map_index)]

    def _stands(self, mark: str) -> bool:
        """Whether the step that left a mark is still one that failed: a user may have cleared it since."""
        try:
            with open(mark, encoding="utf-8") as f:
                by = json.load(f)
        except FileNotFoundError:
            return False
        if by == self.me():
            os.unlink(mark)
            return False
        anew = self.part_run(self.tid)
        if self.spec["kind"] == "trigger" and (by[1] == anew or by[1].endswith("__" + anew)):
            return False
        return self._state_of(by[0], by[1], by[2], by[3]) in ("failed", "running")

    def _state_of(self, dag_id: str, run_id: str, tid: str, position: int) -> str:
        if [dag_id, run_id] == [self.doc.dag_id, self.run_id]:
            return self.states().get((tid, position), "")
        if AIRFLOW >= (3,):
            got = self.ti.get_task_states(dag_id=dag_id, run_ids=[run_id], task_ids=[tid]).get(run_id, {})
            return str(got.get(tid if position < 0 else f"{tid}_{position}", ""))
        found = _first("airflow.models.dagrun:DagRun").find(dag_id=dag_id, run_id=run_id)
        ti = found[0].get_task_instance(tid, map_index=position) if found else None
        return str(ti.state) if ti else ""

    def values(self, expressions: dict[str, Any], what: str, scope: Scope | None = None) -> dict[str, Value | None]:
        out: dict[str, Value | None] = {}
        for name, e in expressions.items():
            try:
                out[name] = evaluate(e, scope or self.frame)
            except EvalError as x:
                self.fail(EXIT_VALUE, f"{what} '{name}' could not be evaluated: {x}")
        return out


def literal_elements(doc: Document, loop: str) -> list[list[int]]:
    """elements() of a loop all of whose lengths stand in the document."""
    elements: list[list[int]] | None = None
    for inner in doc.chains[loop]:
        n = doc.loops[inner].get("length")
        if not isinstance(n, int):
            raise CoulerError(f"loops.{inner}.length: expected a whole number, got {_shown(n)}")
        if elements is None:
            elements = [[i] for i in range(n)]
        else:
            elements = flatten([(e, p, n) for p, e in enumerate(elements)])
    return elements or []


def flatten(outer: list[tuple[list[int], int, int]]) -> list[list[int]]:
    """(element, its position, length of the inner list) of the loops around to the elements of the inner one."""
    out: list[list[int]] = []
    for e, position, n in outer:
        depth = (len(e) + 1) // 2
        out.extend([*e[:depth], i, *e[depth:], position] for i in range(n))
    return out


# ---------------------------------------------------------------- steps
#
# A step runs in a folder of its own for each attempt below ROOT/DAG/RUN/TASK, with t ($CW_TMP), o (outputs), i (linked
# inputs), c ($CW_CODE) and the script. Its outputs move to `out` when it ended well; then the folder goes. Values are
# environment variables, scripts are files: neither Airflow's templates nor a shell ever reads them as program text.


class Failure(CoulerError):
    """A failed attempt. own: the step's doing, else that of what is around it (retry's `error`)."""

    def __init__(self, exit_code: int | None, message: str, own: bool = True):
        super().__init__(message)
        self.exit_code, self.own = exit_code, own


def _provider_for(scheme: str) -> str:
    packages = {
        "s3": "apache-airflow-providers-amazon[s3fs]", "s3a": "apache-airflow-providers-amazon[s3fs]",
        "gs": "apache-airflow-providers-google", "gcs": "apache-airflow-providers-google",
        "abfs": "apache-airflow-providers-microsoft-azure", "abfss": "apache-airflow-providers-microsoft-azure",
    }  # fmt: skip
    return packages.get(scheme, f"the one for {scheme}://")


def storage_path(doc: Document, location: str) -> Any:
    """An ObjectStoragePath with the connection of the longest store that matches."""
    cls = _first("airflow.sdk:ObjectStoragePath", "airflow.io.path:ObjectStoragePath")
    stores = [s for s in doc.data.get("stores", ()) if location.startswith(s["uri"])]
    store: dict[str, Any] = max(stores, key=lambda s: len(s["uri"]), default={})
    scheme = location.split("://", 1)[0]
    try:
        path = cls(location, conn_id=store["secret"]) if store.get("secret") else cls(location)
        path.fs  # noqa: B018  makes the file system, which needs the provider
        return path
    except (ImportError, ValueError) as x:
        raise Failure(None, f"{location}: this Airflow cannot reach {scheme}:// ({x}); install {_provider_for(scheme)}", own=False) from x


def sha256_of(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _run_git(location: str, to: str) -> None:
    """git+https://host/repo@ref#path"""
    url, _, inside = location.removeprefix("git+").partition("#")
    at = url.rfind("@")
    ref = ""
    if at > url.find("://") + 3 + url[url.find("://") + 3 :].find("/"):
        url, ref = url[:at], url[at + 1 :]
    with tempfile.TemporaryDirectory(dir=os.path.dirname(to)) as tmp:
        for argv in (["init", "-q", tmp], ["-C", tmp, "fetch", "-q", "--depth", "1", "--", url, ref or "HEAD"],
                     ["-C", tmp, "checkout", "-q", "FETCH_HEAD"]):  # fmt: skip
            p = subprocess.run(["git", *argv], capture_output=True, text=True, check=False)
            if p.returncode:
                raise Failure(None, f"{location}: git: {p.stderr.strip()[-300:]}", own=False)
        shutil.rmtree(os.path.join(tmp, ".git"))
        source = os.path.normpath(os.path.join(tmp, inside))
        if source != tmp and not source.startswith(tmp + os.sep):
            raise Failure(None, f"{location}: the path leaves the repository")
        if not os.path.exists(source):
            raise Failure(None, f"{location}: the repository has no {inside}", own=False)
        if source == tmp:
            shutil.copytree(tmp, to, symlinks=True)
        else:
            os.rename(source, to)


def fetch(run: Running, location: str, sha256: str | None, folder: bool) -> str:
    """A local path of a file or folder; what is remote is brought once a run."""
    if location.startswith("file://"):
        location = urllib.parse.unquote(location[7:])
    if "://" not in location:
        if not os.path.isabs(location):
            raise Failure(EXIT_VALUE, f"'{location}' is a relative path, which has no meaning on a worker: give an absolute path or a location such as s3://...")
        if not os.path.exists(location):
            raise Failure(EXIT_VALUE, f"'{location}' does not exist on this worker")
        local = location
    else:
        local = os.path.join(run.fetched, hashlib.sha256(location.encode()).hexdigest())
        if not os.path.exists(local):
            os.makedirs(os.path.dirname(local), exist_ok=True)
            part = f"{local}.{os.getpid()}.{time.monotonic_ns()}"
            _download(run, location, part, folder)
            os.rename(part, local)
    if sha256 and sha256_of(local) != sha256:
        raise Failure(EXIT_VALUE, f"{location}: its SHA-256 is {sha256_of(local)}, the workflow pins {sha256}")
    return local


def _download(run: Running, location: str, to: str, folder: bool) -> None:
    scheme = location.split("://", 1)[0]
    run.operator.log.info("fetching %s", location)
    try:
        if scheme.startswith("git+"):
            _run_git(location, to)
        elif scheme in ("http", "https"):
            with urllib.request.urlopen(location, timeout=60) as r, open(to, "wb") as f:
                shutil.copyfileobj(r, f)
        else:
            source = storage_path(run.doc, location)
            source.fs.get(source.path, to, recursive=folder)
    except Failure:
        raise
    except Exception as x:
        raise Failure(None, f"{location} could not be fetched: {x}", own=False) from x


def publish(run: Running, local: str, location: str) -> None:
    """A copy of a file or folder at a location."""
    if location.startswith("file://"):
        location = urllib.parse.unquote(location[7:])
    run.operator.log.info("publishing %s", location)
    try:
        if "://" not in location:
            if not os.path.isabs(location):
                raise Failure(EXIT_VALUE, f"'{location}' is a relative path, which has no meaning on a worker")
            part = f"{location}.{os.getpid()}.part"
            os.makedirs(os.path.dirname(location), exist_ok=True)
            if os.path.isdir(local):
                shutil.copytree(local, part)
                shutil.rmtree(location, ignore_errors=True)
            else:
                shutil.copyfile(local, part)
            os.replace(part, location)
            return
        target = storage_path(run.doc, location)
        target.fs.put(local, target.path, recursive=os.path.isdir(local))
    except Failure:
        raise
    except Exception as x:
        raise Failure(None, f"'{location}' could not be written: {x}", own=False) from x


def _plain(path: str) -> None:
    """Replaces symbolic links at and below path by what they point to: only bytes and names survive a step."""
    if os.path.islink(path):
        target = os.path.realpath(path)
        if not os.path.exists(target):
            raise Failure(EXIT_VALUE, f"'{os.path.basename(path)}' is a symbolic link to nothing")
        copy = path + ".cw-copy"
        if os.path.isdir(target):
            shutil.copytree(target, copy)
        else:
            shutil.copyfile(target, copy)
        os.unlink(path)
        os.rename(copy, path)
    elif os.path.isdir(path):
        for entry in os.scandir(path):
            if entry.is_symlink() or entry.is_dir(follow_symlinks=False):
                _plain(entry.path)


class Locks:
    """Locks and places in pools, taken in one order; the kernel releases them when the worker dies."""

    def __init__(self, run: Running, wanted: list[Any]):
        self.run = run
        self.held: list[int] = []
        places = [] if run.spec.get("handler") else run.places()
        self.wanted = sorted({*((text_of(evaluate(name, run.frame)), size) for name, size in wanted), *map(tuple, places)})

    def __enter__(self) -> Locks:
        for name, size in self.wanted:
            self._take(name, size)
        return self

    def _take(self, name: str, size: int) -> None:
        folder = os.path.join(root_folder(), "locks", file_name(name))
        os.makedirs(folder, exist_ok=True)
        said = False
        while True:
            for k in range(size):
                fd = os.open(os.path.join(folder, str(k)), os.O_RDWR | os.O_CREAT, 0o666)
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self.held.append(fd)
                    return
                except OSError as x:
                    os.close(fd)
                    if x.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                        raise
            if not said:
                self.run.operator.log.info("waiting for the lock '%s' (%d at a time)", name, size)
                said = True
            time.sleep(POLL)

    def __exit__(self, *exc: object) -> None:
        for fd in self.held:
            os.close(fd)
        self.held = []


def secret(kind: str, name: str, key: str | None) -> Any:
    """One key of a secret or a config, or all of them: files below CW_SECRETS, else an Airflow Variable of JSON."""
    folder = os.environ.get("CW_SECRETS")
    if folder:
        base = os.path.join(folder, name)
        try:
            keys = [key] if key is not None else sorted(os.listdir(base))
            got = {}
            for k in keys:
                with open(os.path.join(base, k), encoding="utf-8") as f:
                    got[k] = f.read().removesuffix("\n")
        except OSError as x:
            raise Failure(None, f"{kind} '{name}': {x.strerror}: {x.filename}", own=False) from x
    else:
        try:
            got = Variable.get(name, deserialize_json=True)
        except Exception as x:
            raise Failure(None, f"{kind} '{name}': no Airflow Variable of that name holds a JSON object ({type(x).__name__}); "
                                "or set CW_SECRETS to a folder with NAME/KEY files", own=False) from x  # fmt: skip
        if not isinstance(got, dict):
            raise Failure(None, f"{kind} '{name}': the Airflow Variable holds no JSON object", own=False)
    if key is not None and key not in got:
        raise Failure(None, f"{kind} '{name}' has no key '{key}'", own=False)
    texts = {str(k): v if isinstance(v, str) else json.dumps(v) for k, v in got.items()}
    if kind == "secret":
        for v in texts.values():
            if v:
                mask_secret(v)
    return texts if key is None else texts[key]


class StepScope(Scope):
    """References inside a step: its inputs, the paths of its outputs, its environment; the rest as around it."""

    def __init__(self, frame: Frame, inputs: dict[str, Value | None]):
        self.frame, self.inputs = frame, inputs
        self.variables: dict[str, str] = {}

    def reference(self, e: list[Any]) -> Value | None:
        if e[0] == "input":
            v = self.inputs[e[1]]
            in_path = v is not None and v.kind in ("file", "dir") and e[1] in self.variables
            return Value("string", self.variables[e[1]]) if in_path else v
        if e[0] in ("path", "env"):
            return string(self.variables[e[1]])
        return self.frame.reference(e)


class Attempt:
    """One attempt at a step: its folder, its variables, its process, its outputs."""

    def __init__(self, run: Running, scope: StepScope):
        self.run, self.scope = run, scope
        self.spec = run.spec
        self.shape = run.doc.data["steps"][run.spec["step"]]
        self.number = int(run.ti.try_number)
        name = file_name(run.tid) + "".join(f".{i}" for i in run.index)
        self.base = os.path.join(run.folder, name)
        self.work = os.path.join(self.base, f"try-{self.number}")
        self.stdout = os.path.join(self.work, "stdout")
        self.ins = [[*d, None][:3] for d in self.shape.get("in", ())]
        self.outs = [[*d, None][:3] for d in self.shape.get("out", ())]

    # ---- before

    def prepare(self) -> None:
        shutil.rmtree(self.work, ignore_errors=True)
        for sub in ("t", "o", "i"):
            os.makedirs(os.path.join(self.work, sub))
        v = self.scope.variables
        for name, type_name, named in self.ins:
            v[name] = self._input(name, type_name, named)
        for name, type_name, more in self.outs:
            if more and more.get("stdout"):
                continue
            v[name] = self._output_path(name, type_name, (more or {}).get("named"))
        total = sum(len(v[name].encode()) for name, _, _ in self.ins)
        if total > STEP_LIMIT:
            raise Failure(EXIT_VALUE, f"the inputs have {total:,} bytes; a step's values are at most 512 KiB in all: use files")
        self._environment()
        self._code()

    def _input(self, name: str, type_name: str, named: str | None) -> str:
        value = self.scope.inputs.get(name)
        kind, many, _ = type_of(type_name)
        if kind not in ("file", "dir"):
            text = "" if value is None else text_of(value)
            try:
                if kind == "string" and not many:
                    check_text(text)
            except CoulerError as x:
                raise Failure(EXIT_VALUE, f"input '{name}': {x}") from None
            return text
        if value is None:
            return ""
        if not many:
            local = fetch(self.run, value.v, value.sha256, kind == "dir")
            return self._link(os.path.join(self.work, "i", name), named, local) if named else local
        folder = os.path.join(self.work, "i", name)
        os.makedirs(folder)
        for i, element in enumerate(value.v):
            local = fetch(self.run, element.v, element.sha256, kind == "dir")
            os.symlink(local, os.path.join(folder, (named or "*").replace("*", f"{i:06d}")))
        return folder

    @staticmethod
    def _link(folder: str, named: str, local: str) -> str:
        os.makedirs(folder, exist_ok=True)
        link = os.path.join(folder, named)
        os.symlink(local, link)
        return link

    def _output_path(self, name: str, type_name: str, named: str | None) -> str:
        path = os.path.join(self.work, "o", name)
        kind, many, _ = type_of(type_name)
        if named and not many and kind in ("file", "dir"):
            os.makedirs(path)
            return os.path.join(path, named)
        return path

    def _environment(self) -> None:
        v = self.scope.variables
        for kind, name in self.spec.get("env_from", ()):
            v.update(secret(kind, name, None))
        declared = {}
        for name, e in self.spec.get("env", {}).items():
            if isinstance(e, dict):
                kind = "secret" if "secret" in e else "config"
                declared[name] = str(secret(kind, *e[kind]))
                continue
            value = evaluate(e, self.scope)
            declared[name] = "" if value is None else text_of(value)
        v.update(declared)

    def _code(self) -> None:
        files = self.shape.get("code", ())
        if not files:
            return
        folder = os.path.join(self.work, "c")
        os.makedirs(folder)
        for key in files:
            f = self.run.doc.data["code"][key]
            path = os.path.normpath(os.path.join(folder, f["path"]))
            if not path.startswith(folder + os.sep):
                raise Failure(EXIT_VALUE, f"code '{f['path']}' leaves its folder")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if "location" in f:
                shutil.copyfile(fetch(self.run, f["location"], f["sha256"], folder=False), path)
            else:
                with open(path, "w", encoding="utf-8", newline="") as out:
                    out.write(f["text"])
            if f.get("exec"):
                os.chmod(path, 0o755)  # noqa: S103  a copy keeps the execute bit

    def environment(self) -> dict[str, str]:
        """Everything the process sees, and nothing else."""
        env = {k: os.environ[k] for k in KEPT_ENV if k in os.environ}
        tmp = os.path.join(self.work, "t")
        env.update(self.scope.variables)
        env.update(TMPDIR=tmp, CW_TMP=tmp, COULER_ATTEMPT=str(self.number))
        if self.shape.get("code"):
            env["CW_CODE"] = os.path.join(self.work, "c")
        return env

    def argv(self) -> list[str]:
        if "command" in self.shape:
            return [text_of(evaluate(e, self.scope)) for e in self.shape["command"]]
        script = os.path.join(self.work, "script")
        text = self.shape["script"]
        with open(script, "w", encoding="utf-8", newline="") as f:
            f.write(text if text.endswith("\n") else text + "\n")
        shells = {"sh": ["sh", "-eu"], "bash": ["bash", "-euo", "pipefail"]}
        shell = self.shape.get("shell", "sh")
        return [*shells.get(shell, [shell]), script]

    @property
    def captures(self) -> bool:
        return any(more and more.get("stdout") for _, _, more in self.outs)

    @property
    def cwd(self) -> str:
        return os.path.join(self.work, "c" if self.shape.get("code") else "t")

    # ---- after

    def collect(self) -> dict[str, Value | None]:
        """The outputs, checked, their files at the place where they stay."""
        out: dict[str, Value | None] = {}
        keep = os.path.join(self.work, "keep")
        os.makedirs(keep)
        for name, type_name, more in self.outs:
            try:
                out[name] = self._collect_one(name, type_name, more or {}, keep)
            except Failure:
                raise
            except CoulerError as x:
                raise Failure(EXIT_VALUE, f"output '{name}': {x}") from None
        stays = os.path.join(self.base, "out")
        shutil.rmtree(stays, ignore_errors=True)
        os.rename(keep, stays)
        return out

    def _collect_one(self, name: str, type_name: str, more: dict[str, Any], keep: str) -> Value:
        kind, many, _ = type_of(type_name)
        if more.get("stdout"):
            return parse(type_name, self._text(name, self.stdout))
        path = self.scope.variables[name]
        if not os.path.lexists(path):
            what = "file" if kind != "dir" else "folder"
            raise Failure(EXIT_VALUE, f"output '{name}' was not written: the step ended without creating the {what} \"${name}\"")
        if kind not in ("file", "dir"):
            return parse(type_name, self._text(name, path))
        stays = os.path.join(self.base, "out", name)
        _plain(path)
        if not many:
            if os.path.isdir(path) != (kind == "dir"):
                raise Failure(EXIT_VALUE, f"output '{name}' is {'a folder' if os.path.isdir(path) else 'no folder'}, its type is {kind}")
            named = more.get("named")
            if named:
                os.makedirs(os.path.join(keep, name))
                os.rename(path, os.path.join(keep, name, named))
                return Value(kind, os.path.join(stays, named))
            os.rename(path, os.path.join(keep, name))
            return Value(kind, stays)
        if not os.path.isdir(path):
            raise Failure(EXIT_VALUE, f"output '{name}' is no folder: of {type_name} the entries of a folder are the elements")
        os.makedirs(os.path.join(keep, name))
        elements = []
        for i, entry in enumerate(sorted(os.listdir(os.fsencode(path)))):
            source = os.path.join(os.fsencode(path), entry)
            if os.path.isdir(source) != (kind == "dir"):
                what = "a folder" if os.path.isdir(source) else "no folder"
                raise Failure(EXIT_VALUE, f"output '{name}': {os.fsdecode(entry)!r} is {what}, its type is {type_name}")
            os.rename(source, os.path.join(keep, name, f"{i:06d}"))
            elements.append(Value(kind, os.path.join(stays, f"{i:06d}")))
        return list_of(kind, elements)

    @staticmethod
    def _text(name: str, path: str) -> str:
        """What a scalar output holds, less one newline at its end."""
        if os.path.isdir(path):
            raise Failure(EXIT_VALUE, f"output '{name}' is a folder, not a value")
        with open(path, "rb") as f:
            raw = f.read(2 * TEXT_LIMIT)
        try:
            return raw.decode("utf-8").removesuffix("\n")
        except UnicodeDecodeError as x:
            if x.start < 2 * TEXT_LIMIT - 4:
                raise Failure(EXIT_VALUE, f"output '{name}': not valid UTF-8 at byte {x.start}") from None
            return raw[: x.start].decode("utf-8")

    def remove(self) -> None:
        shutil.rmtree(self.work, ignore_errors=True)

    # ---- attempts that left no word: the worker was lost

    def begin(self) -> bool:
        """Notes that this attempt runs; whether the one before ended without a word."""
        os.makedirs(self.base, exist_ok=True)
        before = self.notes()
        lost = bool(before) and before["attempt"] == self.number - 1 and not before["ended"]
        self.note(before["first"] if before and before["attempt"] < self.number else time.time(), False)
        return lost

    def notes(self) -> dict[str, Any]:
        try:
            with open(os.path.join(self.base, "attempt"), encoding="utf-8") as f:
                notes: dict[str, Any] = json.load(f)
                return notes
        except (OSError, ValueError):
            return {}

    def note(self, first: float, ended: bool) -> None:
        path = os.path.join(self.base, "attempt")
        with open(path + ".new", "w", encoding="utf-8") as f:
            json.dump({"attempt": self.number, "first": first, "ended": ended}, f)
        os.replace(path + ".new", path)


class Kept:
    """Results of earlier runs, below root/cache, by the SHA-256 of what a step is. Whoever may write there can choose results."""

    def __init__(self, run: Running, attempt: Attempt):
        cache, spec = run.spec["cache"], run.spec
        self.attempt, self.ttl = attempt, cache.get("ttl")
        code = [run.doc.data["code"][key] for key in attempt.shape.get("code", ())]
        parts = {
            "shape": attempt.shape,
            "code": [{k: v for k, v in f.items() if k != "location"} for f in code],
            "in": {name: self._content(name, type_name) for name, type_name, _ in attempt.ins},
            "env": {k: e if isinstance(e, dict) else attempt.scope.variables[k] for k, e in spec.get("env", {}).items()},
            "env_from": spec.get("env_from", []),
            "image": self._text(spec.get("image")),
            "key": [self._text(e) for e in cache.get("key", ())],
            "version": cache.get("version"),
        }
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        self.place = os.path.join(root_folder(), "cache", digest[:2], digest[2:])

    def _text(self, e: Any) -> str | None:
        v = None if e is None else evaluate(e, self.attempt.scope)
        return None if v is None else text_of(v)

    def _content(self, name: str, type_name: str) -> Any:
        """A value as its text, a file by its digest, a folder by those of what is in it."""
        path = self.attempt.scope.variables[name]
        if type_of(type_name)[0] not in ("file", "dir") or not path:
            return path
        if not os.path.isdir(path):
            return sha256_of(path)
        found = []
        for folder, _, files in os.walk(path, followlinks=True):
            found += [(os.path.relpath(os.path.join(folder, f), path), sha256_of(os.path.join(folder, f))) for f in files]
            found.append((os.path.relpath(folder, path), ""))
        return sorted(found)

    def take(self) -> dict[str, Value | None] | None:
        """The outputs, their files copied to where the attempt's own would stay; None: nothing whole is kept."""
        record = os.path.join(self.place, "record")
        stays, new = os.path.join(self.attempt.base, "out"), os.path.join(self.attempt.work, "kept")
        try:
            if self.ttl is not None and time.time() - os.stat(record).st_mtime > self.ttl:
                return None
            with open(record, encoding="utf-8") as f:
                outs = {name: unpack(p) for name, p in json.load(f).items()}
            shutil.copytree(os.path.join(self.place, "out"), new, symlinks=True)
            shutil.rmtree(stays, ignore_errors=True)
            os.rename(new, stays)
            return {name: self._moved(v, stays) for name, v in outs.items()}
        except (OSError, ValueError, CoulerError, LookupError, TypeError):
            return None

    def give(self, out: dict[str, Value | None]) -> None:
        """Keeps what the attempt gave: all of it or, where it is in the way of another or the disk, nothing."""
        new = f"{self.place}.{uuid.uuid4().hex}"
        try:
            os.makedirs(new)
            stays = os.path.join(self.attempt.base, "out")
            shutil.copytree(stays, os.path.join(new, "out"), symlinks=True)
            with open(os.path.join(new, "record"), "w", encoding="utf-8") as f:
                json.dump({name: pack(self._moved(v, "", stays)) for name, v in out.items()}, f)
            shutil.rmtree(self.place, ignore_errors=True)
            os.rename(new, self.place)
        except OSError as x:
            log.warning("what the step gave is not kept: %s", x)
            shutil.rmtree(new, ignore_errors=True)

    @staticmethod
    def _moved(v: Value | None, to: str, base: str = "") -> Value | None:
        """v with its paths below `to` instead of below base; "" is the place itself."""
        if v is None or v.kind not in ("file", "dir"):
            return v

        def place(p: str) -> str:
            inside = os.path.relpath(p, base) if base else p
            return os.path.join(to, inside) if to else inside

        return list_of(v.kind, [Value(v.kind, place(x.v)) for x in v.v]) if v.many else Value(v.kind, place(v.v))


def kill_group(process: subprocess.Popen[bytes], grace: float = GRACE) -> None:
    """Ends a process and all of its group."""
    for sig, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, GRACE)):
        try:
            os.killpg(process.pid, sig)
        except ProcessLookupError:
            pass
        try:
            process.wait(patience)
            if sig == signal.SIGKILL:
                return
        except subprocess.TimeoutExpired:
            continue


class Lines:
    """Bytes as they come, to a log line by line."""

    def __init__(self, write: Callable[[str], None]):
        self.write, self.rest = write, b""

    def feed(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.write(line.decode("utf-8", "replace"))
        if len(self.rest) > 1 << 16:
            self.flush()

    def flush(self) -> None:
        if self.rest:
            self.write(self.rest.decode("utf-8", "replace"))
        self.rest = b""


def run_process(
    operator: Any, argv: list[str], env: dict[str, str], cwd: str, stdout: str | None, timeout: float | None
) -> tuple[int, bool]:
    """Exit code and whether the time ran out. stdout: a file for standard output, else it is logged like the errors."""
    out = open(stdout, "wb") if stdout else None  # noqa: SIM115  closed as soon as the process has it
    try:
        process = subprocess.Popen(
            argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out or subprocess.PIPE,
            stderr=subprocess.PIPE if out else subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    except OSError as x:
        operator.log.error("%s: %s", argv[0], x.strerror)
        return (EXIT_NOT_FOUND if isinstance(x, FileNotFoundError) else 126), False
    finally:
        if out:
            out.close()
    operator.couler_process = process
    pipe = process.stderr if out else process.stdout
    assert pipe is not None
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        late = _follow(process, pipe, Lines(lambda s: operator.log.info("%s", s)), deadline)
    except BaseException:  # Airflow's time-outs and signals, too: nothing may be left running
        kill_group(process)
        raise
    finally:
        kill_group(process, 0.0 if process.poll() is not None else GRACE)
        pipe.close()
        operator.couler_process = None
    if late:
        return EXIT_TIMEOUT, True
    code = process.returncode
    return (128 - code if code < 0 else code), False


def _follow(process: subprocess.Popen[bytes], pipe: Any, lines: Lines, deadline: float | None) -> bool:
    """Logs what comes until the process has ended; True when the deadline came first."""
    fd = pipe.fileno()
    os.set_blocking(fd, False)
    late, is_open, wait = False, True, 0.005
    with selectors.DefaultSelector() as selector:
        selector.register(fd, selectors.EVENT_READ)
        while process.poll() is None:
            if deadline is not None and time.monotonic() >= deadline:
                late = True
                kill_group(process)
                break
            left = wait if deadline is None else max(0.0, min(wait, deadline - time.monotonic()))
            if not is_open:
                time.sleep(left)
            elif selector.select(left):
                data = os.read(fd, 1 << 16)
                lines.feed(data)
                if not data:
                    selector.unregister(fd)
                    is_open = False
                continue
            wait = min(wait * 2, 0.2)
    try:
        while data := os.read(fd, 1 << 16):
            lines.feed(data)
    except BlockingIOError:  # something in the background still holds it
        pass
    lines.flush()
    return late


# ---------------------------------------------------------------- kinds of tasks
#
# One operator class a kind, so that Airflow's pages show what a task is. An operator holds nothing but the element of
# the loops around it, `index`; what it does stands in the document and is looked up by task id, so that no template
# engine and no database ever sees a script or a value. `index` is a template field because only those are resolved
# inside mapped groups; it holds whole numbers.


class Kind(BaseOperator):  # type: ignore[misc, valid-type]
    template_fields = ("index",)
    template_ext = ()
    ui_color = "#f4f4f4"

    def __init__(self, *, index: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.index = index
        self.couler_process: subprocess.Popen[bytes] | None = None

    def execute(self, context: Any) -> Any:
        run = Running(self, context)
        try:
            return self.couler(run)
        except Failure as x:
            return run.fail(x.exit_code, str(x))
        except EvalError as x:
            return run.fail(EXIT_VALUE, str(x))

    def couler(self, run: Running) -> Any:
        raise NotImplementedError

    def on_kill(self) -> None:
        if self.couler_process is not None:
            kill_group(self.couler_process)


class Begin(Kind):
    """Checks the parameters before any step starts, decides whether a scheduled run takes place."""

    def couler(self, run: Running) -> Any:
        if run.caller is not None:
            return run.succeed({name: unpack(p) for name, p in run.caller["params"].items()})
        out: dict[str, Value | None] = {}
        for name, p in run.doc.data.get("params", {}).items():
            out[name] = self._param(run, name, p, run.context["params"].get(name), out)
        deadline, scheduled = run.doc.data.get("deadline"), run.scheduled()
        if deadline is not None and scheduled is not None:
            late = time.time() - scheduled.v[0]
            if late > deadline:
                run.operator.log.warning("the run starts %d s after its time, more than its deadline: nothing is run", late)
                run.skip("condition")
        only_if = run.doc.data.get("only_if")
        if only_if is not None and scheduled is not None:
            frame = ParamFrame(run, out)
            if not condition(only_if, frame):
                run.skip("condition")
        run_locks(run, take=True)
        return run.succeed(out)

    @staticmethod
    def _param(run: Running, name: str, p: dict[str, Any], given: Any, before: dict[str, Value | None]) -> Value | None:
        try:
            if "value" in p and (given is None or json.dumps(given) == json.dumps(p.get("default"))):
                v = evaluate(p["value"], ParamFrame(run, before))
            elif given is None and p["type"] != "json":
                raise CoulerError("it has no value: give one when the run is started")
            else:
                v = param_value(p["type"], given)
            allowed = evaluate(p["in"], ParamFrame(run, before)) if "in" in p else None
            if allowed is not None and not any(equal(x, v) for x in allowed.v):
                raise CoulerError("must be one of " + element_text(allowed))
            return v
        except CoulerError as x:
            return run.fail(EXIT_VALUE, f"parameter '{name}': {x}")  # type: ignore[func-returns-value]


class ParamFrame(Scope):
    """Parameters that were read already, and facts about the run."""

    def __init__(self, run: Running, params: dict[str, Value | None]):
        self.run, self.params = run, params

    def reference(self, e: list[Any]) -> Value | None:
        if e[0] == "out" and e[1] == self.run.tid:
            return self.params.get(e[2])
        if e[0] == "field":
            return self.run.field(e[1])
        return super().reference(e)


def param_value(type_name: str, given: Any) -> Value:
    """What a user, the API or a trigger gave for a parameter: JSON, or text as -p takes it."""
    kind, many, _ = type_of(type_name)
    if kind == "json" and not many:
        v = Value("json", json_data(given))
        check_text(json_text(v.v))
        return v
    if isinstance(given, str):
        return parse(type_name, given, strict=False)
    if many:
        if not isinstance(given, list):
            raise CoulerError(f"expected a list, got {_shown(given)}")
        return parse(type_name, json.dumps(given), strict=False).bare()
    if isinstance(given, bool) or given is None or isinstance(given, (list, dict)):
        text = json.dumps(given)
    else:
        text = float_text(float(given)) if isinstance(given, float) else str(given)
    if kind == "string":
        raise CoulerError(f"expected a text, got {_shown(given)}")
    return parse(type_name, text, strict=False)


class Step(Kind):
    """Runs a script or a program."""

    ui_color = "#e6f2ff"

    def couler(self, run: Running) -> Any:
        spec = run.spec
        run.enter(*spec.get("in", {}).values(), *spec.get("to", {}).values())
        if spec.get("trial"):
            enter_trial(run)
        inputs = run.values(spec.get("in", {}), "input")
        attempt = Attempt(run, StepScope(run.frame, inputs))
        lost = attempt.begin()
        if lost and self._retry_on(run) not in ("any", "error"):
            run.fail(None, "the worker of the attempt before was lost, and `retry` does not cover that")
        try:
            with Locks(run, spec.get("locks", [])):
                return self._attempt(run, attempt)
        finally:
            attempt.remove()

    def _retry_on(self, run: Running) -> Any:
        return run.spec.get("retry_on", "any")

    def _attempt(self, run: Running, attempt: Attempt) -> Any:
        timeout = self._timeout(run, attempt.scope)
        left = run.remaining()
        limit = min((t for t in (timeout, left) if t is not None), default=None)
        code: int | None
        late = False
        try:
            attempt.prepare()
            kept = Kept(run, attempt) if "cache" in run.spec else None
            found = kept.take() if kept else None
            if found is None:
                code, late = self.launch(run, attempt, limit)
                if code:
                    why = f"timed out after {limit:g} s" if late else f"ended with exit code {code}"
                    raise Failure(code, why)
                out = attempt.collect()
                if kept:
                    kept.give(out)
            else:
                out = found
                log.info("taken from an earlier run: %s", kept.place if kept else "")
            self._publish(run, attempt.scope, out)
        except AirflowTaskTimeout:
            return self._failed(run, attempt, Failure(EXIT_TIMEOUT, "timed out"), True)
        except EvalError as x:
            return self._failed(run, attempt, Failure(EXIT_VALUE, str(x)), late)
        except Failure as x:
            return self._failed(run, attempt, x, late)
        attempt.note(attempt.notes().get("first", time.time()), True)
        run.succeed(out)
        if run.spec.get("trial"):
            Marks(run, run.chain[-1]).done(run, out)
        return None

    def launch(self, run: Running, attempt: Attempt, limit: float | None) -> tuple[int, bool]:
        stdout = attempt.stdout if attempt.captures else None
        return run_process(self, attempt.argv(), attempt.environment(), attempt.cwd, stdout, limit)

    @staticmethod
    def _timeout(run: Running, scope: Scope) -> float | None:
        e = run.spec.get("execution_timeout")
        v = None if e is None else evaluate(e, scope)
        return None if v is None else float(v.v)

    @staticmethod
    def _publish(run: Running, scope: StepScope, out: dict[str, Value | None]) -> None:
        for name, e in run.spec.get("to", {}).items():
            v, where = out.get(name), evaluate(e, scope)
            if v is None or where is None:
                continue
            if v.many:
                for i, x in enumerate(v.v):
                    publish(run, x.v, f"{where.v.rstrip('/')}/{i:06d}")
            else:
                publish(run, v.v, where.v)

    def _failed(self, run: Running, attempt: Attempt, x: Failure, late: bool) -> Any:
        notes = attempt.notes()
        attempt.note(notes.get("first", time.time()), True)
        on, spec = self._retry_on(run), run.spec
        if isinstance(on, list):
            again = x.exit_code in on and not late
        else:
            again = on in ("any", "failure" if x.own else "error")
        within = spec.get("retry_within")
        if within is not None and time.time() - notes.get("first", time.time()) >= within:
            again = False
        last = run.ti.try_number > getattr(run.ti, "max_tries", spec.get("retries", 0))
        if run.spec.get("trial") and not (again and not last):
            Marks(run, run.chain[-1]).failed(run)
        return run.fail(x.exit_code, str(x), again=again and not last)


def enter_trial(run: Running) -> None:
    """No new trial once enough have failed, or a lower one has reached the goal."""
    loop = run.chain[-1]
    if run.trial(loop, run.index[-1], run.frame) is None or Marks(run, loop).ended(run.index[-1]):
        run.skip("condition")


class Marks:
    """Files in the run's folder that say which trials of a sweep failed or reached the goal, so that others need not start."""

    def __init__(self, run: Running, loop: str):
        self.table = run.doc.data["tables"][run.doc.loops[loop]["table"]]
        outer = ".".join(str(i) for i in run.index[:-1])
        self.folder = os.path.join(run.folder, "sweeps", file_name(loop), outer or "-")

    def _numbers(self, what: str) -> list[int]:
        try:
            return sorted(int(f.split("-")[1]) for f in os.listdir(self.folder) if f.startswith(what))
        except FileNotFoundError:
            return []

    def ended(self, trial: int) -> bool:
        if "goal" not in self.table and "max_failed" not in self.table:
            return False
        goal = next(iter(self._numbers("goal")), None)
        if goal is not None and goal < trial:
            return True
        failed = self._numbers("failed")
        return "max_failed" in self.table and len(failed) >= self.table["max_failed"]

    def _mark(self, name: str) -> None:
        os.makedirs(self.folder, exist_ok=True)
        with open(os.path.join(self.folder, name), "w", encoding="utf-8"):
            pass

    def failed(self, run: Running) -> None:
        if "max_failed" in self.table:
            self._mark(f"failed-{run.index[-1]}")

    def done(self, run: Running, out: dict[str, Value | None]) -> None:
        v = out.get(self.table["objective"])
        if v is None or v.v != v.v:
            self.failed(run)
        elif "goal" in self.table and reaches(float(v.v), self.table["goal"], self.table.get("minimize", False)):
            self._mark(f"goal-{run.index[-1]}")


def reaches(value: float, goal: float, minimize: bool) -> bool:
    return value <= goal if minimize else value >= goal


class Branch(Kind):
    """An `if`: which of its branches is taken."""

    ui_color = "#fff7e0"

    def couler(self, run: Running) -> Any:
        conditions = run.spec["conditions"]
        run.enter(*conditions)
        taken = -1
        for i, c in enumerate(conditions):
            try:
                if c is None or condition(c, run.frame):
                    taken = i
                    break
            except EvalError as x:
                run.fail(EXIT_VALUE, f"its condition could not be evaluated: {x}")
        run.succeed({"-branch": integer(taken)})


class Each(Kind):
    """A `for` over a list known at run time: finds the elements for each element of the loops around it."""

    ui_color = "#eef9ee"

    def couler(self, run: Running) -> Any:
        loop = next(k for k, v in run.doc.loops.items() if v.get("task") == run.tid)
        chain = run.doc.chains[loop][:-1]
        outer = run.elements(chain[-1]) if chain else [[]]
        found = [self._find(run, Frame(run, dict(zip(chain, e)))) for e in outer]
        if not chain and found[0]["status"] != "succeeded":
            run.push(found[0]["status"], found[0].get("exit_code"), {}, why=found[0].get("why"), each=found)
            if found[0]["status"] == "failed":
                run.stop_others()
                raise AirflowFailException(f"{run.name}: {found[0]['message']}")
            return []
        for f in found:
            if f["status"] == "failed":
                self.log.error("%s%s: %s", run.name, "".join(f"[{i}]" for i in f["index"]), f["message"])
        run.succeed({}, each=found)
        if not chain:
            return [[i] for i in range(len(found[0]["items"]))]
        return self._checked(run, flatten([(e, p, len(f.get("items", ()))) for p, (e, f) in enumerate(zip(outer, found))]))

    @staticmethod
    def _checked(run: Running, elements: list[list[int]]) -> list[list[int]]:
        limit = conf.getint("core", "max_map_length", fallback=1024)
        if len(elements) > limit:
            run.fail(EXIT_VALUE, f"the loops have {len(elements)} elements together, Airflow maps over at most {limit}: raise [core] max_map_length")
        return elements

    @staticmethod
    def _find(run: Running, frame: Frame) -> dict[str, Any]:
        index = [frame.by[o] for o in frame.by]
        why = run.guard(run.spec, frame)
        if not why and frame.blocked(run.spec["list"]):
            why = "upstream"
        if not why and run.stopped():
            why = "stopped"
        if why:
            return {"index": index, "status": "skipped", "why": why}
        try:
            many = needed(run.spec["list"], frame)
            if many.kind == "json" and not many.many:
                many = json_to(many.v, "json", True)
            if len(many.v) > FOR_LIMIT:
                raise EvalError(f"its list has {len(many.v)} elements; a for has at most {FOR_LIMIT:,}")
        except EvalError as x:
            return {"index": index, "status": "failed", "exit_code": EXIT_VALUE, "message": f"its list could not be evaluated: {x}"}
        return {"index": index, "status": "succeeded", "items": [pack(v.bare()) for v in many.v]}


class Round(Kind):
    """The state of a loop before a round; whether the round takes place."""

    ui_color = "#eef9ee"

    def couler(self, run: Running) -> Any:
        spec = run.spec
        states = spec.get("states", {})
        if spec["round"] == 0:
            run.enter(*states.values(), *spec.get("needs", ()))
            values = run.values(states, "state")
        else:
            self._enter_next(run)
            before = run.frame.outcome(spec["within"]["task"])["out"]
            values = {name: unpack(p) for name, p in before.items() if not name.startswith("-") and name != "iterations"}
            values.update(run.values(states, "state"))
        out: dict[str, Value | None] = {**values, "iterations": integer(spec["round"])}
        go = "while" in spec or not spec.get("last", False)
        if not spec.get("last", False) and "while" in spec:
            try:
                go = condition(spec["while"], RoundFrame(run, out))
            except EvalError as x:
                run.fail(EXIT_VALUE, f"its `while` could not be evaluated: {x}")
        elif spec.get("last", False):
            go = False
        return run.succeed({**out, "-go": boolean(go)})

    @staticmethod
    def _enter_next(run: Running) -> None:
        """A failed round fails the loop; the step that failed is what the run reports."""
        why = run.guard(run.spec, run.frame)
        if why:
            run.skip(why)
        for tid in run.spec.get("body", ()):
            t = run.doc.tasks[tid]
            for index in instances(run, tid):
                o = run.outcome(tid, index)
                if (o["status"] == "failed" and not t.get("allow_failure") and not t.get("trial")) or (
                    o["status"] == "skipped" and o["why"] != "condition"
                ):
                    run.fail(None, "a step of the round before failed", quiet=True)
        if any(run.frame.blocked(e) for e in run.spec.get("states", {}).values()):
            run.skip("upstream")


class RoundFrame(Scope):
    """A loop's states as they are about to be."""

    def __init__(self, run: Running, states: dict[str, Value | None]):
        self.run, self.states = run, states

    def reference(self, e: list[Any]) -> Value | None:
        if e[0] == "out" and e[1] == self.run.tid:
            return self.states[e[2]]
        return self.run.frame.reference(e)


def instances(run: Running, tid: str) -> list[tuple[int, ...]]:
    """The instances of a task below the elements that the running task stands in."""
    chain = run.doc.chain(tid)
    if len(chain) <= len(run.chain):
        return [run.index[: len(chain)]]
    elements = run.elements(run.doc.tasks[tid]["loop"])
    every = (tuple(e[: len(chain)]) for e in elements)
    return [i for i in every if i[: len(run.index)] == run.index]


class CallBegin(Kind):
    """The parameters of a workflow that runs as a step."""

    ui_color = "#f3ecfb"

    def couler(self, run: Running) -> Any:
        return run.succeed(call_params(run))


def call_params(run: Running) -> dict[str, Value | None]:
    params = run.spec.get("params", {})
    run.enter(*(p["value"] for p in params.values()))
    if run.spec.get("trial"):
        enter_trial(run)
    out: dict[str, Value | None] = {}
    for name, p in params.items():
        try:
            out[name] = evaluate(p["value"], CallFrame(run, out))
            allowed = evaluate(p["in"], CallFrame(run, out)) if "in" in p else None
            if allowed is not None and not any(equal(x, out[name]) for x in allowed.v):
                raise EvalError("its value is not among the allowed ones, " + element_text(allowed))
        except EvalError as x:
            run.fail(EXIT_VALUE, f"parameter '{name}' could not be evaluated: {x}")
    return out


class CallFrame(RoundFrame):
    """Parameters of a call that were read already: a default may read those before it."""


def judge(run: Running, scope: str, handlers: bool) -> tuple[bool, list[str]]:
    """Whether the tasks of a workflow went well, and the names of those that failed. What ran well is not looked at."""
    failures = []
    states = run.states()
    failed = {tid for (tid, _), state in states.items() if state == "failed"}
    for tid in run.doc.scopes.get(scope, ()):
        t = run.doc.tasks[tid]
        if (t.get("handler") and not handlers) or t["kind"] in ("end", "result") or tid == run.tid or t.get("trial"):
            continue
        if t["kind"] == "each":
            found = run.outcome(tid, ()).get("each", ())
            if any(f["status"] == "failed" and f["index"][: len(run.index)] == list(run.index) for f in found):
                failures.append(t.get("name", tid))
        elif tid in failed and not t.get("allow_failure"):
            for index in instances(run, tid):
                o = run.outcome(tid, index)
                if o["status"] == "failed":
                    failures += o.get("failed_steps") or ["" if o.get("quiet") else t.get("name", tid)]
    return bool(failures), sorted({f for f in failures if f}, key=lambda s: s.encode())


class CallEnd(Kind):
    """The end of a workflow that runs as a step: how it went, its outputs."""

    ui_color = "#f3ecfb"

    def couler(self, run: Running) -> Any:
        enter_end(run, run.spec["begin"])
        failed, names = judge(run, run.spec["of"], handlers=True)
        if failed:
            fail_call(run, "failed: " + ", ".join(names))
        out: dict[str, Value | None] = {}
        for name, o in run.spec.get("outputs", {}).items():
            out[name] = None
            if not run.frame.blocked(o["value"]):
                try:
                    out[name] = evaluate(o["value"], run.frame)
                except EvalError as x:
                    run.fail(EXIT_VALUE, f"output '{name}' could not be evaluated: {x}")
        end_call(run, out)


def enter_end(run: Running, begin: str) -> None:
    """The end of a call whose task `begin` did not start it ends like that."""
    why = run.guard(run.spec, run.frame)
    if why:
        run.skip(why)
    o = run.frame.outcome(begin)
    if o["status"] == "skipped":
        run.skip(o["why"] or "upstream")
    if o["status"] == "failed":
        run.fail(EXIT_VALUE, "its parameters could not be evaluated")


def fail_call(run: Running, message: str, **more: Any) -> None:
    if run.spec.get("trial"):
        Marks(run, run.chain[-1]).failed(run)
    run.fail(1, message, **more)


def end_call(run: Running, out: dict[str, Value | None]) -> None:
    run.succeed(out)
    if run.spec.get("trial"):
        Marks(run, run.chain[-1]).done(run, out)


def _trigger_class() -> Any:
    """Starts the run of a part, or of a workflow that is a DAG of its own; Triggered waits for it, without a worker.

    A task that is cleared starts the same run anew.
    """
    places = ("airflow.providers.standard.operators.trigger_dagrun", "airflow.operators.trigger_dagrun")
    base = _first(*(f"{place}:TriggerDagRunOperator" for place in (places if AIRFLOW >= (3,) else reversed(places))))

    class Trigger(base):  # type: ignore[misc, valid-type]
        template_fields = ("index",)
        template_ext = ()
        ui_color = "#f3ecfb"

        def __init__(self, *, index: Any = None, **kwargs: Any):
            super().__init__(wait_for_completion=False, reset_dag_run=True, **kwargs)
            self.index = index

        def execute(self, context: Any) -> Any:
            run = Running(self, context)
            try:
                given = run.for_part(run.tid, call_params(run))
            except EvalError as x:
                return run.fail(EXIT_VALUE, str(x))
            self.trigger_run_id, self.conf = run.part_run(run.tid), {"couler": run.me()}
            run.ti.xcom_push(key=CALL, value=given)
            run.succeed({})
            self.log.info("the run %s of %s", self.trigger_run_id, self.trigger_dag_id)
            return super().execute(context)

    return Trigger


class Triggered(BaseSensorOperator):  # type: ignore[misc, valid-type]
    """Waits for the end of the run that a Trigger started, and takes over its outputs."""

    template_fields = ("index",)
    template_ext = ()
    ui_color = "#f3ecfb"

    def __init__(self, *, index: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.index = index

    def poke(self, context: Any) -> bool:
        run = Running(self, context)
        trigger = run.spec["trigger"]
        enter_end(run, trigger)
        dag_id, run_id = run.doc.tasks[trigger]["dag"], run.part_run(trigger)
        try:
            state = run.run_state(dag_id, run_id)
        except Exception as x:  # an error of the API server, in Airflow 3
            self.log.info("%s", x)
            state = ""
        if not state and run.states().get((trigger, run.position(trigger, run.index))) == "failed":
            fail_call(run, f"its run could not be started; the log of {trigger} says why")
        if state not in ("success", "failed"):
            self.log.info("the run %s of %s: %s", run_id, dag_id, state or "its state is not known")
            return False
        record = run.result_of(dag_id, run_id)
        if record is None:
            fail_call(run, f"the run {run_id} of {dag_id} ended without a result")
        if state == "failed" or record["status"] == "failed":
            names = record.get("failed_steps", [])
            more = {"failed_steps": names} if run.doc.tasks[trigger].get("part") else {}
            fail_call(run, f"the run {run_id} of {dag_id} failed: " + ", ".join(names), **more)
        end_call(run, {name: unpack(p) for name, p in record["out"].items()})
        return True


class Best(Kind):
    """The end of a rung or of a whole sweep: the best trials."""

    ui_color = "#eef9ee"

    def couler(self, run: Running) -> Any:
        why = run.guard(run.spec, run.frame)
        if why:
            run.skip(why)
        spec = run.spec
        rungs = [Rung(run, tid) for tid in spec["trials"]]
        last = rungs[-1]
        if all(t.outcome["status"] == "skipped" and t.outcome["why"] != "condition" for r in rungs for t in r.trials):
            run.skip("upstream")
        table = run.doc.data["tables"][spec["table"]]
        failed = sum(not t.good for r in rungs for t in r.counted())
        limit = table.get("max_failed")
        ranked = last.ranked()
        if limit is not None and failed >= limit:
            run.fail(1, f"{failed} trials failed, max_failed is {limit}")
        if not ranked:
            run.fail(1, "no trial succeeded")
        if "keep_best" in spec:
            rows = [t.row for t in ranked[: spec["keep_best"]]]
            return run.succeed({"-rows": string(json.dumps(rows))})
        best = ranked[0]
        out: dict[str, Value | None] = {f"best.{name}": unpack(p) for name, p in best.outcome["out"].items()}
        for name in [*table["args"], *([table["budget"]] if "budget" in table else [])]:
            out[f"best.{name}"] = best.argument(name)
        out["trials"] = Value("json", [t.report() for r in rungs for t in r.counted()])
        return run.succeed(out)


class Trial:
    def __init__(self, rung: Rung, number: int):
        self.rung, self.number = rung, number
        run = rung.run
        frame = run.frame.inner(rung.loop, number)
        row = run.trial(rung.loop, number, run.frame)
        self.row = -1 if row is None else row
        self.frame = frame
        self.outcome = run.outcome(rung.tid, (*run.index, number))
        objective = unpack(self.outcome["out"].get(rung.table["objective"])) if self.outcome["status"] == "succeeded" else None
        self.value = None if objective is None else float(objective.v)
        self.good = self.value is not None and self.value == self.value

    def argument(self, name: str) -> Value | None:
        return self.rung.run.argument(self.rung.loop, self.number, name, self.rung.run.frame)

    def report(self) -> dict[str, Any]:
        table = self.rung.table
        names = [*table["args"], *([table["budget"]] if "budget" in table else [])]
        outs: dict[str, Any] = {}
        if self.good:
            for name, p in self.outcome["out"].items():
                v = unpack(p)
                if v is None or v.kind not in ("file", "dir"):
                    odd = v is not None and v.kind == "float" and not v.many and not math.isfinite(v.v)
                    outs[name] = text_of(v) if odd else to_json(v)
        status = self.outcome["status"]
        return {
            "trial": float(self.row),
            "status": "failed" if status == "succeeded" and not self.good else status,
            "args": {name: to_json(self.argument(name)) for name in names},
            "outputs": outs,
        }


class Rung:
    """The trials of a sweep, or of one rung of it."""

    def __init__(self, run: Running, tid: str):
        self.run, self.tid = run, tid
        self.loop = run.doc.chain(tid)[-1]
        spec = run.doc.loops[self.loop]
        self.table = run.doc.data["tables"][spec["table"]]
        numbers = (i for i in range(spec["length"]) if run.trial(self.loop, i, run.frame) is not None)
        self.trials = [Trial(self, i) for i in numbers]

    def counted(self) -> list[Trial]:
        """Up to the lowest that reached the goal: the others do not count, whether they ran or not."""
        if "goal" not in self.table:
            return self.trials
        out = []
        for t in self.trials:
            out.append(t)
            if t.good and t.value is not None and reaches(t.value, self.table["goal"], self.table.get("minimize", False)):
                break
        return out

    def ranked(self) -> list[Trial]:
        sign = 1 if self.table.get("minimize") else -1
        good = [t for t in self.counted() if t.good and t.value is not None]
        return sorted(good, key=lambda t: (sign * (t.value or 0.0), t.row))


class Fail(Kind):
    """A step that fails."""

    ui_color = "#fdecea"

    def couler(self, run: Running) -> Any:
        run.enter(run.spec.get("message"))
        v = run.values({"message": run.spec.get("message")}, "the")["message"]
        run.fail(1, text_of(v))


class End(Kind):
    """Everything but the `on` blocks has ended: how the run went."""

    def couler(self, run: Running) -> Any:
        why = run.guard(run.spec, run.frame)
        if why:
            run.skip(why)
        begin = run.outcome(BEGIN, ()) if BEGIN in run.doc.tasks else None
        if begin is not None and begin["status"] == "skipped":
            run.skip("condition")
        failed, names = judge(run, run.spec.get("of", ""), handlers=False)
        left = run.remaining()
        if left is not None and left <= 0:
            failed = True
            self.log.error("the workflow's timeout has passed")
        run.succeed({"status": string("failed" if failed else "succeeded"), "failed_steps": list_of("string", [string(n) for n in names])})


class Result(Kind):
    """The last task: the workflow's outputs, and whether the run failed."""

    def couler(self, run: Running) -> Any:
        run_locks(run, take=False)
        begin = run.outcome(BEGIN, ()) if BEGIN in run.doc.tasks else None
        if begin is not None and begin["status"] == "skipped":
            return run.succeed({})
        failed, names = judge(run, "", handlers=True)
        left = run.remaining()
        out: dict[str, Value | None] = {}
        errors = []
        for name, o in run.doc.data.get("outputs", {}).items():
            if run.frame.blocked(o["value"]):
                continue
            try:
                out[name] = evaluate(o["value"], run.frame)
                if out[name] is None:
                    continue
                if "to" in o:
                    where = needed(o["to"], run.frame)
                    publish(run, text_of(out[name]), where.v)
            except (EvalError, Failure) as x:
                errors.append(f"output '{name}': {x}")
        self._keep(run)
        if failed or errors or (left is not None and left <= 0):
            run.push("failed", 1, {name: pack(v) for name, v in out.items() if v is not None}, failed_steps=names)
            reasons = [f"failed: {', '.join(names)}"] if names else []
            if left is not None and left <= 0:
                reasons.append("the workflow's timeout has passed")
            raise AirflowFailException(f"{run.doc.dag_id}: " + "; ".join([*reasons, *errors] or ["failed"]))
        return run.succeed({name: v for name, v in out.items() if v is not None})

    @staticmethod
    def _keep(run: Running) -> None:
        """Removes the files of runs that are older than `keep`, and of all but the last `keep_runs`."""
        keep, count = run.doc.data.get("keep"), run.doc.data.get("keep_runs")
        if keep is None and count is None:
            return
        folder = os.path.dirname(run.folder)
        try:
            others = sorted((e for e in os.scandir(folder) if e.path != run.folder), key=lambda e: -e.stat().st_mtime)
        except FileNotFoundError:
            return
        for i, e in enumerate(others):
            if (count is not None and i + 1 >= count) or (keep is not None and time.time() - e.stat().st_mtime > keep):
                shutil.rmtree(e.path, ignore_errors=True)


def run_locks(run: Running, take: bool) -> None:
    """Locks of a whole run: files that name their holder; one whose run has ended is taken over."""
    me = json.dumps([run.doc.dag_id, run.run_id])
    for name, size in run.doc.data.get("locks", ()):
        scope = ParamFrame(run, {}) if take else run.frame
        folder = os.path.join(root_folder(), "locks", file_name("run." + text_of(evaluate(name, scope))))
        os.makedirs(folder, exist_ok=True)
        places = [os.path.join(folder, str(k)) for k in range(size)]
        if not take:
            for place in places:
                if _holder(place) == me:
                    os.unlink(place)
            continue
        said = False
        while not any(_take_place(run, place, me) for place in places):
            if not said:
                run.operator.log.info("waiting for the lock '%s', held by %s", text_of(evaluate(name, scope)), _holder(places[0]))
                said = True
            time.sleep(POLL)


def _holder(place: str) -> str:
    try:
        with open(place, encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def _take_place(run: Running, place: str, me: str) -> bool:
    holder = _holder(place)
    if holder == me:
        return True
    if holder and _run_ended(run, *json.loads(holder)):
        os.replace(place, f"{place}.{os.getpid()}.old")  # only one can move it away
        os.unlink(f"{place}.{os.getpid()}.old")
    part = f"{place}.{os.getpid()}.new"
    with open(part, "w", encoding="utf-8") as f:
        f.write(me)
    try:
        os.link(part, place)
        return True
    except FileExistsError:
        return False
    finally:
        os.unlink(part)


def _run_ended(run: Running, dag_id: str, run_id: str) -> bool:
    try:
        state = run.run_state(dag_id, run_id) or "failed"
    except Exception as x:
        run.operator.log.warning("the state of run %s of %s is not known: %s", run_id, dag_id, x)
        return False
    return state in ("success", "failed")


class Wait(BaseSensorOperator):  # type: ignore[misc, valid-type]
    """Waits for a time, or polls until a script ends with exit code 0. Long waits give their worker back between looks."""

    template_fields = ("index",)
    template_ext = ()
    ui_color = "#f4f4f4"

    def __init__(self, *, index: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.index = index
        self.couler_process: subprocess.Popen[bytes] | None = None

    def poke(self, context: Any) -> bool:
        run = Running(self, context)
        spec = run.spec
        run.enter(*spec.get("in", {}).values())
        since = self._since(run)
        if "seconds" in spec:
            if time.time() - since < spec["seconds"]:
                return False
            run.succeed({})
            return True
        timeout, remaining = Step._timeout(run, run.frame), run.remaining()
        ends = [since + timeout] if timeout is not None else []
        ends += [time.time() + remaining] if remaining is not None else []
        try:
            code = self._poll(run, min(ends) - time.time() if ends else None)
        except Failure as x:
            run.fail(x.exit_code, str(x))
        if code == 0:
            run.succeed({})
            return True
        if ends and time.time() >= min(ends):
            run.fail(EXIT_TIMEOUT, f"timed out after {time.time() - since:.0f} s")
        return False

    def _poll(self, run: Running, left: float | None) -> int:
        attempt = Attempt(run, StepScope(run.frame, run.values(run.spec.get("in", {}), "input")))
        try:
            attempt.prepare()
            code, _ = run_process(self, attempt.argv(), attempt.environment(), attempt.cwd, None, None if left is None else max(left, 0.1))
            return code
        finally:
            attempt.remove()

    @staticmethod
    def _since(run: Running) -> float:
        """When this wait began: its looks may be different processes."""
        base = os.path.join(run.folder, file_name(run.tid) + "".join(f".{i}" for i in run.index))
        os.makedirs(base, exist_ok=True)
        path = os.path.join(base, f"since-{run.ti.try_number}")
        try:
            with open(path, encoding="utf-8") as f:
                return float(f.read())
        except (FileNotFoundError, ValueError):
            now = time.time()
            with open(path, "w", encoding="utf-8") as f:
                f.write(repr(now))
            return now

    def on_kill(self) -> None:
        if self.couler_process is not None:
            kill_group(self.couler_process)


# ---- gates: a person's answer

ANSWERS = ("Approve", "Reject")


class Gate(BaseSensorOperator):  # type: ignore[misc, valid-type]
    """Waits for a person's answer in an Airflow Variable; its name is logged. Airflow before 3.1 has nothing better."""

    template_fields = ("index",)
    template_ext = ()
    ui_color = "#fdf0f7"

    def __init__(self, *, index: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.index = index

    def poke(self, context: Any) -> bool:
        run = Running(self, context)
        enter_gate(run)
        since = Wait._since(run)
        key = ".".join(["couler", run.doc.dag_id, run.run_id, run.tid, *map(str, run.index)])
        answer = self._answer(key)
        if answer is None:
            timeout = Step._timeout(run, run.frame)
            if timeout is not None and time.time() - since >= timeout:
                run.fail(EXIT_TIMEOUT, f"nobody answered within {timeout:g} s")
            self.log.info("%s", gate_message(run))
            self.log.info("answer: airflow variables set '%s' yes   (or no, or {\"answer\": \"yes\", \"NAME\": value})", key)
            return False
        settle_gate(run, answer.get("answer") == "yes", {k: v for k, v in answer.items() if k != "answer"})
        return True

    @staticmethod
    def _answer(key: str) -> dict[str, Any] | None:
        try:
            text = Variable.get(key)
        except Exception as x:  # each version has its own error for a variable that is not there
            log.debug("%s: %s", key, x)
            return None
        try:
            answer = json.loads(text)
        except ValueError:
            answer = text
        return answer if isinstance(answer, dict) else {"answer": str(answer).strip().lower()}


def enter_gate(run: Running) -> None:
    asks = run.spec.get("asks", ())
    run.enter(run.spec.get("message"), *(a.get("default") for a in asks), *(a.get("in") for a in asks))


def gate_message(run: Running) -> str:
    return text_of(run.values({"message": run.spec.get("message", "")}, "the")["message"])


def settle_gate(run: Running, approved: bool, given: dict[str, Any]) -> None:
    if not approved:
        run.fail(1, "rejected")
    out: dict[str, Value | None] = {}
    for ask in run.spec.get("asks", ()):
        name = ask["name"]
        try:
            out[name] = param_value(ask["type"], given[name]) if name in given else evaluate(ask.get("default"), run.frame)
            allowed = evaluate(ask["in"], run.frame) if "in" in ask else None
            if out[name] is None:
                raise CoulerError("no answer")
            if allowed is not None and not any(equal(x, out[name]) for x in allowed.v):
                raise CoulerError("must be one of " + element_text(allowed))
        except CoulerError as x:
            run.fail(EXIT_VALUE, f"the answer '{name}': {x}")
    run.succeed(out)


def _human_class() -> Any:
    """A gate on Airflow's own page of required actions (3.1 and later, standard provider)."""
    base = _first("airflow.providers.standard.operators.hitl:HITLOperator")
    params_dict = _first("airflow.sdk.definitions.param:ParamsDict")

    class Approve(base):  # type: ignore[misc, valid-type]
        template_fields = ("index",)
        template_ext = ()
        ui_color = "#fdf0f7"

        def __init__(self, *, index: Any = None, **kwargs: Any):
            super().__init__(subject="approval", options=list(ANSWERS), **kwargs)
            self.index = index

        def execute(self, context: Any) -> Any:
            run = Running(self, context)
            enter_gate(run)
            self.subject = gate_message(run)
            self.body = run.spec.get("doc")
            self.params = params_dict({a["name"]: self._param(run, a) for a in run.spec.get("asks", ())})
            timeout = Step._timeout(run, run.frame)
            self.response_timeout = None if timeout is None else datetime.timedelta(seconds=timeout)
            return super().execute(context)

        @staticmethod
        def _param(run: Running, ask: dict[str, Any]) -> Any:
            v = run.values({ask["name"]: ask.get("default")}, "the default of")[ask["name"]]
            allowed = evaluate(ask["in"], run.frame) if "in" in ask else None
            schema = dict(SCHEMA_TYPES.get(type_of(ask["type"])[0], {}))
            if allowed is not None:
                schema["enum"] = [plain(x) for x in allowed.v]
            return Param(**({} if v is None else {"default": plain(v)}), **schema)

        def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
            run = Running(self, context)
            if "error" in event:
                late = event.get("error_type") == "timeout"
                run.fail(EXIT_TIMEOUT if late else 1, "nobody answered in time" if late else str(event["error"]))
            settle_gate(run, list(event["chosen_options"]) == [ANSWERS[0]], dict(event.get("params_input") or {}))

    return Approve


# ---------------------------------------------------------------- DAGs

CLASSES: dict[str, Any] = {
    "begin": Begin, "run": Step, "branch": Branch, "each": Each, "round": Round, "call_begin": CallBegin,
    "call_end": CallEnd, "triggered": Triggered, "best": Best, "wait": Wait, "poll": Wait, "fail": Fail, "end": End, "result": Result,
}  # fmt: skip

# How Airflow's form asks for a parameter. Numbers may be given as text, to be passed on digit by digit.
SCHEMA_TYPES: dict[str, dict[str, Any]] = {
    "string": {"type": "string"}, "int": {"type": ["integer", "string"]}, "float": {"type": ["number", "string"]},
    "bool": {"type": "boolean"}, "duration": {"type": ["string", "number"]}, "size": {"type": ["string", "integer"]},
    "time": {"type": "string", "format": "date-time"}, "file": {"type": "string"}, "dir": {"type": "string"},
}  # fmt: skip

_documents: dict[str, Document] = {}


def document_of(dag_id: str) -> Document:
    try:
        return _documents[dag_id]
    except KeyError:
        raise CoulerError(f"the document of the DAG {dag_id!r} was not found beside couler_airflow.py on this worker") from None


def plain(v: Value) -> Any:
    """A value as Airflow's forms take it."""
    if v.many:
        return [plain(x) for x in v.v]
    if v.kind in ("int", "size", "bool", "string", "file", "dir", "json"):
        return v.v
    return float(v.v) if v.kind in ("float", "duration") and math.isfinite(v.v) else text_of(v)


def _params(doc: Document) -> dict[str, Any]:
    params = {}
    for name, p in doc.data.get("params", {}).items():
        kind, many, _ = type_of(p["type"])
        schema = {"type": "array"} if many else dict(SCHEMA_TYPES.get(kind, {}))
        if "enum" in p:
            schema = {"enum": p["enum"]}
        if "doc" in p:
            schema["description"] = p["doc"]
        if "default" in p:
            params[name] = Param(p["default"], **schema)
        elif "value" in p:  # computed when the run begins
            params[name] = Param(None, **{**schema, **({"type": ["null", *_as_list(schema["type"])]} if "type" in schema else {})})
        else:
            params[name] = Param(**schema)
    return params


def _as_list(x: Any) -> list[Any]:
    return x if isinstance(x, list) else [x]


def _timetable(doc: Document) -> Any:
    schedule = doc.data.get("schedule")
    if not schedule:
        return None
    crons, zone = schedule["cron"], schedule.get("timezone", "UTC")
    one = _first("airflow.sdk:CronTriggerTimetable", "airflow.timetables.trigger:CronTriggerTimetable")
    try:
        if len(crons) == 1:
            return one(crons[0], timezone=zone)
        several = _first("airflow.sdk:MultipleCronTriggerTimetable", "airflow.timetables.trigger:MultipleCronTriggerTimetable")
        return several(*crons, timezone=zone)
    except ImportError:
        raise CoulerError("schedule.cron: several crons need Airflow 3") from None
    except Exception as x:  # of the cron library or of the time zones, different in each version
        raise CoulerError(f"schedule: {json.dumps(schedule)}: {x}") from x


def _merged(base: dict[str, Any], raw: dict[str, Any]) -> dict[str, Any]:
    """raw over base, key by key; lists of texts are joined."""
    out = dict(base)
    for k, v in raw.items():
        old = out.get(k)
        if isinstance(old, dict) and isinstance(v, dict):
            out[k] = _merged(old, v)
        elif isinstance(old, list) and isinstance(v, list):
            out[k] = old + [x for x in v if x not in old]
        else:
            out[k] = v
    return out


def _make_dag(doc: Document, auto_register: bool) -> Any:
    d = doc.data
    start = datetime.datetime.fromisoformat(d.get("start_date", "2020-01-01"))
    kwargs: dict[str, Any] = {
        "dag_id": doc.dag_id,
        "schedule": _timetable(doc),
        "start_date": start if start.tzinfo else start.replace(tzinfo=datetime.timezone.utc),
        "catchup": d.get("catchup", False),
        "description": d.get("description"),
        "doc_md": d.get("doc_md"),
        "tags": list(d.get("tags", ["couler"])),
        "params": _params(doc),
        "default_args": {"owner": d.get("owner", "couler"), "retries": 0},
        "render_template_as_native_obj": False,
        "auto_register": auto_register,  # one that turns out broken later would be found by itself
    }
    for key in ("max_active_runs", "max_active_tasks"):
        if key in d:
            kwargs[key] = d[key]
    if doc.whole is not None:  # nobody is to switch it on
        kwargs["is_paused_upon_creation"] = False
    try:
        return DAG(**_merged(kwargs, d.get("airflow", {})))
    except (TypeError, ValueError, AirflowException) as x:
        raise CoulerError(f"airflow: {x}") from x


def _class_of(doc: Document, spec: dict[str, Any]) -> Any:
    kind = spec["kind"]
    if kind == "trigger":
        return _trigger_class()
    if kind == "approve":
        return _human_class() if AIRFLOW >= (3, 1) else Gate
    if kind == "run":
        return container_class(doc)
    return CLASSES[kind]


def _arguments(doc: Document, spec: dict[str, Any], groups: dict[str, Any]) -> dict[str, Any]:
    """Airflow's own arguments of a task."""
    kind = spec["kind"]
    kwargs: dict[str, Any] = {"task_id": spec["task_id"], "trigger_rule": spec.get("trigger_rule", "all_done")}
    if "group" in spec:
        kwargs["task_group"] = groups[spec["group"]]
    for key in ("priority_weight", "pool", "pool_slots", "max_active_tis_per_dagrun"):
        if key in spec:
            kwargs[key] = spec[key]
    if spec.get("doc"):
        kwargs["doc_md"] = spec["doc"]
    if kind == "run":
        kwargs["retries"] = spec.get("retries", 0)
        kwargs["retry_delay"] = datetime.timedelta(seconds=spec.get("retry_delay", 0))
        if "max_retry_delay" in spec:
            kwargs["max_retry_delay"] = datetime.timedelta(seconds=spec["max_retry_delay"])
        factor = spec.get("retry_exponential_backoff", 1)
        if factor > 1:
            kwargs["retry_exponential_backoff"] = float(factor) if AIRFLOW >= (3, 2) else True
    elif kind in ("wait", "poll"):
        every = float(spec.get("poke_interval", 30))
        if kind == "wait":
            every = min(float(spec["seconds"]), 60.0)
        kwargs.update(poke_interval=max(every, 0.1), mode="reschedule" if every >= 30 else "poke", timeout=86400 * 3650)
    elif kind == "triggered":
        every = conf.getfloat("couler", "poll", fallback=10.0)
        kwargs.update(poke_interval=max(every, 0.1), mode="reschedule", timeout=86400 * 3650)
    elif kind == "approve" and AIRFLOW < (3, 1):
        kwargs.update(poke_interval=30.0, mode="reschedule", timeout=86400 * 3650)
    elif kind != "fail":  # couler's own: only a lost worker makes them fail without a word
        kwargs["retries"] = 2
        kwargs["retry_delay"] = datetime.timedelta(seconds=5)
    if kind == "trigger":
        kwargs["trigger_dag_id"] = spec["dag"]
    return _merged(kwargs, spec.get("airflow", {}))


def _instance(doc: Document, spec: dict[str, Any], groups: dict[str, Any], made: dict[str, Any], literal: dict[str, Any]) -> Any:
    cls, kwargs, loop = _class_of(doc, spec), _arguments(doc, spec, groups), spec.get("loop", "")
    try:
        if not loop:
            return cls(**kwargs)
        each = doc.loops[loop].get("task")
        if each is not None:
            return cls.partial(**kwargs).expand(index=XComArg(made[each]))
        if loop not in literal:
            literal[loop] = literal_elements(doc, loop)
        return cls.partial(**kwargs).expand(index=literal[loop])
    except (TypeError, ValueError, AirflowException) as x:
        raise CoulerError(f"task {spec['task_id']!r}: {x}") from x


def _groups(doc: Document, dag: Any) -> dict[str, Any]:
    groups: dict[str, Any] = {}
    for gid, g in doc.data.get("groups", {}).items():
        parent = groups.get(g.get("in", "")) or dag.task_group
        groups[gid] = TaskGroup(gid, prefix_group_id=False, parent_group=parent, dag=dag, tooltip=g.get("doc", ""))
    return groups


def build(doc: Document, auto_register: bool = False) -> Any:
    """The DAG of a document."""
    _documents[doc.dag_id] = doc
    try:
        return _build(doc, auto_register)
    except CoulerError as x:
        raise CoulerError(f"{doc.path}: {x}") from x


def _build(doc: Document, auto_register: bool) -> Any:
    with _make_dag(doc, auto_register) as dag:
        groups = _groups(doc, dag)
        made: dict[str, Any] = {}
        literal: dict[str, Any] = {}
        first = [t for t in doc.tasks.values() if t["kind"] == "each"]
        for spec in [*first, *(t for t in doc.tasks.values() if t["kind"] != "each")]:
            made[spec["task_id"]] = _instance(doc, spec, groups, made, literal)
        # Adding to the sets is linear; `>>` looks at all edges for each one.
        for tid, spec in doc.tasks.items():
            up, down = made[tid].upstream_task_ids, spec.get("dependencies", ())
            up.update(down)
            for d in down:
                made[d].downstream_task_ids.add(tid)
    try:
        dag.validate()  # Airflow does it, too, but would blame this file and with it all DAGs
    except Exception as x:  # each version has its own for schedules, parameters, executors
        crons = doc.data.get("schedule", {}).get("cron", ())
        raise CoulerError(f"{'schedule.cron: ' if any(c in str(x) for c in crons) else ''}{x}") from x
    return dag


class BrokenTask(BaseOperator):  # type: ignore[misc, valid-type]
    """The only task of a broken DAG."""

    def __init__(self, *, reason: str = "", **kwargs: Any):
        super().__init__(**kwargs)
        self.reason = reason

    def execute(self, context: Any) -> None:
        raise AirflowFailException(self.reason)


class BrokenDag(DAG):  # type: ignore[misc, valid-type]
    """Stands where a document could not be read: an import error of that document and of nothing else.

    Airflow notes import errors by Python file, and one of this file would stop the DAGs of all documents. So the error
    goes into the bag that asks for validation, under the document's path, and the bag is told to leave the DAG out.
    Where no bag asks, the DAG is there, and its task fails with the reason.
    """

    def __init__(self, dag_id: str, path: str, reason: str):
        self.document, self.reason = path, reason
        start = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
        super().__init__(dag_id=dag_id, schedule=None, tags=["couler", "couler-broken"], doc_md=f"**Broken:** {reason}", start_date=start)
        BrokenTask(task_id="broken", reason=reason, dag=self)

    def validate(self) -> None:
        bag = sys._getframe(1).f_locals.get("self")
        errors = getattr(bag, "import_errors", None)
        if not isinstance(errors, dict):
            super().validate()
            return
        relative = getattr(bag, "_get_relative_fileloc", str)  # Airflow 3 notes paths relative to the bundle
        errors[relative(self.document)] = self.reason
        raise AirflowClusterPolicySkipDag(self.reason)


def broken(path: str, reason: str, taken: dict[str, Any]) -> Any:
    dag_id = re.sub(r"[^A-Za-z0-9_.-]", "_", os.path.basename(path).removesuffix(SUFFIX))[:240] or "couler"
    return BrokenDag(dag_id + ".broken" if dag_id in taken else dag_id, path, reason)


def container_class(doc: Document) -> Any:
    return Step


# ---------------------------------------------------------------- the folder


def documents(folder: str) -> list[str]:
    """Paths of the documents in a folder and below it, sorted."""
    if os.path.isfile(folder):
        return [folder]
    found = []
    for base, dirs, files in os.walk(folder):
        dirs[:] = sorted(d for d in dirs if not d.startswith(".") and d != "__pycache__")
        found += [os.path.join(base, f) for f in sorted(files) if f.endswith(SUFFIX)]
    return found


def load(path: str) -> Any:
    """The DAG of one document; a relative path is one beside this file. Airflow finds its parts by itself. Raises CoulerError."""
    doc = read_document(os.path.join(os.path.dirname(os.path.abspath(__file__)), path))
    dag = build(doc)
    for part in wanted(doc):
        if part is not doc:
            build(part, auto_register=True)
    return dag


def wanted(doc: Document) -> list[Document]:
    """A document and its parts; in a worker, where it is about one of them, only that."""
    dag_id = get_parsing_context().dag_id
    ids = [p.get("dag_id") for p in doc.data.get("parts", ())]
    try:
        if dag_id == doc.dag_id:
            return [doc]
        return [doc.part(ids.index(dag_id))] if dag_id in ids else [doc, *doc.parts()]
    except CoulerError as x:
        raise CoulerError(f"{doc.path}: {x}") from None


def _wanted(paths: list[str]) -> list[str]:
    """In a worker only the document of its DAG is opened: NAME.couler.json has the DAG NAME and those of its parts, NAME.PART."""
    dag_id = get_parsing_context().dag_id
    names = {os.path.basename(p).removesuffix(SUFFIX): p for p in paths} if dag_id else {}
    mine = [p for name, p in names.items() if dag_id == name or dag_id.startswith(name + ".")]
    if len(mine) == 1:
        try:
            doc = read_document(mine[0])
            if dag_id in (doc.dag_id, *(p.get("dag_id") for p in doc.data.get("parts", ()))):
                return mine
        except CoulerError:
            return mine
    return paths


def scan(folder: str) -> dict[str, Any]:
    """DAGs of all documents in a folder, by id; of broken ones, by path."""
    dags: dict[str, Any] = {}
    for path in _wanted(documents(folder)):
        try:
            doc = read_document(path)
            every = wanted(doc)
            for d in every:
                if d.dag_id in dags or sum(other.dag_id == d.dag_id for other in every) > 1:
                    raise CoulerError(f"{path}: dag_id: {d.dag_id!r} is the id of {_documents.get(d.dag_id, doc).path}, too")
            dags.update({d.dag_id: build(d) for d in every})
        except Exception as x:
            if os.environ.get("COULER_STRICT") == "1":
                raise
            reason = str(x) if isinstance(x, CoulerError) else f"{path}: {type(x).__name__}: {x}"
            log.error("%s", reason)
            dags[path] = broken(path, reason, taken=dags)
    return dags


# Imported by its own name, by a file that calls load(), it builds nothing.
if __name__ != "couler_airflow" and os.environ.get("COULER_AIRFLOW_SCAN") != "off":
    for _key, _dag in scan(os.environ.get("COULER_AIRFLOW_DOCUMENTS") or os.path.dirname(os.path.abspath(__file__))).items():
        globals()["dag " + _key] = _dag
