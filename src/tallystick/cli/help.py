"""`--help` of derived commands: what it does, units, who signs, limits, refusals in order."""

from __future__ import annotations

import re
from typing import Any, get_args, get_origin

import click

from tallystick.catalogue import (
    AppInfo,
    Catalogue,
    FieldInfo,
    MessageInfo,
    QueryInfo,
    RefusalInfo,
    bare,
    first_sentence,
    nested_struct,
    unit_of,
)
from tallystick.ledger.app import Role
from tallystick.wording import Option, Wording, option_name, options, takes_disclosure

HEADINGS = {
    "en": {
        "messages": "Messages",
        "queries": "Queries",
        "options": "Options",
        "signs": "Who signs",
        "refused": "Refused, in the order of the checks, when",
        "answers": "Answers",
        "shared": "Options of every command (before the application too)",
        "required": "required",
        "default": "default",
        "unit": "in",
        "several": "several",
        "verb": "The member needs the licence verb",
        "no_verb": "No licence is asked.",
        "limit": "Officers' limits apply to",
        "duty": "Allowed while suspended or unlicensed: it is a duty.",
        "one_person": "A small member's policy may let one person sign it, below a ceiling.",
        "policy": "A member's own policy may ask for more.",
        "retry": "may pass later",
        "disclosure": "Fills in what a disclosed document tells (roots, fingerprints); several"
        " files, one after another.",
        "told": "told by --disclosure",
    },
    "zh": {
        "messages": "消息",
        "queries": "查询",
        "options": "选项",
        "signs": "签署人",
        "refused": "按检查顺序，下列情形拒绝",
        "answers": "返回",
        "shared": "所有命令的选项（也可写在应用名之前）",
        "required": "必填",
        "default": "默认",
        "unit": "单位",
        "several": "可多个",
        "verb": "成员须持有许可",
        "no_verb": "不需要许可。",
        "limit": "经办人限额适用于",
        "duty": "属于义务，被暂停或无许可时仍可办理。",
        "one_person": "小型成员可规定由一人签署（限额以下）。",
        "policy": "成员可自行从严规定。",
        "retry": "以后可重试",
        "disclosure": "由已披露文件填入（根、指纹）；可连续写多个文件。",
        "told": "由 --disclosure 填入",
    },
}


_DISCLOSED = frozenset(
    {"currency", "fingerprints", "kind", "particulars", "relaxed", "root", "strict"}
)
_ROLES_ZH = {
    Role.MAKER: "经办",
    Role.CHECKER: "复核",
    Role.APPROVER: "审批",
    Role.COMPLIANCE: "合规",
    Role.ADMIN: "管理",
    Role.VIEWER: "查看",
}
_UNITS_ZH = {
    "ppm": "百万分之一",
    "ppm a day": "百万分之一/日",
    "bps": "基点",
    "days": "天",
    "banking days": "银行工作日",
    "minutes": "分钟",
}
_DECIMALS = ("minor", "ms", "ms since 1970 UTC")


def app_text(catalogue: Catalogue, info: AppInfo, language: str) -> str:
    """What an application is about."""
    return (language == "zh" and catalogue.word(info.name, "app", language="zh")) or info.doc


def message_text(catalogue: Catalogue, info: MessageInfo, language: str) -> str:
    """What a message does, in one line."""
    word = catalogue.word(info.app, "message", info.name, language=language)
    return (language == "zh" and word) or info.struct.doc


def query_text(catalogue: Catalogue, info: QueryInfo, language: str) -> str:
    """What a query answers, in one line."""
    word = catalogue.word(info.app, "query", info.name, language=language)
    return (language == "zh" and word) or info.doc


