"""Why governance says no. Numbers are permanent."""

from tallystick.ledger.refusal import RefusalCode


class Refusal(RefusalCode, app="governance"):
    """Why a request about rules, parameters, calendars or the clock was refused."""

    NO_CONSTITUTION = 1
    """The genesis gave no constitution."""
    NOT_A_VOTER = 2, "constitution"
    """The member has no vote on this."""
    NO_SUCH_PROPOSAL = 3
    """There is no such proposal."""
    NOT_OPEN = 4
    """The proposal is no longer open."""
    VOTING_ENDED = 5
    """The time to vote is over."""
    ALREADY_VOTED = 6
    """The member has voted on this; a vote is not taken back."""
    NOT_PROPOSER = 7
    """Only who proposed it can withdraw it."""
    NOT_CARRIED = 8
    """The proposal was not carried, or is enacted already."""
    BAD_RULES = 9
    """The rules would leave nobody who decides."""
    ADMITTED_BY_SUPERVISOR = 10, "constitution"
    """A supervisor admits and expels members here, not a vote."""
    NOT_PARAMETER_KEEPER = 11, "constitution"
    """The member does not set parameters."""
    NOTHING_TO_CHANGE = 12
    """What is asked for is so already."""
    NOT_CALENDAR_KEEPER = 13, "constitution"
    """The member does not publish calendars."""
    NO_SUCH_CALENDAR = 14, "", True
    """No such calendar has been published."""
    NOT_NEXT_YEAR = 15
    """A calendar's years are published one after the other."""
    BAD_DAYS = 16
    """The banking days are not days of the year, in order."""
    BAD_OFFSETS = 17
    """The offsets do not begin at 0, or are not in order of time."""
    PAST_CHANGED = 18
    """Days or offsets that have passed would change."""
    OLD_VERSION = 19
    """The version of the rules is not newer than the one in force."""
    ACTIVATION_PENDING = 20
    """Another version is waiting for its height."""
    HEIGHT_PASSED = 21
    """The height is not ahead."""
    NOT_TRIAL = 22, "genesis"
    """The genesis is no trial: nobody moves the clock."""
    NOT_CLOCK_KEEPER = 23, "constitution"
    """The member does not move the clock."""
    NOT_FORWARD = 24
    """The clock moves forward only."""
    TOO_FAR = 25
    """The clock would leave the range of instants."""
    NO_ENGINE = 26, "genesis"
    """One node orders the chain's blocks: there are no validators and no engine to set."""
    NOT_ITS_RUNNER = 27
    """A new validator is proposed by the member that will run it, and by nobody else."""
    WEAK_VALIDATOR_KEY = 28, "ZIP 215"
    """The validator's key is no point of the curve, or of small order."""
    VALIDATOR_KEY_TAKEN = 29
    """The key is a validator's already, or is or was an officer's."""
    TOO_MANY_VALIDATORS = 30
    """The engine would have to gather more votes for each block than it does in good time."""
    NO_SUCH_VALIDATOR = 31
    """No validator has this key."""
    LAST_VALIDATOR = 32
    """Nobody would be left to decide on blocks."""
    TOO_MUCH_POWER = 33, "light client trust level 1/3"
    """More than a third of all power would move in one block."""
    OUT_OF_BOUNDS = 34
    """The value lies outside of what the engine and its light clients work with."""
    TOO_SOON = 35
    """The rules would come into force before every node can be given a release that has them."""
