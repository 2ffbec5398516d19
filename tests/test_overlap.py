from types import SimpleNamespace

import pytest
from crosslingual import overlap
from crosslingual.corpora import CorpusUnavailable, digest
from crosslingual.store import Store
from datasets import Dataset
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

VOCABULARY = "[PAD] [UNK] [CLS] [SEP] [MASK] anna ##bel ber ##lin in rom paris".split()


@pytest.fixture
def tokenizer():
    vocabulary = {piece: index for index, piece in enumerate(VOCABULARY)}
    backend = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.Lowercase()
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    special = {f"{name.lower()}_token": f"[{name}]" for name in ["PAD", "UNK", "CLS", "SEP", "MASK"]}
    return PreTrainedTokenizerFast(tokenizer_object=backend, **special)


def corpus(*sentences):
    rows = [[pair.rsplit("/", 1) for pair in sentence.split()] for sentence in sentences]
    return Dataset.from_dict({"tokens": [[word for word, _ in row] for row in rows],
                              "labels": [[label for _, label in row] for row in rows]})  # fmt: skip


GERMAN = corpus("Anna/B-PER Berlin/I-PER in/O Berlin/B-LOC", "in/O Rom/B-LOC Paris/B-LOC")
RUSSIAN = corpus("Анна/B-PER in/O Rom/B-LOC")


class FakeEdition:
    def __init__(self, tokenizer, **corpora):
        self.corpora, self.tokenizer = corpora, tokenizer

    def encoder(self, name):
        return SimpleNamespace(tokenizer=self.tokenizer)

    def encoder_digest(self, name):
        return name

    def corpus_digest(self, task, language, split):
        return digest(self.corpus(task, language, split))

    def corpus(self, task, language, split):
        if language not in self.corpora:
            raise CorpusUnavailable(f"{language} is not here: fetch it")
        return self.corpora[language]


def test_entities_are_whole_mentions_in_text_order():
    assert overlap.named_entities(GERMAN) == [("Anna", "Berlin"), ("Berlin",), ("Rom",), ("Paris",)]


def test_pieces_come_from_entities_only_and_leave_out_unknowns(tokenizer):
    assert overlap.pieces(overlap.named_entities(GERMAN), tokenizer).types == {"anna", "ber", "##lin", "rom", "paris"}
    russian = overlap.pieces(overlap.named_entities(RUSSIAN), tokenizer)
    assert russian == ({"rom"}, 0.5, 2)


def test_jaccard_by_hand():
    assert overlap.jaccard({"a", "b", "c"}, {"b", "c", "d"}) == 0.5
    assert overlap.jaccard({"a"}, set()) == overlap.jaccard(set(), set()) == 0


def test_matrix_has_every_ordered_pair_but_the_diagonal(tokenizer, tmp_path):
    frame = overlap.matrix(FakeEdition(tokenizer, de=GERMAN, ru=RUSSIAN), "m-bert", ["de", "ru"], store=Store(tmp_path))
    assert list(zip(frame.train, frame.evaluate)) == [("de", "ru"), ("ru", "de")]
    assert list(frame.overlap) == [1 / 5, 1 / 5] and list(frame.unk_share) == [0.5, 0.5]
    assert list(frame.train_entities) == [4, 2]


def test_a_missing_corpus_is_explained_and_leaves_the_rest(tokenizer, tmp_path):
    frame = overlap.matrix(FakeEdition(tokenizer, de=GERMAN, ru=RUSSIAN), "m-bert", ["de", "xx", "ru"], store=Store(tmp_path))
    assert len(frame) == 2 and frame.attrs["unavailable"] == {"xx": "xx is not here: fetch it"}


def test_equal_numbers_of_entities_are_drawn_without_replacement_and_reproducibly(tokenizer, tmp_path):
    edition = FakeEdition(tokenizer, de=GERMAN, ru=RUSSIAN)
    size = overlap.common_size(edition, ["de", "ru"], Store(tmp_path))
    frame = overlap.matrix(edition, "m-bert", ["de", "ru"], entities=size, store=Store(tmp_path))
    assert size == 2 and set(frame.train_entities) | set(frame.evaluate_entities) == {2}
    items = [(str(i),) for i in range(20)]
    drawn = overlap.subsample(items, 10, seed=1)
    assert len(set(drawn)) == 10 and drawn == overlap.subsample(items, 10, seed=1)
    with pytest.raises(ValueError, match="cannot draw 21 entities from 20"):
        overlap.subsample(items, 21, seed=1)
