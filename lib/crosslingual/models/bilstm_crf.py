"""The tagger of Lample et al. (2016, sections 2 to 5), earlier work in the paper's Table 3, run.

Embeddings of words, and of their letters by a small BiLSTM -> dropout -> BiLSTM -> hidden layer ->
CRF over IOBES tags. Sizes, rates and singletons that are read as [UNK] are theirs, but for these:

- embeddings of words begin at random, as pre-trained ones are not to be had here; in their own
  ablation (section 5.4) these are worth 7.31 F1, more than all else;
- ``BATCH`` sentences are learnt at once (there: one), at as many times the rate, on the mean loss;
- each model makes ``STEPS`` such steps, whatever its corpus, at most ``EPOCHS`` times through it,
  for a laptop's sake (there the number is not given);
- digits become 0, and words' embeddings have 100 numbers, in all languages, not in English alone.

Nothing is tuned, and training does not stop early.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from crosslingual.models import ModelError, Sentences
from crosslingual.models.encoder import finite
from crosslingual.models.finetune import batches
from crosslingual.models.score import entities

VERSION = 1  # bump when `BiLSTMCRF` tags differently after the same training
WORD, LETTER, HIDDEN = 100, 25, 100
DROPOUT, UNKNOWN = 0.5, 0.5  # the latter: how often a word that is there once is read as [UNK]
RATE, CLIP = 0.01, 5.0
BATCH, STEPS, EPOCHS = 32, 1000, 16
TAGGED, LONGEST = 64, 100  # sentences that are tagged at once; letters that are read of a word


class CRF(nn.Module):
    """A linear chain over tags: what a step from one to the next is worth, and either end."""

    def __init__(self, n_tags: int) -> None:
        super().__init__()
        self.start, self.end = nn.Parameter(torch.zeros(n_tags)), nn.Parameter(torch.zeros(n_tags))
        self.steps = nn.Parameter(torch.zeros(n_tags, n_tags))  # from, to

    def score(self, values: torch.Tensor, tags: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Scores [sentences] of tags [sentences, words], given values [sentences, words, tags].

        mask [sentences, words]: True for words, which come before the padding.
        """
        last = tags.gather(1, mask.sum(1, keepdim=True) - 1).squeeze(1)
        words = values.gather(2, tags[..., None]).squeeze(2) * mask
        steps = self.steps[tags[:, :-1], tags[:, 1:]] * mask[:, 1:]
        return self.start[tags[:, 0]] + words.sum(1) + steps.sum(1) + self.end[last]

    def partition(self, values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Log of the sum over all taggings of their exponentiated scores, by sentence."""
        reached = self.start + values[:, 0]
        for word, real in zip(values.unbind(1)[1:], mask.unbind(1)[1:], strict=True):
            after = (reached[:, :, None] + self.steps).logsumexp(1) + word
            reached = torch.where(real[:, None], after, reached)
        return (reached + self.end).logsumexp(1)

    def decode(self, values: torch.Tensor, mask: torch.Tensor) -> list[list[int]]:
        """The best tagging of each sentence (Viterbi)."""
        reached, origins = self.start + values[:, 0], []
        for word, real in zip(values.unbind(1)[1:], mask.unbind(1)[1:], strict=True):
            best, origin = (reached[:, :, None] + self.steps).max(1)
            reached = torch.where(real[:, None], best + word, reached)
            origins.append(origin.tolist())
        lengths, paths = mask.sum(1).tolist(), []
        for row, tag in enumerate((reached + self.end).argmax(1).tolist()):
            path = [tag]
            for origin in reversed(origins[: lengths[row] - 1]):
                path.append(origin[row][path[-1]])
            paths.append(path[::-1])
        return paths


class BiLSTM(nn.Module):
    """Two LSTMs over padded sequences, one from either end, in half the time of packed ones."""

    def __init__(self, size: int, hidden: int) -> None:
        super().__init__()
        self.forth = nn.LSTM(size, hidden, batch_first=True)
        self.back = nn.LSTM(size, hidden, batch_first=True)

    def forward(self, vectors: torch.Tensor, lengths: torch.Tensor) -> list[torch.Tensor]:
        """What either has read [sequences, length, hidden]; junk where the padding is."""
        place, ends = torch.arange(vectors.shape[1]), lengths[:, None]
        turn = torch.where(place < ends, ends - 1 - place, place)[..., None]
        turned = self.back(vectors.take_along_dim(turn, 1))[0]
        return [self.forth(vectors)[0], turned.take_along_dim(turn, 1)]


@dataclass(frozen=True)
class Text:
    """Sentences in numbers: of words [words, readings], and of their forms, whose letters follow.

    letters [forms, most]; lengths [forms]: letters of each.
    """

    words: list[torch.Tensor]
    forms: list[torch.Tensor]
    letters: torch.Tensor
    lengths: torch.Tensor


class Network(nn.Module):
    """Values of tags for words."""

    def __init__(self, n_words: int, n_letters: int, n_tags: int) -> None:
        super().__init__()
        self.words, self.letters = nn.Embedding(n_words, WORD), nn.Embedding(n_letters, LETTER)
        for table in (self.words, self.letters):
            nn.init.normal_(table.weight, std=table.embedding_dim**-0.5)
        self.spell, self.read = BiLSTM(LETTER, LETTER), BiLSTM(WORD + 2 * LETTER, HIDDEN)
        hidden = nn.Linear(2 * HIDDEN, HIDDEN), nn.Tanh()
        self.values = nn.Sequential(*hidden, nn.Linear(HIDDEN, n_tags))
        self.dropout, self.crf = nn.Dropout(DROPOUT), CRF(n_tags)

    def forward(self, words: list[torch.Tensor], forms: list[torch.Tensor], text: Text) -> tuple:
        """Values [sentences, words, tags] and mask [sentences, words] of some sentences of a text.

        words: numbers of each sentence's readings, whose vectors are added; forms: those of their
        forms in the text.
        """
        lengths = torch.tensor(list(map(len, words)))
        each, which = torch.cat(forms).unique(return_inverse=True)
        ends = text.lengths[each]
        forth, back = self.spell(self.letters(text.letters[each, : int(ends.max())]), ends)
        spelt = torch.cat([forth[torch.arange(len(ends)), ends - 1], back[:, 0]], 1)
        vectors = self.dropout(torch.cat([self.words(torch.cat(words)).sum(1), spelt[which]], 1))
        padded = pad_sequence(vectors.split(lengths.tolist()), batch_first=True)
        mask = torch.arange(padded.shape[1]) < lengths[:, None]
        return self.values(torch.cat(self.read(padded, lengths), 2)), mask


class BiLSTMCRF:
    """The trained tagger. Same seed, same machine: same tags.

    tokens, labels: sentences as lists of words, and a tag a word; iob: these are IOB tags, learnt
    as IOBES. Raises ModelError for others, where there is no sentence, and if the training
    diverges.
    """

    def __init__(self, tokens: Sentences, labels: Sentences, seed: int, iob: bool = True) -> None:
        if not tokens:
            raise ModelError("The training data are empty.")
        every, self.iob = list(chain(*map(without_digits, tokens))), iob
        counts = Counter(chain(*map(self.readings, every)))
        self.words = {word: i for i, word in enumerate(sorted(counts), 1)}  # 0: [UNK]
        signs = set().union(*map(self.spelling, every))
        self.letters = {sign: i for i, sign in enumerate(sorted(signs), 1)}
        tags = list(map(iobes, labels)) if iob else labels
        self.tags = sorted(set(chain(*tags)))
        once = torch.tensor([False, *(counts[word] == 1 for word in self.words)])
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            self.network = Network(len(self.words) + 1, len(self.letters) + 1, len(self.tags))
            self._fit(self._text(tokens), tags, once, np.random.default_rng(seed))

    def readings(self, word: str) -> tuple[str, ...]:
        """What a word is looked up as."""
        return (word,)

    def spelling(self, word: str) -> str:
        """The letters of a word that are read."""
        return word

    def predict(self, sentences: Sentences) -> list[list[str]]:
        """One tag (IOB2) per word, for sentences given as lists of words."""
        text, network = self._text(sentences), self.network.eval()
        order = sorted(range(len(sentences)), key=lambda row: len(sentences[row]))
        found: dict[int, list[str]] = {}
        for start in range(0, len(order), TAGGED):
            rows = order[start : start + TAGGED]
            both = ([numbers[row] for row in rows] for numbers in (text.words, text.forms))
            with torch.inference_mode():
                paths = network.crf.decode(*network(*both, text))
            tags = ([self.tags[tag] for tag in path] for path in paths)
            found |= dict(zip(rows, map(iob2, tags) if self.iob else tags, strict=True))
        return [found[row] for row in range(len(sentences))]

    def _text(self, sentences: Sentences) -> Text:
        sentences = list(map(without_digits, sentences))
        forms = {form: i for i, form in enumerate(dict.fromkeys(chain(*sentences)))}
        spelt = (self.spelling(form)[:LONGEST] for form in forms)
        letters = [torch.tensor([self.letters.get(sign, 0) for sign in form]) for form in spelt]
        known = {form: [self.words.get(one, 0) for one in self.readings(form)] for form in forms}
        return Text(
            [torch.tensor([known[word] for word in words]) for words in sentences],
            [torch.tensor([forms[word] for word in words]) for words in sentences],
            pad_sequence(letters, batch_first=True),
            torch.tensor(list(map(len, letters))),
        )

    def _fit(
        self, text: Text, tags: Sentences, once: torch.Tensor, rng: np.random.Generator
    ) -> None:
        gold = [torch.tensor([self.tags.index(tag) for tag in row]) for row in tags]
        weights = [*self.network.train().parameters()]
        optimizer = torch.optim.SGD(weights, lr=RATE * BATCH)
        epochs = (batches(list(map(len, gold)), BATCH, rng) for _ in range(EPOCHS))
        for rows in islice(chain.from_iterable(epochs), STEPS):
            optimizer.zero_grad()
            self._loss(text, rows, [gold[row] for row in rows], once).backward()
            nn.utils.clip_grad_norm_(weights, CLIP)
            optimizer.step()
        if not all(map(finite, weights)):
            raise ModelError("The training diverged (its weights are no numbers any more).")

    def _loss(
        self, text: Text, rows: np.ndarray, gold: list[torch.Tensor], once: torch.Tensor
    ) -> torch.Tensor:
        words = [text.words[row] for row in rows]
        words = [some * ~(once[some] & (torch.rand(some.shape) < UNKNOWN)) for some in words]
        values, mask = self.network(words, [text.forms[row] for row in rows], text)
        crf, tags = self.network.crf, pad_sequence(gold, batch_first=True)
        return (crf.partition(values, mask) - crf.score(values, tags, mask)).mean()


def without_digits(words: Sequence[str]) -> list[str]:
    """Words with 0 for every digit."""
    return [re.sub(r"\d", "0", word) for word in words]


def iobes(tags: Sequence[str]) -> list[str]:
    """IOB tags as IOBES: an entity's last word has E, its only one S. Raises ModelError."""
    told = ["O"] * len(tags)
    for start, end, kind in entities(tags):
        inner = [f"I-{kind}"] * (end - start - 2)
        ends = [f"B-{kind}", *inner, f"E-{kind}"]
        told[start:end] = ends if end - start > 1 else [f"S-{kind}"]
    return told


def iob2(tags: Sequence[str]) -> list[str]:
    """IOBES tags as IOB2."""
    return [{"E": "I", "S": "B"}.get(tag[0], tag[0]) + tag[1:] for tag in tags]
