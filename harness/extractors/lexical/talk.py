"""Sentences that are no statement about a film: refusals, prompts and questions to a reader, talk about what the method can show."""

from __future__ import annotations

import re
import string

_NOBODY = re.compile(
    r"\b(?:i['’]?m|i am)\s+(?:sorry|unable|not able|not an?|afraid|an? (?:ai|language|text|large|virtual|assistant))|\bi (?:apologi[sz]e|regret)\b|\bwould (?:not )?be (?:in)?appropriate\b|\bfor me to\b"
    r"|\bi (?:can ?not|can['’]?t|could not|couldn['’]?t|do not|don['’]?t|am unable|will not|won['’]?t|would need|need|must|require)\b"
    r"(?! (?:see|identify|exclude|rule|appreciate|detect|find)\b.{0,30}\b(?:effusion|pneumothora|fracture|opaci|consolidat|nodul|mass\b|o?edema|infiltrat|heart|cardi|lung|rib|lines?\b|tubes?\b|catheter|atelecta|pleura|collapse|medias|widen|enlarge|pneumon|calcif|emphysem))"
    r"|\bas an? (?:ai|language model|artificial|text|large)\b|\blanguage model\b|\bai (?:assistant|model|system)\b|\bchat ?(?:gpt|bot)\b"
    r"|\b(?:not|never) (?:a substitute|intended|a replacement)\b|\bmedical advice\b"
    r"|\byou['’]re\b|\byou (?:are|were|asked|want|would|provided?|upload(?:ed)?|sen[dt]|mention(?:ed)?|describe[d]?|can|need|should|must|may|will|have (?:provided|uploaded|sent|asked)|see|ask)\b"
    r"|\byour (?:task|request|question|image|picture|file|upload|input|answer|response|message|prompt|own|job|goal|doctor|physician|query|chest)|\b(?:thank|thanks|help|for|if|with|tell|give|send) you\b"
    r"|\b(?:happy|glad|able) to (?:help|assist)|\bhere(?: is|['’]s| are) (?:a|an|the|my) (?:\w+ ){0,3}(?:report|description|summary|template|list)"
    r"|\b(?:no|an?|the|this|without (?:the|an?)|provided|uploaded|attached) (?:image|picture|photo|file|attachment|x-?ray|chest x-?ray|radiograph)s? (?:was|were|is|has been|have been|appears? to be) (?:not )?"
    r"(?:provided|attached|uploaded|shared|supplied|visible to|given|missing|too|unreadable|corrupt\w*|blank|unavailable|not available)"
    r"|\b(?:image|picture|photo|file)s? (?:(?:is|are|was|were|seems?|appears?)(?: to be)? (?:too (?:blurry|dark|small|low)|not (?:clear enough|visible|available|loaded|readable))"
    r"|(?:cannot|could not|can ?not) be (?:opened|loaded|displayed|interpreted|viewed|processed|read))",
    re.IGNORECASE | re.DOTALL,
)
"""A program that speaks of itself or to its user."""
_ORDER = re.compile(
    r"(?:\d+[.)]\s{0,3})?(?:please|kindly|now|then|first|next|task|instructions?|prompt|question|system|user|assistant|human|options?|output format|format|answer|example|input)?[\s:*\"'-]{0,5}"
    r"(?:describe|generate|write|provide|produce|create|list|summari[sz]e|identify (?:the|any|all|and|which|whether)|answer|act as|given (?:the|a|an|this|these) (?:following|chest|image|x-?ray|radiograph|film|report|picture|frontal)|analy[sz]e|interpret|examine|"
    r"look (?:at|for|carefully)|report (?:on|the (?:presence|findings)|any|all|whether)|determine|classify|label|return|respond|output|use the|read the"
    r"|imagine|upload|consult|contact|seek|explain|tell|translate|rewrite|complete the|fill|choose|select|state (?:whether|if|the)|check (?:for|whether|if)|ensure|remember|focus on|include|mention|avoid"
    r"|do not|don['’]t|think|pay attention|make sure|extract|detect|predict|evaluate (?:the|this)|assess (?:the|whether|this)|comment on|compare (?:the|this) (?:image|film|study|x-?ray|two|chest)|specify|indicate (?:whether|if)|discuss)\b",
    re.IGNORECASE,
)
"""An order to whoever writes the report."""
_ASKS = re.compile(
    r"(?:is|are|does|do|did|can|could|has|have|was|were|what|which|where|how|why|who|should|would|will)\b[^?]*\?\s*$",
    re.IGNORECASE | re.DOTALL,
)
_LICENCE = re.compile(
    r"\b(?:licen[sc]e[edsr]*|warrant(?:y|ies)|copyright\w*|sublicen[sc]\w*|merchantab\w*|liabilit\w*|liable|trademarks?|source code|object code|software"
    r"|hereby|herein|thereof|hereunder|derivative works?|royalt\w*|contributors?|covered work|public domain|jurisdiction\w*|pursuant)\b",
    re.IGNORECASE,
)
"""The language of contracts."""
_CHINESE = re.compile(
    r"抱歉|对不起|對不起|无法(?:查看|识别|提供|分析|判断|解读|访问|处理)|無法(?:查看|識別|提供|分析|判斷)|不能(?:查看|识别|提供|分析|解读)(?:图像|图片|影像|医)|作为(?:一个|一名)?(?:人工智能|ai|语言模型|助手)"
    r"|语言模型|人工智能助手|请(?:上传|提供|描述|根据|生成|分析|回答|咨询|列出|输出|写出|判断)|請(?:上傳|提供|描述|根據|生成|分析)|您|^(?:描述|生成|列出|写一份|分析|判断|回答)(?:这|该|下|以|图|胸|此|一|所)|^根据.{0,12}(?:生成|描述|写出|写一份|回答|列出)"
)


_HINTS = frozenset(
    [
        "i",
        "im",
        "you",
        "your",
        "youre",
        "ai",
        "language",
        "assistant",
        "appropriate",
        "inappropriate",
        "medical",
        "substitute",
        "happy",
        "glad",
        "able",
        "here",
        "image",
        "images",
        "picture",
        "photo",
        "file",
        "files",
        "attachment",
        "ray",
        "radiograph",
        "xray",
        "provided",
        "uploaded",
        "licence",
        "license",
        "licenses",
        "licensed",
        "warranty",
        "warranties",
        "copyright",
        "merchantability",
        "liability",
        "liable",
        "trademark",
        "trademarks",
        "source",
        "object",
        "software",
        "hereby",
        "herein",
        "thereof",
        "hereunder",
        "derivative",
        "royalty",
        "royalties",
        "contributor",
        "contributors",
        "covered",
        "public",
        "pursuant",
        "jurisdiction",
        "me",
    ]
)
"""Words without which no sentence speaks of a program, to its user, or as a contract does."""
_FIRST = re.compile(r"\w")
_SIGNS = str.maketrans(dict.fromkeys(string.punctuation + "’", " "))


def is_talk(sentence: str) -> bool:
    """Whether a sentence (lower case) says nothing of what a film shows, whatever it names."""
    first = _FIRST.search(sentence)
    begin = first.start() if first else 0
    if _ORDER.match(sentence, begin) or (sentence.endswith("?") and _ASKS.match(sentence, begin)):
        return True
    if not _HINTS.isdisjoint(sentence.translate(_SIGNS).split()) and (_NOBODY.search(sentence) or _LICENCE.search(sentence)):
        return True
    return not sentence.isascii() and bool(_CHINESE.search(sentence[begin:]))
