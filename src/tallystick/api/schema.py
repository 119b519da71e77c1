"""JSON schemas of our types, as `to_json` writes them: amounts as digits, bytes as hex."""

from __future__ import annotations

from typing import Any

from msgspec import inspect

from tallystick.values.units import UNIT_MINOR

Schema = dict[str, Any]


class Schemas:
    """Makes schemas; structs are collected as components and referred to."""

    def __init__(self) -> None:
        """Begin without components."""
        self.components: dict[str, Schema] = {}

    def of(self, type_: Any) -> Schema:
        """Schema of a type."""
        return self._build(inspect.type_info(type_), None)

    def _build(self, info: inspect.Type, meta: inspect.Metadata | None) -> Schema:
        if isinstance(info, inspect.Metadata):
            return self._described(info)
        if isinstance(info, inspect.StructType):
            return self._struct(info)
        if isinstance(info, inspect.UnionType):
            return {"anyOf": [self._build(each, meta) for each in info.types]}
        if isinstance(info, inspect.VarTupleType):
            return _sized({"type": "array", "items": self._build(info.item_type, None)}, info)
        if isinstance(info, inspect.TupleType):
            items = [self._build(each, None) for each in info.item_types]
            return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)}
        if isinstance(info, inspect.EnumType):
            return {"enum": [each.value for each in info.cls]}
        return _leaf(info, _unit(meta))

    def _described(self, info: inspect.Metadata) -> Schema:
        """What `Annotated` says, beside the type's own schema."""
        made = self._build(info.type, info)
        said = dict(info.extra_json_schema or {})
        unit = _unit(info)
        if unit:
            said["x-unit"] = unit
        return said if "$ref" in made and not said else made | said

    def _struct(self, info: inspect.StructType) -> Schema:
        """A reference to a struct's component."""
        name = info.cls.__name__ if info.tag is None else f"{info.tag}"
        if name not in self.components:
            self.components[name] = {}
            self.components[name] = self._object(info)
        return {"$ref": f"#/components/schemas/{name}"}

    def _object(self, info: inspect.StructType) -> Schema:
        """A struct's own schema."""
        fields = [(each.encode_name, self._build(each.type, None)) for each in info.fields]
        doc = (info.cls.__doc__ or "").strip().split("\n")[0]
        tag = [] if info.tag_field is None else [(info.tag_field, {"const": info.tag})]
        if info.array_like:
            items = [schema for _, schema in tag + fields]
            return {
                "type": "array",
                "description": doc,
                "prefixItems": items,
                "minItems": len(items),
                "maxItems": len(items),
            }
        required = [name for name, _ in tag]
        required += [each.encode_name for each in info.fields if each.required]
        return {
            "type": "object",
            "description": doc,
            "properties": dict(tag + fields),
            "required": required,
            "additionalProperties": False,
        }


def _unit(meta: inspect.Metadata | None) -> str:
    """The unit that `Annotated` states, if any."""
    return str((meta.extra or {}).get("unit", "")) if meta is not None else ""


def _leaf(info: inspect.Type, unit: str) -> Schema:
    """Schema of a plain value."""
    if isinstance(info, inspect.BoolType):
        return {"type": "boolean"}
    if isinstance(info, inspect.NoneType):
        return {"type": "null"}
    if isinstance(info, inspect.BytesType):
        schema: Schema = {"type": "string", "pattern": "^([0-9a-f]{2})*$"}
        if info.max_length is not None:
            schema["maxLength"] = 2 * info.max_length
        return schema
    if isinstance(info, inspect.IntType) and unit == UNIT_MINOR:
        return {"type": "string", "pattern": "^-?(0|[1-9][0-9]{0,18})$"}
    if isinstance(info, inspect.IntType):
        bounds = {"minimum": info.ge, "maximum": info.le}
        return {"type": "integer"} | {k: v for k, v in bounds.items() if v is not None}
    if isinstance(info, inspect.StrType):
        schema = _sized({"type": "string"}, info)
        if info.pattern is not None:
            schema["pattern"] = info.pattern
        return schema
    return {}


def _sized(schema: Schema, info: inspect.StrType | inspect.VarTupleType) -> Schema:
    """A schema with bounds of length."""
    names = ("minItems", "maxItems") if schema["type"] == "array" else ("minLength", "maxLength")
    bounds = dict(zip(names, (info.min_length, info.max_length), strict=True))
    return schema | {name: bound for name, bound in bounds.items() if bound is not None}
