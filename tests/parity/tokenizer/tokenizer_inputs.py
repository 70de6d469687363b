"""Generated texts for the tokenizer's parity test. Seeded: the same texts in every run."""

import random
import unicodedata

# fmt: off
# Around each of them two implementations of GPT-2's splitter could differ.
CONTRACTIONS = [
    "'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'LL", "'", "''", "’s", "'st", "'lly",
    " 's",
]
SPACES = [
    " ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", "\v", "\f", "\x1c", "\x1f", "\x85", "\xa0",
    "\u1680", "\u2003", "\u200b", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\ufeff",
]
SPECIALS = [
    "<|endoftext|>", "<|endoftext|", "|endoftext|>", "<|<|endoftext|>", "<|ENDOFTEXT|>",
    "endoftext", "<|", "|>",
]
WORDS = [
    "the", "The", "hello", " world", "naïve", "don", "I", "Straße", "Привет", "日本語", "สวัสดี",
    "मानक", "שלום", "مرحبا", "123", " 4567", "3.14", "½", "Ⅷ", "٣٤", "x²", "...", "!?", "--",
    "$", "€", "(a)", "http://a.b/c?d=e", "a_b", "#",
]
EMOJI = [
    "😀", "👩‍👩‍👧", "🇩🇪", "👍🏽", "e\u0301", "\u0301", "🏴\U000e0067\U000e0062\U000e007f", "\ufffd",
    "\uffff",
]
# fmt: on
CONTROLS = [chr(c) for c in [*range(0x20), *range(0x7F, 0xA0), 0xAD, 0x200D, 0x202E, 0xFFF9]]

PARTS = CONTRACTIONS + SPACES + SPECIALS + WORDS + EMOJI + CONTROLS


def any_code_point(rng):
    """A code point of any of the 17 planes, more often of the first two, where characters are."""
    plane = rng.choice([0, 0, 0, 0, 1, 1, 1, 2, 3, *range(4, 17)])
    while True:
        point = plane * 0x10000 + rng.randrange(0x10000)
        if not 0xD800 <= point <= 0xDFFF:
            return chr(point)


def assigned_letters_and_numbers():
    """Every character that this Python's Unicode calls a letter, number, mark or separator."""
    return [chr(c) for c in range(0x110000) if unicodedata.category(chr(c))[0] in "LNMZ"]


def joined_parts(rng):
    return "".join(rng.choice(PARTS) for _ in range(rng.randrange(1, 25)))


def random_code_points(rng):
    return "".join(any_code_point(rng) for _ in range(rng.randrange(1, 40)))


def whitespace_runs(rng):
    """Runs of mixed white space before, between and after words."""

    def run():
        return "".join(rng.choice(SPACES) for _ in range(rng.randrange(6)))

    return run() + "".join(rng.choice(WORDS + CONTRACTIONS + EMOJI) + run() for _ in range(rng.randrange(1, 8)))


def ascii_noise(rng):
    return "".join(chr(rng.randrange(0x80)) for _ in range(rng.randrange(1, 80)))


def repeats(rng):
    """Long words of one repeated part, on which the order of merges shows."""
    return rng.choice(PARTS + list("abeinorst0189")) * rng.randrange(1, 60)


def mixtures(rng):
    kinds = (joined_parts, random_code_points, whitespace_runs, ascii_noise, repeats)
    return "".join(rng.choice(kinds)(rng) for _ in range(rng.randrange(2, 5)))


def characters_in_context(rng, characters):
    """Each character between letters, numbers, marks and spaces."""
    for character in characters:
        yield rng.choice(["a{0}b", "a {0}", " {0}1", "1{0}2 ", "!{0}!", "  {0} ", "{0}{0}", "'{0}s"]).format(character)


def generated_texts(count=24000, seed=20240229):
    """`count` different texts: a sixth of each kind."""
    rng = random.Random(seed)
    characters = assigned_letters_and_numbers()
    texts = dict.fromkeys(["", " ", "\n", "'", *CONTRACTIONS, *SPACES, *SPECIALS])
    texts.update(dict.fromkeys(characters_in_context(rng, rng.sample(characters, count // 6))))
    kinds = (joined_parts, random_code_points, whitespace_runs, ascii_noise, repeats, mixtures)
    while len(texts) < count:
        for kind in kinds:
            texts[kind(rng)] = None
    return list(texts)
