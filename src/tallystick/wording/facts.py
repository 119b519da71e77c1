"""What a disclosed document tells a message: its root, fingerprints, particulars."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin

from tallystick.catalogue import FieldInfo, bare, struct_info
from tallystick.wording.options import is_struct
from tallystick.wording.plain import member_of


def fact_for(info: FieldInfo, facts: Sequence[Mapping[str, object]]) -> Any:
    """Value of a field that disclosures tell; None if they do not."""
    if not facts:
        return None
    plain = bare(info.type)
    if get_origin(plain) is tuple:
        inner = bare(get_args(plain)[0])
        made = [_struct_of_facts(inner, each) for each in facts]
        return None if None in made else tuple(made)
    if is_struct(plain):
        return _struct_of_facts(plain, facts[0])
    fact = facts[0].get(info.name)
    if inspect.isclass(plain) and issubclass(plain, enum.Enum) and isinstance(fact, str):
        return member_of(plain, fact)
    return fact if inspect.isclass(plain) and isinstance(fact, plain) else None


def _struct_of_facts(type_: Any, facts: Mapping[str, object]) -> Any:
    """A struct all of whose required fields the facts tell; None otherwise."""
    if not is_struct(type_):
        return None
    infos = struct_info(type_).fields
    if any(info.required and info.name not in facts for info in infos):
        return None
    return type_(**{info.name: facts[info.name] for info in infos if info.name in facts})
