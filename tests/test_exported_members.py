"""`from tallystick import …` gives authors what the design promises, and nothing else."""

import importlib

import pytest

import tallystick


@pytest.mark.parametrize("name", tallystick.__all__)
def test_every_exported_name_is_there(name: str) -> None:
    """Each is the thing of that name at its home."""
    found = getattr(tallystick, name)
    assert found is getattr(importlib.import_module(found.__module__), name, found)


def test_a_name_that_is_not_exported() -> None:
    """Said as Python says it."""
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = tallystick.nothing
