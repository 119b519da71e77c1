"""What can go wrong in operating Tallystick, as one tree.

    TallystickError
    ├── StoreError                 the data folder
    │   ├── Damage                 a committed block cannot be read
    │   ├── DiskFull               no space left
    │   ├── DiskFailed             the disk refused a write, a flush or a read
    │   ├── DataFolderInUse        another node has the folder
    │   ├── LogSealed              an earlier append failed: open the log again
    │   ├── EntryTooLarge          a block larger than one log entry may be
    │   ├── OutOfOrder             a block that does not follow the last one
    │   ├── NoSuchBlock            a height that the log does not have
    │   ├── StateDamaged           the state store cannot be read; the log can rebuild it
    │   ├── StoreClosed            used after it was closed
    │   └── BadBackup              a backup that cannot be restored as it is
    ├── NodeError                  starting and running a node
    │   ├── PortTaken              somebody listens there already
    │   ├── ReleaseTooOld          an activation needs a newer release
    │   ├── GenesisMismatch        the data folder belongs to another chain
    │   ├── SettingsError          a setting that means nothing
    │   ├── ClockWrong             the machine's clock cannot be believed
    │   ├── EngineMissing          the program that orders a consortium's blocks is not here
    │   ├── EngineNotBuilt         it could not be built
    │   ├── ReachedHeight          the node stopped after the block that its settings name
    │   └── Halted                 the node stopped rather than be wrong
    ├── ClientError                talking to a node
    │   ├── Unreachable            no node answers there
    │   ├── Expired                the transaction never will be committed
    │   ├── Rejected               the node did not take the bytes
    │   └── BadAnswer              the node answered something that is not its protocol
    ├── KeysError                  keys on disk
    │   ├── WrongPassphrase        the passphrase does not open the key
    │   ├── NoSuchKey              there is no such key file
    │   └── BadKeyFile             a file that is not a key
    ├── HeaderRefused              a header of the engine that cannot be believed
    │   ├── TrustExpired           what is trusted is too old to go forward from
    │   └── TrustTooFar            too few of the trusted validators signed a later block
    ├── FormatError                a file of others that cannot be read
    └── AuditFailed                the data does not prove what it says

These are for people who operate the software. A rule's no is a `Refusal`, never an error; a value
that is no value is a `ValueProblem`. Every error carries its values as attributes, says in one
sentence what happened, and has the exit code that `tally` ends with.
"""

from typing import ClassVar


class TallystickError(Exception):
    """Anything that operating Tallystick may run into and that is not a bug."""

    exit_code: ClassVar[int] = 1
    """Exit code of `tally` when nothing more exact is known."""


class StoreError(TallystickError):
    """Something is wrong with a data folder."""

    exit_code: ClassVar[int] = 20
    """Exit code for the data folder."""


class Damage(StoreError):
    """A block that was committed cannot be read any more."""

    exit_code: ClassVar[int] = 21
    """Exit code for damage."""

    def __init__(self, height: int, reason: str) -> None:
        super().__init__(f"block {height} is damaged: {reason}")
        self.height = height
        self.reason = reason


class DiskFull(StoreError):
    """The disk has no space left; nothing was committed."""

    exit_code: ClassVar[int] = 22
    """Exit code for a full disk."""

    def __init__(self, path: str) -> None:
        super().__init__(f"no space left on the disk of {path}")
        self.path = path


class DiskFailed(StoreError):
    """The disk refused an operation."""

    def __init__(self, action: str, path: str, reason: str) -> None:
        super().__init__(f"cannot {action} {path}: {reason}")
        self.action = action
        self.path = path
        self.reason = reason


class DataFolderInUse(StoreError):
    """Another process has the data folder open."""

    exit_code: ClassVar[int] = 23
    """Exit code for a folder in use."""

    def __init__(self, path: str, holder: str = "") -> None:
        by = f" by process {holder}" if holder else ""
        super().__init__(f"the data folder {path} is in use{by}")
        self.path = path
        self.holder = holder


