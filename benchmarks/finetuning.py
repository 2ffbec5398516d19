"""What a fine-tuned model costs, beside the usual way: ours, and transformers' Trainer in three.

    python benchmarks/finetuning.py                                   # the pocket encoder
    python benchmarks/finetuning.py --encoder FOLDER --edition real   # with CROSSLINGUAL_DATA
    python benchmarks/finetuning.py --shape 12 384 250037 --bf16      # random weights, on a GPU

All train the same encoder on the same text with the same batch size, epochs and learning rate, and
tag the same test text. They take turns, a seed each round, so that whatever else the machine does
burdens all. On a processor seconds are those of one thread's own (`time.process_time`), on a GPU
those of the clock. "Of a matmul" is 6 x weights without embeddings x word pieces, no padding among
them, a second of training, as a share of a large matrix product's, measured beside each run.
"""

import argparse
import logging
import os
import tempfile
import time
import warnings
from importlib.util import find_spec
from itertools import islice, pairwise

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
import torch
from crosslingual.models import Recipe, finetune, pieces
from crosslingual.models.encoder import Encoder
from pocketworld import World
from torch import nn

UPOS = ["ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN"]
UPOS += ["PUNCT", "SCONJ", "SYM", "VERB", "X"]
POCKET = os.path.join(os.path.dirname(__file__), "..", "encoders", "pocket-m-bert")
USUAL = {"Trainer, padded to 128": {}, "Trainer, dynamic padding": {"width": None}}
USUAL["Trainer, group_by_length"] = {"width": None, "sampling": "group_by_length"}
GPU = torch.cuda.is_available()


def main() -> None:
    given = arguments()
    torch.set_num_threads(given.threads)
    logging.disable(logging.WARNING)
    warnings.filterwarnings("ignore")
    recipe = Recipe(epochs=given.epochs, learning_rate=given.rate, bf16=given.bf16)
    train, test = texts(given.edition, given.sentences)
    with tempfile.TemporaryDirectory() as room:
        encoder = Encoder("it", untrained(room, *given.shape) if given.shape else given.encoder)
        ways = {"ours": ours} | {name: usual(**how) for name, how in USUAL.items()}
        if not find_spec("accelerate"):
            print("Without the package accelerate there is no Trainer: ours alone is measured.")
        if given.ours or not find_spec("accelerate"):
            ways = {"ours": ours}
        ours(encoder, (train[0][:32], train[1][:32]), test, recipe, 0)  # files and kernels are warm
        rows = []
        for seed in range(1, given.rounds + 1):
            for name, way in ways.items():
                speed = matmul(given.bf16)
                rows.append((name, speed, *way(encoder, train, test, recipe, seed)))
                print(f"round {seed}: {told(rows[-1])}", flush=True)
        report(rows, flops(encoder, train) * given.epochs)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", default=POCKET, help="a folder")
    parser.add_argument("--edition", default="", help="whose English text; else the pocket world's")
    parser.add_argument("--shape", type=int, nargs=3, help="layers, hidden size, embedding rows")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--ours", action="store_true", help="not the usual ways")
    for name, usually in {"sentences": 1000, "epochs": 1, "rounds": 3, "threads": 1}.items():
        parser.add_argument(f"--{name}", type=int, default=usually)
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate")
    return parser.parse_args()


def texts(edition: str, sentences: int) -> list[tuple[list, list]]:
    """(words, tags) to train on, and 300 sentences at most to tag."""
    if edition:
        from crosslingual.edition import Edition

        found = (Edition.load(edition).corpus("pos", "en", split) for split in ("train", "test"))
        return [
            (c["tokens"], c["labels"]) for c in map(lambda c, n: c[:n], found, [sentences, 300])
        ]
    drawn = list(islice(World().sentences("en", "benchmark"), sentences + 300))
    words = [[token.form for token in said] for said in drawn]
    tags = [[token.upos for token in said] for said in drawn]
    return [(words[a:b], tags[a:b]) for a, b in pairwise([0, sentences, sentences + 300])]


