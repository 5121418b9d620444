"""What Python authors pass: converted where it has an obvious JSON form, else refused at the call, never lost."""

import math
import types
from collections import ChainMap, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import InitVar, dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag, IntEnum, StrEnum
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsbridge import SettingsError, connect
from fsbridge.runtime import UNDEFINED, type_of
from fsbridge.runtime.cpython import BigInt, Date, Function
from fsbridge.runtime.python_values import from_python
from fsbridge.testing.simulated import SimulatedWindow


class Size(Enum):
    SMALL = "S"
    LARGE = ("L", 2)


class Level(IntEnum):
    LOW = 1


class Plan(StrEnum):
    PREMIUM = "premium"


class Rights(Flag):
    READ = 1
    WRITE = 2


@dataclass
class Item:
    name: str
    price: Decimal
    scale: InitVar[int] = 1
    tags: set[str] = field(default_factory=set)
    shop: ClassVar[str] = "all"


class Text(str):
    def __str__(self) -> str:
        return "another"


Point = namedtuple("Point", "x y")

CONVERTED = [
    (None, None),
    (True, True),
    (-0.0, -0.0),
    (math.inf, math.inf),
    (2**53, 2**53),
    (10**21, 1e21),
    (Text("é"), "é"),
    (datetime(2026, 1, 2, 3, 4, 5, 123456, UTC), Date(1767323045123)),
    (datetime(2026, 1, 2, 3, 4, 5, 1000, timezone(timedelta(hours=2))), Date(1767315845001)),
    (datetime(1969, 12, 31, 23, 59, 59, 999999, UTC), Date(-1)),
    (date(2026, 1, 2), "2026-01-02"),
    (time(3, 4, 5), "03:04:05"),
    (Decimal("99.95"), 99.95),
    (Decimal("1E+3"), 1000.0),
    (Decimal("-Infinity"), -math.inf),
    (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    (PurePosixPath("/a/b"), "/a/b"),
    (Size.SMALL, "S"),
    (Size.LARGE, ["L", 2]),
    (Level.LOW, 1),
    (Plan.PREMIUM, "premium"),
    (Rights.READ | Rights.WRITE, 3),
    ((1, 2), [1, 2]),
    (Point(1, 2), [1, 2]),
    (range(3), [0, 1, 2]),
    (deque([1]), [1]),
    ({5}, [5]),
    (frozenset(["a"]), ["a"]),
    ({"a": 1}.keys(), ["a"]),
    (Item("Sock", Decimal("1.5"), tags={"warm"}), {"name": "Sock", "price": 1.5, "tags": ["warm"]}),
    (OrderedDict(a=1), {"a": 1}),
    (defaultdict(list, a=[1]), {"a": [1]}),
    (ChainMap({"a": 1}, {"b": 2}), {"a": 1, "b": 2}),
    (types.MappingProxyType({"a": 1}), {"a": 1}),
    ({1: "a", Plan.PREMIUM: "b", Level.LOW + 1: "c"}, {"1": "a", "premium": "b", "2": "c"}),
]


@pytest.mark.parametrize(("value", "expected"), CONVERTED, ids=repr)
def test_what_has_a_json_form_is_converted(value: Any, expected: Any) -> None:
    for found in (from_python(value), from_python({"a": [value]})["a"][0]):
        assert found == expected
        assert type_of(found) == type_of(expected)
        assert isinstance(found, (dict, list)) or type(found) is type(expected)
        assert math.copysign(1, found) == math.copysign(1, expected) if isinstance(found, float) else True


def test_nan_stays_nan() -> None:
    assert all(math.isnan(from_python(value)) for value in (math.nan, Decimal("NaN")))


@pytest.mark.parametrize("value", [Date(0), BigInt(2**70), Function(lambda args: UNDEFINED), UNDEFINED])
def test_javascript_values_stay_what_they_are(value: Any) -> None:
    assert from_python({"a": [value]})["a"][0] is value


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


cycle: dict[str, Any] = {"list": []}
cycle["list"].append(cycle)

REFUSED = [
    (b"a", "v has no JSON form (type bytes)"),
    (bytearray(b"a"), "v has no JSON form (type bytearray)"),
    (1j, "v has no JSON form (type complex)"),
    (object(), "v has no JSON form (type object)"),
    (Fraction(1, 3), "v has no JSON form (type Fraction)"),
    (timedelta(1), "v has no JSON form (type timedelta)"),
    (dict, "v has no JSON form (type type)"),
    (Size, "v has no JSON form (type EnumType)"),
    (len, "v has no JSON form (type builtin_function_or_method)"),
    ((n for n in [1]), "v has no JSON form (type generator)"),
    (2**53 + 1, "v is more exact than JavaScript's numbers: pass it as text or float (type int)"),
    (-(10**400), "v is more exact than JavaScript's numbers: pass it as text or float (type int)"),
    (Decimal("0.12345678901234567890"), "v is more exact than JavaScript's numbers: pass it as text or float (type D"),
    (Decimal("sNaN"), "v has no JSON form (type Decimal)"),
    ({"a": [1, {"b": b""}]}, "v.a[1].b has no JSON form (type bytes)"),
    ({("a", 1): 1}, "v has a key that is no text (type tuple)"),
    ({True: 1}, "v has a key that is no text (type bool)"),
    ({None: 1}, "v has a key that is no text (type NoneType)"),
    ({1: 1, "1": 2}, "v has a key '1' that JavaScript wouldn't keep (type str)"),
    ({"a": {"__proto__": 1}}, "v.a has a key '__proto__' that JavaScript wouldn't keep (type str)"),
    (cycle, "v.list[0] contains itself (type dict)"),
    (nested(31), "v" + "[0]" * 30 + " lies deeper than 30 levels (type list)"),
    (nested(100_000), "v" + "[0]" * 30 + " lies deeper than 30 levels (type list)"),
]


@pytest.mark.parametrize(("value", "message"), REFUSED, ids=[str(number) for number in range(len(REFUSED))])
def test_the_rest_is_refused_with_path_and_type(value: Any, message: str) -> None:
    with pytest.raises(TypeError) as raised:
        from_python(value, "v")
    assert str(raised.value).startswith(message)


def test_what_is_shared_stays_shared() -> None:
    shared = [1]
    found = from_python([shared, (shared,), shared])
    assert found == [[1], [[1]], [1]]
    assert found[0] is found[1][0] is found[2]
    doubled: Any = [1]
    for _ in range(28):  # 2 ** 28 paths lead to it
        doubled = [doubled, doubled]
    whole = from_python(doubled)
    assert whole[0] is whole[1]


def test_thirty_levels_are_taken() -> None:
    assert from_python(nested(30)) == nested(30)


@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(), st.lists))
def test_json_values_are_themselves(value: Any) -> None:
    assert from_python(value) == value