class LogSealed(StoreError):
    """An earlier append failed in a way that only opening the log again can settle."""

    def __init__(self, height: int) -> None:
        super().__init__(
            f"the block log takes nothing after block {height} since an append failed:"
            " restart the node"
        )
        self.height = height


class EntryTooLarge(StoreError):
    """A block is larger than one entry of the log may be."""

    def __init__(self, *, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(f"a block of {size_bytes} bytes: the log takes at most {limit_bytes}")
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes


class OutOfOrder(StoreError):
    """A block was applied that does not follow the last one."""

    def __init__(self, *, height: int, last: int) -> None:
        super().__init__(f"block {height} does not follow block {last}")
        self.height = height
        self.last = last


class NoSuchBlock(StoreError):
    """A height was asked for that the log does not have."""

    def __init__(self, *, height: int, last: int, first: int = 1) -> None:
        where = f"the last one is {last}"
        if height < first and first > 1:
            where = f"this log begins with block {first}"
        super().__init__(f"there is no block {height}: {where}")
        self.height = height
        self.last = last
        self.first = first


class StateDamaged(StoreError):
    """The state store cannot be read. It holds nothing that the block log does not."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"the state store {path} is damaged: {reason};"
            " remove that folder and start the node: it is rebuilt from the block log"
        )
        self.path = path
        self.reason = reason


class StoreClosed(StoreError):
    """A store, reader or log was used after it was closed."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is closed")
        self.what = what


class BadBackup(StoreError):
    """A backup cannot be restored as it is asked for."""

    exit_code: ClassVar[int] = 24
    """Exit code for a backup."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class NodeError(TallystickError):
    """A node cannot start or go on."""

    exit_code: ClassVar[int] = 30
    """Exit code for the node."""


class PortTaken(NodeError):
    """Somebody listens at the address already."""

    exit_code: ClassVar[int] = 31
    """Exit code for an address in use."""

    def __init__(self, address: str) -> None:
        super().__init__(f"the address {address} is taken")
        self.address = address


class ReleaseTooOld(NodeError):
    """A rule was activated that this release does not have."""

    exit_code: ClassVar[int] = 32
    """Exit code for a release that is too old."""

    def __init__(self, *, app: str, version: int, height: int) -> None:
        super().__init__(
            f"from block {height} on {app} has version {version}, which this release does not know"
        )
        self.app = app
        self.version = version
        self.height = height


class GenesisMismatch(NodeError):
    """The data folder belongs to another chain than the genesis given."""

    def __init__(self, *, expected: str, found: str) -> None:
        super().__init__(f"the data folder is of chain {found}, not of {expected}")
        self.expected = expected
        self.found = found


class SettingsError(NodeError):
    """A setting has a value that means nothing."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"setting {name}: {reason}")
        self.name = name
        self.reason = reason


class ClockWrong(NodeError):
    """The machine's clock is so far ahead of the chain that it would spoil block time."""

    exit_code: ClassVar[int] = 34
    """Exit code for a clock that cannot be believed."""

    def __init__(self, *, clock: str, chain: str) -> None:
        super().__init__(
            f"this machine's clock says {clock}, the chain's last block is of {chain}:"
            " set the clock, or say that it is right (--clock-is-right)"
        )
        self.clock = clock
        self.chain = chain


