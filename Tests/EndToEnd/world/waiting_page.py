"""The page of what is being waited for, as a test reads it."""

import html
import re

from . import web
from .appliance import Appliance


def steps(page: str) -> dict[str, str]:
    """What the page says of each part."""
    found = re.findall(r'<span class="part">(.*?)</span> <span class="words">(.*?)</span>', page)
    return {html.unescape(part): html.unescape(words) for part, words in found}


def looks_like_a_wait(answer: web.Answer) -> bool:
    return answer.status == 503 and answer.headers.get("retry-after") == "5" and answer.headers.get("cache-control") == "no-store"


def waiting(appliance: Appliance, path: str, part: str, words: str) -> web.Answer | None:
    answer = appliance.get(path)
    return answer if looks_like_a_wait(answer) and steps(answer.text)[part].startswith(words) else None
