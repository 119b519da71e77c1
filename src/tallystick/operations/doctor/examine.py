"""All checks, in the order in which they are told."""

from __future__ import annotations

from collections.abc import Callable

from tallystick.operations.doctor import files, machine, network
from tallystick.operations.doctor.finding import Finding, Level
from tallystick.operations.doctor.patient import Patient

Check = Callable[[Patient], Finding | None]
"""Answers None where its question makes no sense."""

CHECKS: dict[str, Check] = {
    "folder": files.is_a_data_folder,
    "settings": files.settings_are_readable,
    "open doors": files.doors_are_closed,
    "keys": files.keys_are_private,
    "certificates": files.certificates,
    "socket": files.sockets,
    "unfinished": files.nothing_is_unfinished,
    "halted": files.why_it_halted,
    "pruning": files.what_is_kept,
    "clock kept": machine.clock_synchronised,
    "clock, blocks": machine.clock_and_blocks,
    "clock, votes": machine.clock_and_validators,
    "disk space": machine.disk_space,
    "disk flush": machine.disk_flush,
    "open files": machine.open_files,
    "node": network.node_answers,
    "trouble": network.node_has_no_trouble,
    "rules": network.rules_to_come,
    "engine": network.engine_version,
    "engine runs": network.engine_answers,
    "engine ends": network.engine_is_steady,
    "releases": network.peer_versions,
    "peers": network.peers_are_connected,
    "allow-list": network.allow_list,
    "signing": network.validator_signs,
    "heights": network.heights_agree,
    "for others": network.what_others_need,
}
"""What is asked, by the name under which it is told."""


def examine(patient: Patient) -> dict[str, Finding]:
    """Every check that makes sense for a node. Without a chain nothing else does."""
    first = files.is_a_data_folder(patient)
    if first is not None and first.level is Level.FAIL:
        return {"folder": first}
    found = {name: check(patient) for name, check in CHECKS.items()}
    return {name: finding for name, finding in found.items() if finding is not None}


def is_well(findings: dict[str, Finding]) -> bool:
    """Whether nothing failed; a warning is no failure."""
    return all(finding.level is not Level.FAIL for finding in findings.values())