class EngineMissing(NodeError):
    """The program that orders a consortium's blocks is not on this machine."""

    exit_code: ClassVar[int] = 35
    """Exit code for an engine that is not installed."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"no CometBFT at {path}: {reason}; build it with `tally engine install`")
        self.path = path
        self.reason = reason


class EngineNotBuilt(NodeError):
    """The program that orders a consortium's blocks could not be built."""

    exit_code: ClassVar[int] = 36
    """Exit code for an engine that cannot be built."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"CometBFT cannot be built: {reason}")
        self.reason = reason


class ReachedHeight(NodeError):
    """The node stopped after the block that its settings name, for another release to go on."""

    exit_code: ClassVar[int] = 37
    """Exit code for a node that was told to stop there."""

    def __init__(self, height: int) -> None:
        super().__init__(
            f"the node stops after block {height}, as [engine] halt_height in node.toml says:"
            " set it to 0 to go on"
        )
        self.height = height


class Halted(NodeError):
    """The node stopped rather than commit something wrong."""

    exit_code: ClassVar[int] = 33
    """Exit code for a node that halted."""

    def __init__(self, height: int, reason: str) -> None:
        super().__init__(f"halted at block {height}: {reason}")
        self.height = height
        self.reason = reason


class ClientError(TallystickError):
    """Talking to a node failed."""

    exit_code: ClassVar[int] = 40
    """Exit code for a client."""


class Unreachable(ClientError):
    """No node answers at the address."""

    exit_code: ClassVar[int] = 41
    """Exit code for a node that does not answer."""

    def __init__(self, address: str, reason: str = "") -> None:
        because = f": {reason}" if reason else ""
        super().__init__(f"no node answers at {address}{because}")
        self.address = address
        self.reason = reason


class Expired(ClientError):
    """The transaction was not committed before its expiry and never will be."""

    exit_code: ClassVar[int] = 42
    """Exit code for an expired transaction."""

    def __init__(self, transaction_id: str) -> None:
        super().__init__(f"transaction {transaction_id} expired: it never will be committed")
        self.transaction_id = transaction_id


class Rejected(ClientError):
    """The node's door did not take the bytes; they were never ordered."""

    exit_code: ClassVar[int] = 43
    """Exit code for bytes that the door did not take."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the node did not take it: {reason}")
        self.reason = reason


class BadAnswer(ClientError):
    """The node answered something that is not its protocol, or that does not verify."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the node's answer cannot be used: {reason}")
        self.reason = reason


class KeysError(TallystickError):
    """A key on disk cannot be used."""

    exit_code: ClassVar[int] = 50
    """Exit code for keys."""


class WrongPassphrase(KeysError):
    """The passphrase does not open the key."""

    exit_code: ClassVar[int] = 51
    """Exit code for a wrong passphrase."""

    def __init__(self, path: str) -> None:
        super().__init__(f"the passphrase does not open {path}")
        self.path = path


class NoSuchKey(KeysError):
    """There is no key of that name."""

    def __init__(self, name: str, folder: str) -> None:
        super().__init__(f"there is no key {name} in {folder}")
        self.name = name
        self.folder = folder


class BadKeyFile(KeysError):
    """A file is not a key."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} is not a key: {reason}")
        self.path = path
        self.reason = reason


class HeaderRefused(TallystickError):
    """A header of the ordering engine is not one that its validators must have signed."""

    def __init__(self, height: int, reason: str) -> None:
        super().__init__(f"the header of block {height} is not believed: {reason}")
        self.height = height
        self.reason = reason


class TrustExpired(HeaderRefused):
    """The trusted header is older than its validators can be held to it."""

    def __init__(self, height: int, time_ns: int, trusting_ns: int) -> None:
        hours = trusting_ns // 3_600_000_000_000
        super().__init__(
            height,
            f"it was made more than {hours} hours ago, and its validators may have left since:"
            " trust a newer header (of one after the proof, age does not matter)",
        )
        self.time_ns = time_ns


class TrustTooFar(HeaderRefused):
    """Too few of the trusted validators signed a later block to believe it in one step."""

    def __init__(self, trusted: int, height: int) -> None:
        super().__init__(
            height,
            f"less than a third of the validators of block {trusted} signed it,"
            " and no block between shows how they changed",
        )
        self.trusted = trusted


class FormatError(TallystickError):
    """A file of others cannot be read."""

    exit_code: ClassVar[int] = 60
    """Exit code for files of others."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class AuditFailed(TallystickError):
    """The data does not prove what it says."""

    exit_code: ClassVar[int] = 1
    """Exit code that `tally audit` promises."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
