"""Short messages to an invented phone company, each with one of 77 intents.

For measuring the stand-in: an intent is what a message is about (11 things) and what is wanted or
wrong with it (7 wishes). Both are said in many ways, common and rare. Ways and names are shared
between intents ("card", "plan", "it went wrong again"), other things are mentioned in passing, and
people mistype. So some messages could be filed twice, as on a real desk, and nobody gets all right.
"""

import random
import re
from collections.abc import Iterator

# What it is about -> its names, the usual ones first.
THINGS = {
    "sim": "sim card|sim|chip|new sim|sim chip|little card|esim|card",
    "handset": "phone|handset|mobile|device|smartphone|telephone|cell",
    "bill": "bill|invoice|monthly bill|statement|paper bill|account statement",
    "top_up": "top-up|credit|balance|prepaid credit|top up voucher|topup|card",
    "data": "data|data plan|gigabytes|data allowance|mobile internet|data package|plan",
    "roaming": "roaming|roaming pass|travel pass|holiday pass|eu option|abroad package|pass",
    "router": "router|wifi box|home internet|modem|box|wifi|broadband",
    "number": "number|phone number|old number|mobile number|second number|digits",
    "contract": "contract|subscription|agreement|two year deal|plan",
    "login": "login|account|password|app|pin|online account|access",
    "discount": "discount|promo code|offer|student discount|voucher|deal|code",
}
# What is wanted or wrong -> how it is said; [a|b] is one or the other, {x} the thing's name.
WISHES = {
    "late": """[still|i am still|been] waiting for my {x}
        my {x} [has not|hasn't] [arrived|come|turned up|been delivered]
        [and |]where is my {x}
        when [will|does|do] my {x} [come|arrive|get here|start]
        how long [does|will] [it take|i have to wait] [for|until i get] [a|the|my] {x}
        you promised [a|the|my] {x} [last week|by friday|days ago]
        [ordered|asked for] [a|my] {x} [two weeks|ten days|ages] ago and nothing
        no sign of [the|my] {x} [yet|so far]
        is there a delay with [the|my] {x}
        can i [track|follow] [the|my] {x}
        it says {x} on its way since [monday|forever]
        {x} was due [on the 3rd|yesterday]""",
    "lost": """[i|we] [lost|misplaced|can't find] my {x}
        my {x} [is gone|has gone missing|disappeared|vanished]
        [someone|a thief|somebody] [stole|took|has taken] my {x}
        my {x} [was|got|has been] stolen
        [dropped|left] my {x} [on the bus|in a taxi|somewhere]
        where is my {x}, i had it yesterday
        no idea what happened to my {x}, it was there [last week|this morning]
        block my {x} [please|right now], it's not with me
        i no longer have [my|the] {x}, need it [back|replaced]
        all of [my|the] {x} [is|was] suddenly gone
        think [somebody else|another person] is using my {x}
        what if [the|my] {x} is found by somebody""",
    "cancel": """[i want to|i'd like to|please|can i] [cancel|end|stop] [my|the] {x}
        how do i [cancel|get rid of|close|give up] [my|the] {x}
        [don't|do not] [want|need] [my|the|this] {x} [any more|anymore|now]
        [take|remove] [the|that] {x} off [my account|please]
        i am leaving you, so no more {x}
        [changed my mind|made a mistake] about the {x}
        can i send [the|my] {x} back
        switch off [my|the] {x} for good
        what's the notice period for [my|the] {x}
        i never asked for [a|this] {x}, remove it
        is it possible to return [the|my] {x}
        terminate [my|the] {x} [at the end of the month|today]""",
    "change": """[i want to|can i|how do i|please] [change|switch|swap] my {x}
        i need a [different|bigger|another|new] {x}
        [upgrade|downgrade] my {x} [please|if possible]
        move my {x} to [my wife|another name|my son]
        can my {x} be [changed|transferred|moved] to [someone else|a new address]
        is a [smaller|cheaper|better] {x} available
        exchange the {x} for [another one|the other kind]
        [the|my] {x} has the wrong name on it
        would rather have the other {x}
        what {x} can i change to
        update the details of my {x}
        i'd like to keep everything but the {x}""",
    "charged": """[why|how come] [was i|am i] [charged|billed] [twice |so much |]for [the|my] {x}
        [the|my] {x} [cost|costs] [too much|more than you said]
        i [paid|was charged] [twice|double|extra] for [my|the] {x}
        there is [a fee|a charge|money taken] for [a|the] {x} i [never ordered|don't know]
        i want [my money|a refund] for [the|my] {x}
        you took [20|the wrong amount|money] for [the|my] {x}
        [wrong|strange|unexpected] [amount|price] for [the|my] {x}
        the {x} was meant to be free
        how much [is|does] [a|the] {x} [cost|a month]
        please explain the charge for [my|the] {x}
        my {x} was counted twice
        i never asked for a {x} and paid for it""",
    "set_up": """how do i [set up|activate|start|use|install] [my|the|a] {x}
        [help me|need help to] [activate|set up|get] [my|the] {x}
        [got|received|have] [my|the] {x}, what now
        where do i [enter|find|put|see] [my|the] {x}
        how [can|do] i get [a|the] {x}
        what do i need for [a|the] {x}
        can you turn on [my|the] {x}
        [steps|instructions] for [the|a new] {x} please
        first time with a {x}, how does [it|this] work
        am i able to get a {x} [as a student|without a bank account|at my age]
        i'd like [a|one more] {x}
        is {x} available [here|for me]""",
    "failing": """my {x} [does not|doesn't|won't|is not] [work|working|respond]
        [the|my] {x} [stopped working|is broken|keeps failing|went down]
        [problem|trouble|issue] with [my|the] {x}
        [i get|there is] an error [with|about] [my|the] {x}
        {x} not [accepted|recognised|working]
        tried [my|the] {x} [three|several] times, [no luck|fails]
        why is my {x} [rejected|refused|so slow]
        what is wrong with [my|the] {x}
        [can't|cannot] [use|get into] my {x}
        your {x} is useless, nothing [works|happens]
        it went wrong again with [my|the] {x}
        [the|my] {x} worked [yesterday|until today] but no longer""",
}
OPENINGS = (
    "||||hi, |hello |good morning, |hi there. |please help, |urgent: |so |ok |quick question: "
)
ENDINGS = "|||||?| please| thanks|!| asap| what can i do| can you help| this is the third time|??"
# Said in passing of another thing, {y}; some go before the wish, most after.
ASIDES = """, the {y} is fine
    , it came with my {y}
    , same day as the {y}
    and also i have a question on my {y} but that can wait
    , i already sorted the {y}
    , i saw it [on|in] the {y}
    , could it be the {y}
    since i [got|changed|cancelled] my {y}
    , i [lost|changed|paid for] the {y} as well
    even though my {y} works"""
