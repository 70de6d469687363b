"""The server's tokenizer as a Hugging Face tokenizer: the ids are the server's, no file of the tokenizer is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from transformers import BatchEncoding, PreTrainedTokenizerBase

from hydrophone.client import Client
from hydrophone.results.records import ModelInfo
from hydrophone.transformer_lens.refusals import refused

# So much of texts or ids goes into one call: its answer is several times as long.
_MOST_CHARACTERS = 1 << 18
_MOST_IDS = 1 << 15


class ServerTokenizer(PreTrainedTokenizerBase):  # type: ignore[misc]
    """Encodes, decodes, pads and truncates as the checkpoint's own tokenizer in transformers does; every text and every
    new id asks the server.

    `bos_token` and `eos_token` are the server's (the first of the tokens that end a continuation); `pad_token` is
    `eos_token` until another token of the vocabulary is assigned. With `add_bos_token`, as TransformerLens sets it, the
    BOS token comes before every text. Tokens cannot be added.
    """

    model_input_names = ["input_ids", "attention_mask"]

    def __init__(self, client: Client, model: ModelInfo, add_bos_token: bool = True) -> None:
        self._client = client
        self._model = model
        self._pieces: dict[int, str] = {}
        self._ids: dict[str, int] = {}
        bos = model.bos_token_id
        eos = model.eos_token_ids[0] if model.eos_token_ids else bos
        before = list(model.ids_before_text)
        self._before = [bos, *before] if add_bos_token and bos is not None and bos not in before[:1] else before
        self._after = list(model.ids_after_text)
        self._look_up([each for each in (bos, eos) if each is not None])
        specials = {"bos_token": bos, "eos_token": eos, "pad_token": eos}
        named = {name: self._pieces[each] for name, each in specials.items() if each is not None}
        super().__init__(name_or_path=model.name, add_bos_token=add_bos_token, **named)
        self.add_bos_token = add_bos_token

    @property
    def is_fast(self) -> bool:
        return False

    @property
    def vocab_size(self) -> int:
        return self._model.tokenizer_tokens

    def __len__(self) -> int:
        return self._model.tokenizer_tokens

    def get_vocab(self) -> dict[str, int]:
        """Every token as the vocabulary writes it, and its id."""
        self._look_up(range(self._model.tokenizer_tokens))
        return {self._pieces[each]: each for each in range(self._model.tokenizer_tokens)}

    @property
    def added_tokens_decoder(self) -> dict[int, Any]:
        """Empty: the server does not tell which tokens were added."""
        return {}

    def _add_tokens(self, new_tokens: Sequence[Any], special_tokens: bool = False) -> int:
        unknown = [str(each) for each in new_tokens if self.convert_tokens_to_ids(str(each)) is None]
        if unknown:
            raise refused(f"adding the tokens {unknown}", "the model has no rows for them")
        return 0

    def convert_tokens_to_ids(self, tokens: Any) -> Any:
        """The ids of tokens as the vocabulary writes them; None for what it lacks."""
        if not isinstance(tokens, str):
            return [self.convert_tokens_to_ids(each) for each in tokens]
        if tokens not in self._ids:
            self._look_up(range(self._model.tokenizer_tokens))
        return self._ids.get(tokens)

    def convert_ids_to_tokens(self, ids: Any, skip_special_tokens: bool = False) -> Any:
        """Tokens as the vocabulary writes them."""
        if isinstance(ids, int):
            self._look_up([ids])
            return self._pieces[ids]
        kept = self._kept(ids, skip_special_tokens)
        self._look_up(kept)
        return [self._pieces[each] for each in kept]

    def convert_tokens_to_string(self, tokens: Sequence[str]) -> str:
        return str(self.decode(self.convert_tokens_to_ids(tokens)))

    def tokenize(
        self, text: str, pair: str | None = None, add_special_tokens: bool = False, **others: Any
    ) -> list[str]:
        ids = self(text, pair, add_special_tokens=add_special_tokens, **others)["input_ids"]
        return list(self.convert_ids_to_tokens(ids))

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        return len(self._before) + len(self._after)

    def build_inputs_with_special_tokens(self, token_ids_0: Sequence[int]) -> list[int]:
        return [*self._before, *token_ids_0, *self._after]

    def _encode_plus(  # pyright: ignore[reportIncompatibleMethodOverride] (the others are refused by name)
        self,
        text: Any,
        text_pair: Any = None,
        add_special_tokens: bool = True,
        padding_strategy: Any = False,
        truncation_strategy: Any = None,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_tensors: Any = None,
        return_attention_mask: bool | None = None,
        return_length: bool = False,
        verbose: bool = True,
        split_special_tokens: bool = False,
        **others: Any,
    ) -> Any:
        """What `__call__` and `encode` are made of. With `split_special_tokens`, the spelling of a special token is
        ordinary text."""
        for name, value in {"text_pair": text_pair, **others}.items():
            if value:
                raise refused(f"{name}=", "this tokenizer reads one text a row, and gives its ids and mask")
        several = not isinstance(text, str)
        most = None if getattr(truncation_strategy, "value", None) == "do_not_truncate" else max_length
        encoded = self._encode(list(text) if several else [text], split_special_tokens)
        rows = [self._row(ids, most, add_special_tokens) for ids in encoded]
        if verbose and max_length is None:
            for ids in rows:
                self._eventual_warn_about_too_long_sequence(ids, max_length, verbose)
        padded = self.pad(
            {"input_ids": rows},
            padding=padding_strategy,
            max_length=max_length,
            pad_to_multiple_of=pad_to_multiple_of,
            padding_side=padding_side,
            return_attention_mask=return_attention_mask,
        )
        if return_length:
            padded["length"] = [len(ids) for ids in padded["input_ids"]]
        if not several and return_tensors is None:
            return BatchEncoding({name: value[0] for name, value in padded.items()})
        return BatchEncoding(dict(padded), tensor_type=return_tensors)

    def _row(self, ids: list[int], most: int | None, add_special_tokens: bool) -> list[int]:
        around = self.num_special_tokens_to_add() if add_special_tokens else 0
        if most is not None and len(ids) + around > most:
            room = max(0, most - around)
            ids = ids[:room] if self.truncation_side == "right" else ids[len(ids) - room :]
        return self.build_inputs_with_special_tokens(ids) if add_special_tokens else ids

    def _encode(self, texts: list[Any], literal_specials: bool) -> list[list[int]]:
        """The texts' ids without what the server puts around them."""
        if not all(isinstance(each, str) for each in texts):
            raise refused("an input that is no text or list of texts", "token ids need no tokenizer")
        before, after = len(self._model.ids_before_text), len(self._model.ids_after_text)
        found: list[list[int]] = []
        for part in self._parts([each or " " for each in texts], _MOST_CHARACTERS):  # an empty text is refused there
            infos = self._client.tokenize(part, literal_specials=literal_specials)
            found += [list(info.token_ids[before : len(info.token_ids) - after]) for info in infos]
        return [ids if text else [] for text, ids in zip(texts, found, strict=True)]

    def decode(self, token_ids: Any, skip_special_tokens: bool = False, **others: Any) -> Any:
        """The text of ids, or the texts of several sequences; bytes that are no UTF-8 become U+FFFD. No spaces are
        cleaned up."""
        given = token_ids.tolist() if hasattr(token_ids, "tolist") else token_ids
        flat: list[Any] = [given] if isinstance(given, int) else list(given)
        several = bool(flat) and isinstance(flat[0], (list, tuple))
        rows: list[list[int]] = flat if several else [flat]
        kept = [self._kept(row, skip_special_tokens) for row in rows]
        asked = [row for row in kept if row]
        texts = iter([text for part in self._parts(asked, _MOST_IDS) for text in self._client.detokenize(part)])
        found = [next(texts) if row else "" for row in kept]
        return found if several else found[0]

    def _decode(
        self,
        token_ids: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **others: Any,
    ) -> str:
        return str(self.decode(token_ids, skip_special_tokens))

    def _kept(self, ids: Sequence[int], skip_special_tokens: bool) -> list[int]:
        skipped = set(self.all_special_ids) if skip_special_tokens else set()
        return [int(each) for each in ids if int(each) not in skipped]

    def _parts(self, items: Sequence[Any], most: int) -> Iterator[list[Any]]:
        """The items in parts that the server takes in one call: by their number and by their sizes' sum."""
        part: list[Any] = []
        size = 0
        for item in items:
            if part and (len(part) == self._model.limits["max_inputs_per_request"] or size + len(item) > most):
                yield part
                part, size = [], 0
            part.append(item)
            size += len(item)
        if part:
            yield part

    def _look_up(self, ids: Sequence[int]) -> None:
        """Asks for the pieces of ids that are not known yet."""
        unknown = [each for each in dict.fromkeys(ids) if each not in self._pieces]
        for first in range(0, len(unknown), _MOST_IDS):
            part = unknown[first : first + _MOST_IDS]
            [info] = self._client.tokenize([part])
            for each, piece in zip(part, info.pieces, strict=True):
                self._pieces[each] = piece
                self._ids.setdefault(piece, each)
