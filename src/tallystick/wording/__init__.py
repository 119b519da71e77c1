"""How people write messages and read answers: amounts as decimals, dates, percents, names of ids.

The command line and case files share this grammar; docs/reference/cases.md describes it. Everything
is derived from the types in the catalogue.

    receivables split --piece piece-0123456789abcdef --parts 333,333.33 666,666.67

- `wording.py`: read this first; messages and queries from words, values to words.
- `options.py`: how a field is named, what is written after it.
- `plain.py`: numbers, percents, times. `facts.py`: what `--disclosure` fills in.
- `sentences.py`: the values of a refusal's sentence.
"""

from tallystick.wording.options import (
    Given,
    Option,
    metavar,
    option_name,
    options,
    spellings,
    split_options,
    takes_disclosure,
)
from tallystick.wording.plain import WordingProblem, read_number
from tallystick.wording.sentences import values_in_words
from tallystick.wording.wording import (
    ZONE_MINUTES,
    Disclosed,
    Lookup,
    Wording,
    currency_of_struct,
)

__all__ = [
    "ZONE_MINUTES",
    "Disclosed",
    "Given",
    "Lookup",
    "Option",
    "Wording",
    "WordingProblem",
    "currency_of_struct",
    "metavar",
    "option_name",
    "options",
    "read_number",
    "spellings",
    "split_options",
    "takes_disclosure",
    "values_in_words",
]