VAGUE = """what is going on with my {x}
    something about my {x}
    need to talk to someone about [my|the] {x}
    {x}"""
SHARES = {"aside": 0.15, "vague": 0.01, "typo": 0.015, "misfiled": 0.005}


def list_labels() -> list[str]:
    """Name the 77 intents."""
    return [f"{thing}_{wish}" for thing in THINGS for wish in WISHES]


def make_messages(count: int, *, seed: int, labels: int = 77) -> list[tuple[str, str]]:
    """Make different messages, each with its label, of the first so many labels in turn."""
    made: dict[str, str] = {}
    draws = _draw_messages(random.Random(seed), list_labels()[:labels])  # noqa: S311 - no secret
    while len(made) < count:
        text, label = next(draws)
        made.setdefault(text, label)
    return list(made.items())


def make_split(
    training: int, unseen: int, *, seed: int, labels: int = 77
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Make messages to train on, and others that differ from all of those."""
    made = make_messages(training + unseen, seed=seed, labels=labels)
    return made[:training], made[training:]


def _draw_messages(dice: random.Random, labels: list[str]) -> Iterator[tuple[str, str]]:
    while True:
        for label in dice.sample(labels, len(labels)):
            thing, wish = next((t, w) for t in THINGS for w in WISHES if label == f"{t}_{w}")
            lines = VAGUE if dice.random() < SHARES["vague"] else WISHES[wish]
            text = _fill(dice, _pick(dice, lines.split("\n")), x=_name(dice, thing))
            if dice.random() < SHARES["aside"]:
                other = dice.choice([name for name in THINGS if name != thing])
                text += " " + _fill(dice, _pick(dice, ASIDES.split("\n")), y=_name(dice, other))
            text = dice.choice(OPENINGS.split("|")) + text.replace(" ,", ",")
            text += dice.choice(ENDINGS.split("|"))
            text = " ".join(_mistype(dice, word) for word in text.split())
            if dice.random() < SHARES["misfiled"]:
                label = dice.choice(labels)
            yield text, label


def _name(dice: random.Random, thing: str) -> str:
    return _pick(dice, THINGS[thing].split("|"))


def _pick(dice: random.Random, ways: list[str]) -> str:
    """Pick one; the later it stands, the rarer it is."""
    return dice.choices(ways, [1 / (3 + place) for place in range(len(ways))])[0].strip()


def _fill(dice: random.Random, way: str, **names: str) -> str:
    way = re.sub(r"\[(.*?)\]", lambda found: dice.choice(found[1].split("|")), way)
    return way.format(**names)


def _mistype(dice: random.Random, word: str) -> str:
    """Now and then leave out, double or swap a letter."""
    if len(word) < 3 or dice.random() > SHARES["typo"]:
        return word
    place = dice.randrange(len(word) - 1)
    one, two = word[place], word[place + 1]
    return word[:place] + dice.choice([two, one + one + two, two + one]) + word[place + 2 :]
