"""The BiLSTM-CRF: its CRF against every tagging there is, what it learns, its tags."""

from itertools import pairwise, product

import pytest
import torch
from crosslingual.models import ModelError, bilstm_crf
from crosslingual.models.bilstm_crf import CRF, BiLSTM, BiLSTMCRF


@pytest.fixture
def crf():
    torch.manual_seed(0)
    layer = CRF(3).double()
    for weights in layer.parameters():
        torch.nn.init.normal_(weights)
    return layer


VALUES = torch.randn(3, 4, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
LENGTHS = [4, 2, 1]
MASK = torch.arange(4) < torch.tensor(LENGTHS)[:, None]


def by_hand(crf, values, path):
    """The score of one tagging of one sentence, summed up number by number."""
    total = (
        crf.start[path[0]] + crf.end[path[-1]] + sum(values[i, tag] for i, tag in enumerate(path))
    )
    return total + sum(crf.steps[a, b] for a, b in pairwise(path))


def test_the_crf_agrees_with_all_taggings_one_by_one(crf):
    partition, best = crf.partition(VALUES, MASK), crf.decode(VALUES, MASK)
    for row, length in enumerate(LENGTHS):
        paths = list(product(range(3), repeat=length))
        scores = torch.stack([by_hand(crf, VALUES[row], path) for path in paths])
        assert partition[row].item() == pytest.approx(scores.logsumexp(0).item())
        assert tuple(best[row]) == paths[int(scores.argmax())]
        for path, expected in zip(paths, scores, strict=True):
            tags = torch.tensor([[*path, *[0] * (4 - length)]])  # padded with a tag, not its score
            found = crf.score(VALUES[row : row + 1], tags, MASK[row : row + 1])
            assert found.item() == pytest.approx(expected.item())


def test_gradients_are_those_of_finite_differences_and_padding_has_none(crf):
    tags = torch.tensor([[0, 2, 1, 1], [1, 2, 0, 0], [2, 0, 0, 0]])
    values = VALUES.clone().requires_grad_()

    def likelihood(values, *_):
        return crf.score(values, tags, MASK) - crf.partition(values, MASK)

    assert torch.autograd.gradcheck(likelihood, (values, *crf.parameters()))
    likelihood(values).sum().backward()
    assert (values.grad[~MASK] == 0).all() and (values.grad[MASK] != 0).all()


def test_both_lstms_are_torchs_own_on_each_sequence_alone():
    torch.manual_seed(0)
    ours, vectors = BiLSTM(3, 5), torch.randn(3, 4, 3)
    theirs = torch.nn.LSTM(3, 5, bidirectional=True, batch_first=True)
    for name, weights in ours.forth.named_parameters():
        getattr(theirs, name).data = weights.data
        getattr(theirs, f"{name}_reverse").data = getattr(ours.back, name).data
    found = torch.cat(ours(vectors, torch.tensor(LENGTHS)), 2)
    for row, length in enumerate(LENGTHS):
        alone = theirs(vectors[row : row + 1, :length])[0][0]
        assert torch.allclose(found[row, :length], alone, atol=1e-6)


def test_iobes_there_and_back():
    tags = ["B-PER", "I-PER", "I-PER", "O", "B-LOC", "B-LOC", "I-LOC", "O"]
    marked = ["B-PER", "I-PER", "E-PER", "O", "S-LOC", "B-LOC", "E-LOC", "O"]
    assert bilstm_crf.iobes(tags) == marked and bilstm_crf.iob2(marked) == tags
    assert bilstm_crf.iobes(["I-PER", "I-LOC"]) == ["S-PER", "S-LOC"]  # IOB1
    with pytest.raises(ModelError, match="PER"):
        bilstm_crf.iobes(["PER"])


NAMES = {"Ann": "B-PER", "Bob": "B-PER", "Rome": "B-LOC", "Oslo": "B-LOC"}
TOKENS = [
    [a, "went", "to", b, "in", str(1990 + i)] for i, (a, b) in enumerate(product(NAMES, NAMES))
]
LABELS = [[NAMES.get(word, "O") for word in words] for words in TOKENS]


def test_it_learns_a_toy_and_the_same_seed_gives_the_same_tagger(monkeypatch):
    monkeypatch.setattr(bilstm_crf, "STEPS", 40)
    monkeypatch.setattr(bilstm_crf, "EPOCHS", 40)
    monkeypatch.setattr(bilstm_crf, "BATCH", 16)
    tagger = BiLSTMCRF(TOKENS, LABELS, seed=1)
    assert tagger.predict(TOKENS) == LABELS
    unseen = [["in", "Oslo", "2024"], ["Zzyzx"], ["Bob"]]  # shorter ones, letters unknown
    assert list(map(len, tagger.predict(unseen))) == [3, 1, 1]
    assert tagger.predict(unseen)[::2] == [["O", "B-LOC", "O"], ["B-PER"]]
    torch.manual_seed(5)  # nobody else's random numbers matter, nor are they moved
    before = torch.random.get_rng_state()
    again, other = (BiLSTMCRF(TOKENS, LABELS, seed) for seed in (1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    pairs = zip(tagger.network.parameters(), again.network.parameters(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)
    assert not torch.equal(tagger.network.words.weight, other.network.words.weight)


def test_what_cannot_be_learnt_is_refused(monkeypatch):
    with pytest.raises(ModelError, match="empty"):
        BiLSTMCRF([], [], 1)
    monkeypatch.setattr(bilstm_crf, "STEPS", 1)
    monkeypatch.setattr(bilstm_crf, "RATE", float("inf"))
    with pytest.raises(ModelError, match="diverged"):
        BiLSTMCRF(TOKENS, LABELS, 1)
