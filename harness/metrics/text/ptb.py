"""Penn Treebank words as pycocoevalcap's PTBTokenizer leaves them: Stanford's tokeniser in lower case, then punctuation dropped.

Written from the observed behaviour of the Java program (Stanford CoreNLP 3.4.1, `-preserveLines -lowerCase`), not from its source. Its
accidents are kept: brackets survive as `-lrb-` and `-rrb-`, since they are dropped by their upper-case names only; `CT.` keeps its full stop,
since it could be Connecticut; a blank that is missing after a full stop glues two words. The metrics' page says what differs.
"""

from __future__ import annotations

import re

_SHORT = (
    "jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|mon|tues?|wed|thu|thurs|fri"
    "|mr|mrs|ms|drs?|profs?|lt|lieut|gen|col|capt|sgt|maj|cmdr|comdr|cpl|pvt|adm|brig|rev|govs?|sens?|reps?|hon|pres|supt|insp|messrs"
    "|st|mt|ft|rt|ave|blvd|rd|sq|bldg|dept|univ|ala|ariz|calif|colo|conn|ct|dak|fla|ga|ind|kans?|ky|md|mich|minn|mo|mont|neb|nev|okla"
    "|penn|tenn|va|vt|wisc?|wyo|inc|cos?|corp|ltd|bros|plc|jr|sr|esq|assn|assoc|adj|adv|asst|intl|natl|ext|tel|seq|vs|etc|al|est|cf|wm|jos"
)
"""Words that keep their full stop in any case."""
_CAPITAL = "miss|ark|del|ill|la|mass|ore|pa|tex|wash"
"""Words that keep it with a capital only: a mass is not Massachusetts."""
_BEFORE_NUMBER = "figs?|nos?|op|pp|art|ca"
"""Words that keep it before a number only."""
_RUN = r"[^\W_]+(?:_[^\W_]+)*+"
_TOKEN = re.compile(
    rf"""
      (?P<tag> </?[A-Za-z!?][^<>]*> )
    | (?P<address> (?:https?://|www\.)[^\s<>"]+ | [\w.+-]{{1,64}}+@[\w-]+(?:\.[\w-]+)*+ )
    | (?P<two> can(?=not\b) | gon(?=na\b) | wan(?=na\b) | got(?=ta\b) | lem(?=me\b) | gim(?=me\b) )
    | (?P<initials> (?<![\w.]) (?: [A-Za-z](?:\.[A-Za-z])+\.?(?!\w|\.\w) | [A-Za-z]\.(?=\s|$) ) )
    | (?P<short> (?<![\w-]) (?: (?:{_SHORT})\. | (?=(?-i:[A-Z]))(?:{_CAPITAL})\. ) (?=\s|$|[^\w.]) )
    | (?P<numbering> (?<![\w-]) (?:{_BEFORE_NUMBER})\. (?=\s?\d) )
    | (?P<before_not> \w+?(?=n[’']t\b) ) | (?P<not> n[’']t\b ) | (?P<clitic> (?<=\w) [’'](?:s|m|d|re|ve|ll)\b )
    | (?P<elided> (?<!\w) [dlo][’'][^\W\d_]{{2,}} )
    | (?P<stopped> {_RUN}(?:[-/]\w+)*+\.(?=[,;:]) )
    | (?P<rest> [.,:]\d+(?:[.,:]\d+)*+ )
    | (?P<number> (?<![\w.]) [+-]?(?: \d+(?:[.,:]\d+)+ | \.\d+ | \d+(?:/\d+)+(?![\w/]|\.\d) | (?<=[+-])\d+ ) )
    | (?P<item> \d+ (?=\.[^\W\d]) )
    | (?P<firm> (?-i:[A-Z]+(?:&[A-Z]+)+) )
    | (?P<smiley> [:;=][()] )
    | (?P<glued> (?=[^\W\d]){_RUN} (?: [.!?](?=[^\W\d]){_RUN} )++ (?:-{_RUN})*+ )
    | (?P<word> {_RUN} (?: [-/]{_RUN} )*+ )
    | (?P<blank> _+ ) | (?P<marks> [!?]+ ) | (?P<dots> \.\.\. ) | (?P<dashes> --+ ) | (?P<sign> [\u0021-\uffff] )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_DROPPED = frozenset(("''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";", '"', "’", "‘", "“", "”", "…", "–", "—"))
_BRACKETS = {"(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"}
_BRACKETS |= {eyes + mouth: eyes + _BRACKETS[mouth] for eyes in ":;=" for mouth in "()"}
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))
_FRACTIONS = {"½": " 1/2", "¼": " 1/4", "¾": " 3/4", "⅓": " 1/3", "⅔": " 2/3"}


def ptb(text: str) -> list[str]:
    """Penn Treebank words in lower case, punctuation dropped."""
    if "&" in text:
        for entity, sign in _ENTITIES:
            text = text.replace(entity, sign)
    if not text.isascii():
        for sign, fraction in _FRACTIONS.items():
            text = text.replace(sign, fraction)
    words = (_BRACKETS.get(found, found) for found in (match.group().lower() for match in _TOKEN.finditer(text)))
    return [part for word in words if word not in _DROPPED for part in word.split()]
