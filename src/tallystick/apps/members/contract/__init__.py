"""What happens: one function per message, in the order of `messages`.

`members` admits and licenses, `orders` suspends and freezes, `officers` keeps branches and people,
`keys` their keys, `rules` how they sign and who stands in for whom.
"""

from tallystick.apps.members.contract.members import (
    admit,
    change_member,
    expel,
    grant_licence,
    revoke_licence,
    set_kind_licence,
)
from tallystick.apps.members.contract.orders import end_order, freeze, reinstate, suspend, unfreeze

# isort: split
from tallystick.apps.members.contract.officers import (
    add_officer,
    add_outlet,
    change_officer,
    close_outlet,
    remove_officer,
)

# isort: split
from tallystick.apps.members.contract.keys import recover_key, register_key, revoke_key, rotate_key

# isort: split
from tallystick.apps.members.contract.rules import (
    delegate,
    drop_policy,
    end_delegation,
    set_policy,
)

__all__ = [
    "add_officer",
    "add_outlet",
    "admit",
    "change_member",
    "change_officer",
    "close_outlet",
    "delegate",
    "drop_policy",
    "end_delegation",
    "end_order",
    "expel",
    "freeze",
    "grant_licence",
    "recover_key",
    "register_key",
    "reinstate",
    "remove_officer",
    "revoke_key",
    "revoke_licence",
    "rotate_key",
    "set_kind_licence",
    "set_policy",
    "suspend",
    "unfreeze",
]
