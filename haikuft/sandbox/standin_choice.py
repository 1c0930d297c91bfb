"""How the stand-in takes its next token, once every token has its score."""

import numpy as np

from haikuft.sandbox.standin_features import Array

LOOP = 24  # tokens; a reply is stuck if it ends with so many, at least three rounds of the same
LONGEST_LOOP = 80  # tokens of one round


def name_loop(tokens: list[int]) -> list[int]:
    """Name the token that would go on with a loop, if the reply is stuck in one."""
    for period in range(1, min(len(tokens) // 3, LONGEST_LOOP) + 1):
        size = max(3 * period, LOOP)
        if tokens[-period:] == tokens[-2 * period : -period] and len(tokens) >= size:
            tail = tokens[-size:]
            if tail[period:] == tail[:-period]:
                return [tokens[-period]]
    return []


def choose_token(
    scores: Array, temperature: float, top_p: float, top_k: int | None, random: np.random.Generator
) -> int:
    """Take the likeliest token at temperature 0, else draw one of the likeliest."""
    if temperature == 0:
        return int(scores.argmax())
    order = np.argsort(-scores, kind="stable")[: top_k or None]
    chances = np.exp((scores[order] - scores[order[0]]).astype(np.float64) / temperature)
    chances /= chances.sum()
    chances[1:][np.cumsum(chances)[:-1] >= top_p] = 0  # the likeliest token always stays
    return int(random.choice(order, p=chances / chances.sum()))
