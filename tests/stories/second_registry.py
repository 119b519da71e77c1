"""A second opinion on the registry of invoices: one invoice, two members, a ledger of uses.

It shares no code with the application. `case_of(seed)` draws what two members do to one invoice
and writes down what the registry must answer: REGU, REDU, DFIN, what is free and what is disputed.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

SUPPLIER, FACTOR = "S1", "factor-a"
DOCUMENTS = {SUPPLIER: ("inv", "opening"), FACTOR: ("copy", "direct_finance")}
"""Each member's copy of the invoice, in spellings of its own, and what it registers it for."""
STEPS = 25


def decimal(cents: int) -> str:
    """Cents as people write them."""
    return f"{cents // 100:,}.{cents % 100:02d}"


@dataclass
class Use:
    """A registration that lives."""

    name: str
    owner: str
    cents: int
    financed: bool = False


@dataclass
class Invoice:
    """What is left of the invoice."""

    payable: int
    credited: int = 0
    uses: list[Use] = field(default_factory=list)
    made: int = 0
    notes: int = 0

    @property
    def capacity(self) -> int:
        """What it is worth."""
        return self.payable - self.credited

    @property
    def used(self) -> int:
        """What is registered of it."""
        return sum(use.cents for use in self.uses)

    @property
    def financed(self) -> bool:
        """Whether some of it is."""
        return any(use.financed for use in self.uses)

    def standing(self) -> Iterator[str]:
        """What its first registrant, and what anybody, must read."""
        free, disputed = max(0, self.capacity - self.used), max(0, self.used - self.capacity)
        yield f"$ tally --as {SUPPLIER} documents capacity --document doc-inv"
        yield f"= capacity {decimal(self.capacity)}"
        yield f"= used {decimal(self.used)}"
        yield f"= free {decimal(free)}"
        yield f"= disputed {decimal(disputed)}"
        yield "$ tally --as bank-b documents is-taken --disclosure inv"
        yield f"= is_taken {'yes' if self.uses else 'no'}"
        yield f"= is_financed {'yes' if self.financed else 'no'}"


def case_of(seed: int) -> str:
    """What two members do to one invoice, and what must come of it."""
    draw = random.Random(seed)
    invoice = Invoice(payable=draw.randint(100, 10_000))
    lines: list[str] = []
    for owner, (name, _) in DOCUMENTS.items():
        number = "INV-1" if owner == SUPPLIER else "inv_1"
        lines.append(f"invoice {name} S1 -> D1 {number} 2026-06-30 {decimal(invoice.payable)} CNY")
        lines.append(f"$ tally --as {owner}.maker+checker documents commit --disclosure {name}")
        lines.append(f"as doc-{name}")
    while not invoice.uses:  # who registers first is shown what is left
        lines += _register(draw, invoice, SUPPLIER)
    steps: tuple[Callable[[random.Random, Invoice], Iterator[str]], ...] = (
        lambda draw, invoice: _register(draw, invoice, SUPPLIER),
        lambda draw, invoice: _register(draw, invoice, FACTOR),
        _cancel,
        _credit,
        _finance,
        _repay,
    )
    for _ in range(STEPS):
        lines += draw.choice(steps)(draw, invoice)
        lines += invoice.standing()
    return "\n".join(lines)


def _register(draw: random.Random, invoice: Invoice, owner: str) -> Iterator[str]:
    """A use of some of the invoice, or of too much."""
    name, purpose = DOCUMENTS[owner]
    cents = draw.randint(1, max(1, invoice.capacity) // draw.choice((1, 2, 4)) + 1)
    yield (
        f"$ tally --as {owner}.maker+checker documents register --document doc-{name} "
        f"--disclosure {name} --purpose {purpose} --amount {decimal(cents)} --currency CNY"
    )
    if cents > invoice.capacity - invoice.used:
        yield "! documents 15 DFIN" if invoice.financed else "! documents 14 REDU"
        return
    invoice.made += 1
    use = Use(f"r{invoice.made}", owner, cents)
    invoice.uses.append(use)
    yield f"as {use.name}"
    yield f"= {use.name}.status REGU"


def _end(draw: random.Random, invoice: Invoice, message: str, *, financed: bool) -> Iterator[str]:
    """A use that is withdrawn, or repaid: it is free again."""
    fitting = [use for use in invoice.uses if use.financed is financed]
    if fitting:
        use = draw.choice(fitting)
        invoice.uses.remove(use)
        told = f"documents {message} --registration {use.name}"
        yield f"$ tally --as {use.owner}.maker+checker {told}"
        yield f"= {use.name}.reason {'OBSA' if financed else 'WITH'}"


def _cancel(draw: random.Random, invoice: Invoice) -> Iterator[str]:
    """A registration is withdrawn."""
    return _end(draw, invoice, "cancel-registration", financed=False)


def _repay(draw: random.Random, invoice: Invoice) -> Iterator[str]:
    """What was financed outside the ledger is repaid."""
    return _end(draw, invoice, "report-repaid", financed=True)


def _finance(draw: random.Random, invoice: Invoice) -> Iterator[str]:
    """The factor finances what it registered."""
    fitting = [use for use in invoice.uses if use.owner == FACTOR and not use.financed]
    if fitting:
        use = draw.choice(fitting)
        use.financed = True
        told = f"documents report-financed --registration {use.name}"
        yield f"$ tally --as {FACTOR}.maker+checker {told}"


def _credit(draw: random.Random, invoice: Invoice) -> Iterator[str]:
    """A credit note takes capacity away."""
    cents = draw.randint(1, max(1, invoice.payable // 3))
    invoice.notes += 1
    name = f"note-{invoice.notes}"
    yield f"credit-note {name} S1 -> D1 CN-{invoice.notes} 2026-07-01 {decimal(cents)} CNY"
    yield f"$ tally --as {SUPPLIER}.maker+checker documents commit --disclosure {name}"
    yield f"as doc-{name}"
    yield (
        f"$ tally --as {SUPPLIER}.maker+checker documents apply-credit-note "
        f"--document doc-inv --credit-note doc-{name}"
    )
    if invoice.credited + cents > invoice.payable:
        yield "! documents 30 ABOVE_INVOICE"
    else:
        invoice.credited += cents