def write_message(
    catalogue: Catalogue, info: MessageInfo, language: str, formatter: click.HelpFormatter
) -> None:
    """Everything that there is to know before a message is sent."""
    words = HEADINGS[language]
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(message_text(catalogue, info, language))
        for paragraph in _more_of(info.type.__doc__):
            formatter.write_paragraph()
            formatter.write_text(paragraph)
    rows = option_rows(
        catalogue, info.app, options(info.struct.fields), language, disclosed=disclosed(info)
    )
    if takes_disclosure(info):
        rows.append(("--disclosure FILE …", words["disclosure"]))
    with formatter.section(words["options"]):
        formatter.write_dl(rows or [("-", "-")])
    for option in options(info.struct.fields):
        _write_nested(catalogue, info.app, option, language, formatter)
    with formatter.section(words["signs"]):
        formatter.write_text(signers(info, language))
    if info.refusals:
        with formatter.section(words["refused"]):
            formatter.write_dl([refusal_row(catalogue, each, language) for each in info.refusals])


def write_query(
    catalogue: Catalogue, info: QueryInfo, language: str, formatter: click.HelpFormatter
) -> None:
    """Everything that there is to know before a query is asked."""
    words = HEADINGS[language]
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(query_text(catalogue, info, language))
    rows = option_rows(
        catalogue, info.app, options(info.parameters), language, disclosed=disclosed(info)
    )
    if takes_disclosure(info):
        rows.append(("--disclosure FILE …", words["disclosure"]))
    if rows:
        with formatter.section(words["options"]):
            formatter.write_dl(rows)
    if info.returns is not None:
        many = f" ({words['several']})" if info.many else ""
        with formatter.section(f"{words['answers']}: {info.returns.name}{many}"):
            formatter.write_dl(
                [
                    (each.name, field_text(catalogue, info.app, info.returns.name, each, language))
                    for each in info.returns.fields
                ]
            )


def write_shared(
    command: click.Command, ctx: click.Context, language: str, formatter: click.HelpFormatter
) -> None:
    """Options that do not come from the catalogue."""
    rows = []
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is not None and not hasattr(parameter.type, "info"):
            rows.append(record)
    with formatter.section(HEADINGS[language]["shared"]):
        formatter.write_dl(rows)


def disclosed(info: MessageInfo | QueryInfo) -> frozenset[str]:
    """Fields that `--disclosure` fills in."""
    return _DISCLOSED if takes_disclosure(info) else frozenset()


def option_rows(
    catalogue: Catalogue,
    app: str,
    made: tuple[Option, ...],
    language: str,
    *,
    disclosed: frozenset[str] = frozenset(),
) -> list[tuple[str, str]]:
    """How each option is written, and what it means."""
    words = HEADINGS[language]
    rows = []
    for option in made:
        info = option.info
        notes = []
        if info.name in disclosed:
            notes.append(words["told"])
        elif info.required:
            notes.append(words["required"])
        elif info.default not in (None, (), "", False):
            notes.append(f"{words['default']}: {Wording().show(info.default, info.type)}")
        text = field_text(catalogue, app, "", info, language)
        usage = f"{option.flag} {option.metavar}{' …' if option.many else ''}".strip()
        rows.append((usage, _noted(text, notes)))
    return rows


def field_text(catalogue: Catalogue, app: str, struct: str, info: FieldInfo, language: str) -> str:
    """What a field means, in words."""
    if language == "en":
        return in_decimals(info.doc) if _unit(info.type) in _DECIMALS else info.doc or info.name
    word = catalogue.word(app, "field", struct, info.name, language=language) if struct else None
    word = word or catalogue.word(app, "field", info.name, language=language)
    unit = _UNITS_ZH.get(str(_unit(info.type)))
    return f"{word or info.doc}{f'（{unit}）' if unit else ''}"


def _unit(type_: Any) -> str | None:
    """Unit of a field, or of each of its values."""
    plain = bare(type_)
    return unit_of(get_args(plain)[0]) if get_origin(plain) is tuple else unit_of(type_)


