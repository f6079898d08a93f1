"""The caches of all apps: of a process, and shared in Valkey."""

from __future__ import annotations

import pytest

from providers import cache
from providers.cache import ProcessCache

fingerprint = cache.release.__wrapped__  # every test has a release of its own


def test_a_value_ends_after_its_seconds(monkeypatch):
    values: ProcessCache[str, int] = ProcessCache(seconds=60, max_entries=2)
    assert values.get_or_compute("a", lambda: 1) == 1
    assert values.get_or_compute("a", lambda: 2) == 1
    values.seconds = 0
    values.put("b", 3)
    assert values.get("b") is None


def test_a_process_cache_is_bounded_and_the_least_recently_used_goes_first():
    values: ProcessCache[str, int] = ProcessCache(seconds=60, max_entries=2)
    for number, name in enumerate("ab"):
        values.put(name, number)
    values.get("a")
    values.put("c", 2)
    assert [values.get(name) for name in "abc"] == [0, None, 2]


def test_only_missing_values_are_computed_and_in_one_call():
    values: ProcessCache[int, int] = ProcessCache(seconds=60, max_entries=10)
    values.put(2, 4)
    calls: list[list[int]] = []

    def squares(numbers: list[int]) -> dict[int, int]:
        calls.append(numbers)
        return {number: number**2 for number in numbers}

    assert values.get_or_compute_many([1, 2, 3], squares) == {1: 1, 2: 4, 3: 9}
    assert values.get_or_compute_many([1, 2, 3], squares) == {1: 1, 2: 4, 3: 9}
    assert calls == [[1, 3]]


def test_an_error_is_raised_and_not_cached():
    values: ProcessCache[str, int] = ProcessCache(seconds=60, max_entries=2)
    with pytest.raises(ZeroDivisionError):
        values.get_or_compute("a", lambda: 1 // 0)
    assert values.get_or_compute("a", lambda: 1) == 1


def test_one_call_empties_all_process_caches():
    one: ProcessCache[str, int] = ProcessCache(seconds=60, max_entries=2)
    other: ProcessCache[str, int] = ProcessCache(seconds=60, max_entries=2)
    one.put("a", 1), other.put("a", 1)
    cache.clear_process_caches()
    assert (one.get("a"), other.get("a")) == (None, None)


def test_the_release_changes_with_any_file_of_it(settings, tmp_path):
    settings.BASE_DIR = tmp_path
    (tmp_path / "arena").mkdir()
    source = tmp_path / "arena" / "models.py"
    source.write_text("a = 1")
    first = fingerprint()
    assert fingerprint() == first
    source.write_text("a = 2")
    second = fingerprint()
    source.rename(tmp_path / "arena" / "values.py")
    assert len({first, second, fingerprint()}) == 3


def test_one_unreadable_value_does_not_cost_the_others(caplog):
    from django.core.cache import cache as valkey

    cache.put(1, "one", seconds=60)
    cache.put(2, "two", seconds=60)
    valkey._cache.get_client(write=True).set(valkey.make_key(cache.shared_key(("one",))), b"\x80garbage", ex=60)
    assert cache.get_many({"one": ("one",), "two": ("two",)}) == {"two": 2}
    assert "cache miss" in caplog.text
    assert cache.get_or_compute("one", seconds=60, compute=lambda: 3) == 3
    assert cache.get("one") == 3