def untrained(folder: str, layers: int, hidden: int, rows: int) -> str:
    """The folder of a BERT of that shape with random weights and the pocket encoder's tokenizer."""
    from transformers import BertConfig, BertModel

    shape = {"num_hidden_layers": layers, "hidden_size": hidden, "vocab_size": rows}
    shape |= {"intermediate_size": 4 * hidden, "num_attention_heads": hidden // 32}
    torch.manual_seed(0)
    BertModel(BertConfig(**shape), add_pooling_layer=False).save_pretrained(folder)
    Encoder("pocket", POCKET).tokenizer.save_pretrained(folder)
    return folder


def clock() -> float:
    if GPU:
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def ours(encoder, train, test, recipe, seed) -> tuple[float, float, float]:
    """Seconds of training and of tagging, and the percentage of words tagged right."""
    encoded = pieces.encode(encoder.tokenizer, test[0], 128)
    started = clock()
    tagger = finetune.finetune(encoder, *train, UPOS, recipe, seed)
    trained = clock()
    found = tagger.tag(encoded)
    took = trained - started, clock() - trained
    return *took, 100 * float((found == finetune.label_indices(test[1], UPOS)).mean())


def usual(width: int | None = 128, sampling: str = "random"):
    """The same by `transformers.Trainer`, padded to `width` or to a batch's longest row."""

    def run(encoder, train, test, recipe, seed) -> tuple[float, float, float]:
        import transformers as hf

        sets = [examples(encoder, *side) for side in (train, test)]
        padding = {"padding": "max_length", "max_length": width} if width else {}
        collate = hf.DataCollatorForTokenClassification(encoder.tokenizer, **padding)
        started = clock()
        network = hf.AutoModelForTokenClassification.from_pretrained(
            encoder.folder, num_labels=len(UPOS), classifier_dropout=recipe.dropout
        )
        with tempfile.TemporaryDirectory() as room:
            given = hf.TrainingArguments(room, seed=seed, **asked(recipe, sampling))
            trainer = hf.Trainer(network, given, collate, train_dataset=sets[0])
            trainer.remove_callback(hf.PrinterCallback)
            trainer.train()
            trained = clock()
            found = trainer.predict(sets[1])
        took = trained - started, clock() - trained
        gold = found.label_ids
        return *took, 100 * float((found.predictions.argmax(-1) == gold)[gold >= 0].mean())

    return run


def asked(recipe: Recipe, sampling: str) -> dict:
    """A recipe in the words of `TrainingArguments`."""
    silent = {"report_to": "none", "save_strategy": "no", "disable_tqdm": True}
    silent |= {"logging_strategy": "no", "dataloader_pin_memory": GPU, "log_level": "error"}
    return silent | {
        "per_device_train_batch_size": recipe.batch_size,
        "per_device_eval_batch_size": recipe.batch_size,
        "num_train_epochs": recipe.epochs,
        "learning_rate": recipe.learning_rate,
        "warmup_steps": recipe.warmup,  # below 1, a share of the steps
        "train_sampling_strategy": sampling,
        "bf16": recipe.bf16,
    }


def examples(encoder: Encoder, words: list, tags: list) -> list[dict]:
    """Rows of ids with a label at each word's piece, and -100 elsewhere."""
    encoded = pieces.encode(encoder.tokenizer, words, 128)
    labels = [[-100] * len(row) for row in encoded.rows]
    indices = finetune.label_indices(tags, UPOS).tolist()
    for row, place, label in zip(encoded.row, encoded.position, indices, strict=True):
        labels[row][place] = label
    pairs = zip(encoded.rows, labels, strict=True)
    return [{"input_ids": ids, "attention_mask": [1] * len(ids), "labels": y} for ids, y in pairs]


def matmul(bf16: bool) -> float:
    """Floating-point operations a second of a large matrix product, the best of a few."""
    size = 8192 if GPU else 1024
    one = torch.randn(size, size, device="cuda" if GPU else "cpu")
    one, best = one.bfloat16() if bf16 else one, float("inf")
    for _ in range(6):
        started = clock()
        one @ one
        best = min(best, clock() - started)
    return 2 * size**3 / best


def flops(encoder: Encoder, train: tuple[list, list]) -> float:
    """Useful operations of an epoch: forward once, backward twice; attention itself not counted."""
    model, rows = encoder.model(), pieces.encode(encoder.tokenizer, train[0], 128).rows
    layers = [one for one in model.modules() if isinstance(one, nn.Linear)]
    return 6.0 * sum(one.weight.numel() for one in layers) * sum(map(len, rows))


def told(row: tuple) -> str:
    name, speed, training, tagging, score = row
    right = f"{score:.1f}% right; a matmul at {speed / 1e9:.0f} GFLOP/s"
    return f"{name}: training {training:.2f} s, tagging {tagging:.2f} s, {right}"


def report(rows: list[tuple], work: float) -> None:
    names = list(dict.fromkeys(row[0] for row in rows))
    columns = {name: np.array([row[1:] for row in rows if row[0] == name]) for name in names}
    where = torch.cuda.get_device_name() if GPU else f"{torch.get_num_threads()} thread(s)"
    print(f"\nMedians on {where}, {'clock' if GPU else 'processor'} seconds:")
    own = columns["ours"]
    for name, found in columns.items():
        train, tag, score = np.median(found[:, 1:], axis=0)
        share = np.median(work / found[:, 1] / found[:, 0])
        ratios = [np.median(found[:, i] / own[:, i]) for i in (1, 2)]
        print(
            f"{name:26} training {train:7.2f} s ({ratios[0]:.1f}x)  tagging {tag:6.2f} s "
            f"({ratios[1]:.1f}x)  {share:4.0%} of a matmul  {score:.1f}% right"
        )
    if len(own) == 1:
        print("One round has no spread of seeds that scores could be held against.")
        return
    for name in names[1:]:
        apart = abs(columns[name][:, 3].mean() - own[:, 3].mean())
        spread = 2 * np.hypot(columns[name][:, 3].std(ddof=1), own[:, 3].std(ddof=1))
        verdict = "within" if apart <= spread else "BEYOND"
        print(f"{name}: {apart:.2f} points from ours, {verdict} the spread of seeds ({spread:.2f})")


if __name__ == "__main__":
    main()