def in_decimals(doc: str) -> str:
    """A field's text without the units of the ledger: people write `1,000.00` and `24h`."""
    text = re.sub(r",? in (minor units( of [^,.;]+)?|milliseconds)", "", doc)
    return re.sub(r", e\.g\. [0-9]+( for )?", lambda found: ", e.g. " if found[1] else "", text)


def role_word(role: Role, language: str) -> str:
    """A role in words; in English its own name, which is what is typed."""
    return role.value if language == "en" else f"{_ROLES_ZH[role]}（{role.value}）"


def signers(info: MessageInfo, language: str) -> str:
    """Officers, verb and limit of a message."""
    words, spec = HEADINGS[language], info.type.spec
    officers = " + ".join(f"{count} {role_word(role, language)}" for role, count in spec.officers)
    told = [f"{officers}. {words['policy']}"]
    told.append(f"{words['verb']} `{spec.verb}`." if spec.verb else words["no_verb"])
    if spec.limit_by:
        told.append(f"{words['limit']} {limit_path(spec.limit_by)}.")
    if spec.duty:
        told.append(words["duty"])
    if spec.one_person:
        told.append(words["one_person"])
    return " ".join(told)


def limit_path(path: str) -> str:
    """`piece_id.amount_minor` → `the amount of --piece`."""
    first, _, rest = path.partition(".")
    return f"`{option_name(rest)}` of --{option_name(first)}" if rest else f"--{option_name(first)}"


def refusal_row(catalogue: Catalogue, info: RefusalInfo, language: str) -> tuple[str, str]:
    """A refusal's name and number, and its sentence with the names of values in capitals."""
    text = refusal_sentence(catalogue, info, language)
    notes = [info.rule] if info.rule else []
    if info.retry:
        notes.append(HEADINGS[language]["retry"])
    return (
        f"{info.app} {info.number} {info.name}",
        _noted(text, notes),
    )


def refusal_sentence(catalogue: Catalogue, info: RefusalInfo, language: str) -> str:
    """A refusal's sentence, the names of its values in capitals."""
    sentence = catalogue.word(info.app, "refusal", info.name, language=language) or info.doc
    return re.sub(r"\{(\w+)\}", lambda found: option_name(found[1]).upper(), sentence)


def _write_nested(
    catalogue: Catalogue, app: str, option: Option, language: str, formatter: click.HelpFormatter
) -> None:
    """The names of a struct's fields, or of each of several kinds of struct."""
    for struct in nested_structs(option.info.type):
        tag = struct.__struct_config__.tag
        kind = f" {str(tag).replace('_', '-')}" if tag else ""
        fields = options(_fields(struct))
        rows = [
            (f"{flag.removeprefix('--')}={value}", text)
            for (usage, text) in option_rows(catalogue, app, fields, language)
            for flag, _, value in [usage.partition(" ")]
        ]
        with formatter.section(f"{option.flag}{kind}"):
            formatter.write_dl(rows or [("-", first_sentence(struct.__doc__))])


def nested_structs(type_: Any) -> list[type[Any]]:
    """Structs that a field is written as: one, or one of several."""
    struct, _ = nested_struct(type_)
    if struct is not None:
        return [struct]
    plain = bare(type_)
    if get_origin(plain) is tuple:
        plain = bare(get_args(plain)[0])
    return [each for each in get_args(plain) if hasattr(each, "__struct_config__")]


def _fields(struct: type[Any]) -> tuple[FieldInfo, ...]:
    """Fields of a nested struct."""
    from tallystick.catalogue import struct_info

    return struct_info(struct).fields


def _noted(text: str, notes: list[str]) -> str:
    """A text with notes in brackets."""
    return f"{text} [{', '.join(notes)}]" if notes else text


def _more_of(doc: str | None) -> list[str]:
    """Paragraphs of a docstring after the first."""
    import inspect

    return [" ".join(part.split()) for part in inspect.cleandoc(doc or "").split("\n\n")[1:]]