def test_numpy_and_pandas() -> None:
    numpy = pytest.importorskip("numpy")
    pandas = pytest.importorskip("pandas")
    for value, expected in [
        (numpy.int64(5), 5),
        (numpy.float32(0.5), 0.5),
        (numpy.float64(0.1), 0.1),
        (numpy.bool_(True), True),
        (numpy.str_("a"), "a"),
        (numpy.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (numpy.array(5), 5),
        (numpy.array(["a", None], dtype=object), ["a", None]),
        (numpy.datetime64("2026-01-02T03:04:05.123456789"), Date(1767323045123)),
        (numpy.array(["2026-01-02"], dtype="datetime64[D]"), [Date(1767312000000)]),
        (numpy.datetime64("NaT"), None),
        (pandas.Timestamp("2026-01-02T03:04:05.001Z"), Date(1767323045001)),
        (pandas.NaT, None),
    ]:
        found = from_python(value)
        assert (found, type(found)) == (expected, type(found) if isinstance(found, list) else type(expected))
    for refused in (numpy.complex128(1j), numpy.timedelta64(5), numpy.bytes_(b"a"), numpy.uint64(2**64 - 1),
                    numpy.longdouble(1) / 3, pandas.NA, pandas.DataFrame({"a": [1]}), pandas.Series([1])):  # fmt: skip
        with pytest.raises(TypeError):
            from_python(refused)


@pytest.fixture
def window() -> SimulatedWindow:
    return SimulatedWindow("https://shop.example/")


def test_the_call_names_event_property_and_type(window: SimulatedWindow) -> None:
    analytics = connect("segment-classic", org="o-1", window=window)
    cases: list[tuple[Any, str]] = [
        (lambda: analytics.track("Ordered", {"items": [{"raw": b""}]}),
         "analytics.track('Ordered'): properties.items[0].raw has no JSON form (type bytes)"),
        (lambda: analytics.track("Ordered", {}, {"context": {"f": len}}),
         "analytics.track('Ordered'): options.context.f has no JSON form (type builtin_function_or_method)"),
        (lambda: analytics.identify("u1", traits={"a": 1j}),
         "analytics.identify('u1'): traits.a has no JSON form (type complex)"),
        (lambda: analytics.page(properties={"a": object()}),
         "analytics.page(): properties.a has no JSON form (type object)"),
        (lambda: analytics.emit("x", 1, b""), "analytics.emit('x'): argument has no JSON form (type bytes)"),
    ]  # fmt: skip
    for call, message in cases:
        with pytest.raises(TypeError) as raised:
            call()
        assert str(raised.value) == message
    assert window.calls == []
    analytics.track("After", {"at": datetime(1970, 1, 1, tzinfo=UTC), "plan": Plan.PREMIUM})
    expected = {"call": "FS.event", "args": ["After", {"at": Date(0), "plan": "premium"}, "segment"]}
    assert window.calls == [expected]


def test_so_do_settings(window: SimulatedWindow) -> None:
    with pytest.raises(SettingsError) as raised:
        connect(
            "segment-actions", org="o-1", window=window, subscriptions=[{"name": "a", "mapping": {"b": {1}, "c": b""}}]
        )
    assert str(raised.value) == "segment-actions: setting subscriptions[0].mapping.c has no JSON form (type bytes)"
