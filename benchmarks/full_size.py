"""Fine-tune an encoder of M-BERT's full size with random weights for a few steps: memory and word pieces a second.

    python benchmarks/full_size.py [--steps 3] [--threads 1] [--record book/recorded/paper]

Speed and memory depend on the architecture, not on what the weights are, so nothing needs to be downloaded. Uses a GPU if
there is one. The first step is left out of the mean, as it pays for allocations.
"""

import argparse
import time

import torch
from transformers import BertConfig, BertModel, BertTokenizerFast

from crosslingual import finetune, tokenisation, transfer
from crosslingual.corpora import labelled_corpus
from crosslingual.store import Store

PIECES, SPECIAL = 119_547, ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROWS, LENGTH = 32, 128  # the paper's appendix A
KIND, VERSION = tokenisation.FULL_SIZE, 1


class RandomMBert:
    """Stands for ``encoders.Encoder``: the shape and a vocabulary of the size of M-BERT's, no knowledge."""

    words = [f"w{number}" for number in range(PIECES - len(SPECIAL))]
    tokenizer = BertTokenizerFast(vocab={piece: i for i, piece in enumerate([*SPECIAL, *words])}, do_lower_case=False)

    def model(self) -> BertModel:
        torch.manual_seed(0)
        return BertModel(BertConfig(vocab_size=PIECES)).eval()


def rows(number: int) -> list[list[str]]:
    """Sentences that fill a row each, of words that are one piece each."""
    picks = torch.randint(len(RandomMBert.words), (number, LENGTH - 2), generator=torch.Generator().manual_seed(0))
    return [[RandomMBert.words[index] for index in row] for row in picks.tolist()]


def clock() -> float:
    """Seconds: on a GPU of the wall clock, else of processor time a thread, as other programs may be at work beside."""
    return time.perf_counter() if torch.cuda.is_available() else time.process_time() / torch.get_num_threads()


def measure(steps: int) -> dict:
    """Seconds a step, word pieces a second in training and in tagging, and the peak of memory in bytes."""
    sentences, ticks = rows(ROWS * steps), [clock()]
    corpus = labelled_corpus(sentences, [["NOUN"] * len(sentence) for sentence in sentences])
    recipe = finetune.Recipe(epochs=1)
    tagger = finetune.finetune(RandomMBert(), corpus, transfer.UPOS, recipe, seed=1,
                               progress=lambda step, of, loss: ticks.append(_tick(step, of, loss, ticks[-1])))  # fmt: skip
    seconds = [later - earlier for earlier, later in zip(ticks[1:], ticks[2:], strict=False)]
    started = clock()
    tagger.predict(sentences[:ROWS])
    return {
        "parameters": sum(weights.numel() for weights in tagger.network.encoder.parameters()),
        "seconds": seconds, "training": ROWS * LENGTH * len(seconds) / sum(seconds),
        "tagging": ROWS * LENGTH / (clock() - started), "memory": transfer.peak_memory(),
    }  # fmt: skip


def _tick(step: int, of: int, loss: float, last: float) -> float:
    now = clock()
    print(f"step {step} of {of}: {now - last:.1f} s, loss {loss:.2f}", flush=True)
    return now


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--steps", type=int, default=3)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--record", help="folder of a store to keep the result in")
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    found = measure(chosen.steps)
    print(f"{found['parameters']:,} parameters on {transfer.device()}: {found['training']:,.0f} word pieces a second in "
          f"training, {found['tagging']:,.0f} in tagging, {found['memory'] / 2**30:.1f} GiB at the peak")
    if chosen.record:
        parts = {"version": VERSION, "device": transfer.device(), "rows": ROWS, "length": LENGTH, "steps": chosen.steps}
        Store(chosen.record).put(KIND, parts, found)


if __name__ == "__main__":
    main()
