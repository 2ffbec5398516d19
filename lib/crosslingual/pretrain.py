"""Pre-training: a WordPiece vocabulary and a BERT by masked language modelling, on any monolingual texts.

As in BERT (Devlin et al., 2019): 15% of the pieces are predicted, 80% of these masked, 10% replaced at random, 10%
kept; languages are sampled by smoothed size. A batch is a function of the seed and the step number alone, and the
random state is reset from them at every step, so a run that was killed resumes bit for bit from its last checkpoint.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
import ctypes
import functools
from hashlib import sha256
import json
import math
from pathlib import Path
import time

import numpy as np
import torch
from tokenizers import BertWordPieceTokenizer
from tqdm.auto import tqdm
import transformers
from filelock import FileLock
from transformers import BertConfig, BertForMaskedLM, BertTokenizer

from crosslingual import editions, languages
from crosslingual.corpora import CorpusUnavailable
from crosslingual.encoders import Encoder

VERSION = 1  # bump when the same recipe and texts give another encoder
LOG = "training.jsonl"
TEXT = "text.json"  # beside the weights: lines, and word pieces in them, of each language
LIMITS = dict.fromkeys(["dropout", "warmup", "predict", "mask", "replace", "smoothing"], (0, 1)) | dict.fromkeys(
    ["learning_rate", "weight_decay", "max_grad_norm", "bf16", "seed"], (0, math.inf)) | {"max_length": (8, math.inf)}
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
BATCHES_PER_POOL = 32  # sentences are drawn for so many batches at once and grouped by length, so that hardly a token is padding


class RecipeError(ValueError):
    """A mistake in a pre-training specification (at ``key``, a path of keys), or a folder whose run has another recipe."""

    def __init__(self, problem: str, *key: str):
        super().__init__(problem)
        self.key = key


@dataclass(frozen=True)
class PretrainRecipe:
    """What determines an encoder besides its texts. ``tokens_per_batch`` counts word pieces; rates are probabilities.

    extended: the numbers of steps that the run had been planned for before it was given ``steps``, smallest first. A
        finished run goes on from there: its learning rate, fallen to zero, is again what the longer plan says.
    """

    vocabulary: int = 10_000
    hidden: int = 128
    layers: int = 6
    heads: int = 4
    intermediate: int = 256
    max_length: int = 128
    dropout: float = 0.0
    steps: int = 20_000
    extended: list = field(default_factory=list)
    tokens_per_batch: int = 4096
    learning_rate: float = 1e-3
    warmup: float = 0.05
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    predict: float = 0.15
    mask: float = 0.8
    replace: float = 0.1
    smoothing: float = 0.7
    bf16: bool = True
    seed: int = 1

    @classmethod
    def read(cls, mapping: dict) -> "PretrainRecipe":
        """From a configuration file's ``recipe:`` block; raises RecipeError naming an unknown or ill-typed entry."""
        for name, value in mapping.items():
            _check_entry(name, value, {field.name: field.type for field in fields(cls)})
        recipe = cls(**mapping)
        if recipe.hidden % recipe.heads:
            raise RecipeError(f"a hidden size of {recipe.hidden} does not divide into {recipe.heads} heads: make it a multiple",
                              "recipe", "heads" if "heads" in mapping else "hidden")
        plans = [*recipe.extended, recipe.steps]
        if not all(type(steps) is int for steps in plans) or plans != sorted({0, *plans})[1:]:
            raise RecipeError(f"'extended' lists the steps of shorter plans, smallest first and below {recipe.steps}, not "
                              f"{recipe.extended!r}", "recipe", "extended")
        return recipe


def _check_entry(name: str, value, types: dict[str, type]) -> None:
    if name not in types:
        raise RecipeError(f"unknown entry {name!r} in the pre-training recipe: choose from {', '.join(types)}", "recipe", name)
    kind, (least, most) = types[name], LIMITS.get(name, (1, math.inf))
    if type(value) is not kind and not (kind is float and type(value) is int):
        hint = " (YAML reads 1e-3 as text: write 1.0e-3)" if kind is float else ""
        raise RecipeError(f"{name!r} in the pre-training recipe must be a {kind.__name__}, not {value!r}{hint}", "recipe", name)
    if kind is not list and not least <= value <= most:
        limits = f"{least} or more" if most == math.inf else f"from {least} to {most}"
        raise RecipeError(f"{name!r} in the pre-training recipe must be {limits}, not {value!r}", "recipe", name)


def learning_rate(step: int, recipe: PretrainRecipe) -> float:
    """The rate of a step (from 0): a linear warm-up, then a linear fall to zero at the end of the plan it belongs to."""
    warmup = int(recipe.warmup * [*recipe.extended, recipe.steps][0])
    end = next(steps for steps in [*recipe.extended, recipe.steps] if step < steps)
    return recipe.learning_rate * (step / warmup if step < warmup else (end - step) / max(1, end - warmup))


def smoothed(sizes: dict[str, int], exponent: float) -> dict[str, float]:
    """Sampling probability of each language: its share of the text to the power ``exponent`` (Devlin et al.'s multilingual BERT: 0.7)."""
    powers = {language: size**exponent for language, size in sizes.items()}
    return {language: power / sum(powers.values()) for language, power in powers.items()}


def train_vocabulary(texts: dict[str, list[str]], recipe: PretrainRecipe, alphabet: str = "", lines: int = 400_000) -> list[str]:
    """The pieces of a cased WordPiece vocabulary from a smoothed sample of ``texts``; every character of ``alphabet`` is added."""
    shares = smoothed({language: len(text) for language, text in texts.items()}, recipe.smoothing)
    sample = (line for language, text in sorted(texts.items()) for line in text[:max(1, int(lines * shares[language]))])
    sample = list(sample)
    trainer = BertWordPieceTokenizer(lowercase=False, strip_accents=False)
    # Left to itself the trainer numbers these in the order of a random hash, and breaks ties between pieces by number.
    numbered = SPECIAL + ["##" + character for character in _inner_characters(sample, trainer)]
    trainer.train_from_iterator(sample, vocab_size=recipe.vocabulary, special_tokens=numbered, limit_alphabet=10_000, show_progress=False)
    vocabulary = trainer.get_vocab()
    singles = [piece for character in sorted(set(alphabet) - {" "}) for piece in (character, "##" + character)]
    return sorted(vocabulary, key=vocabulary.get) + [single for single in singles if single not in vocabulary]


def _inner_characters(lines: list[str], trainer: BertWordPieceTokenizer) -> list[str]:
    """The characters that stand inside or at the end of a word, sorted."""
    words = {word for line in lines for word in line.split()}
    parts = (part for word in words for part, _ in trainer.pre_tokenizer.pre_tokenize_str(trainer.normalizer.normalize_str(word)))
    return sorted({character for part in parts for character in part[1:]})


def tokenizer_of(pieces: list[str], max_length: int) -> BertTokenizer:
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    return BertTokenizer(vocab=vocabulary, do_lower_case=False, strip_accents=False, tokenize_chinese_chars=True, model_max_length=max_length)


class Texts:
    """Encoded lines of all languages, flat: line i is ``pieces[start[i]:start[i + 1]]``, at most max_length - 2 pieces long."""

    def __init__(self, texts: dict[str, list[str]], tokenizer, recipe: PretrainRecipe):
        self.recipe, self.tokenizer = recipe, tokenizer
        self.first, lengths, pieces = {}, [], []
        for language, lines in sorted(texts.items()):
            first = len(lengths)
            for batch in range(0, len(lines), 10_000):
                encoded = tokenizer(lines[batch:batch + 10_000], add_special_tokens=False, return_attention_mask=False)["input_ids"]
                encoded = [ids[:recipe.max_length - 2] for ids in encoded if ids]
                lengths.extend(map(len, encoded))
                pieces.append(np.fromiter((i for ids in encoded for i in ids), dtype=np.int32))
            self.first[language] = first, len(lengths) - first
        self.pieces, self.lengths = np.concatenate(pieces), np.array(lengths)
        self.start = np.concatenate([[0], np.cumsum(self.lengths)])
        self.shares = smoothed({language: count for language, (_, count) in self.first.items()}, recipe.smoothing)

    def sizes(self) -> dict[str, dict[str, int]]:
        """Lines of each language, and the word pieces in them."""
        return {language: {"lines": count, "pieces": int(self.lengths[first:first + count].sum())}
                for language, (first, count) in self.first.items()}

    def pool(self, number: int) -> list[np.ndarray]:
        """Pool ``number``: 32 batches of line numbers of like length, in random order; a function of the seed and the number."""
        rng = np.random.default_rng([self.recipe.seed, number])
        wanted = BATCHES_PER_POOL * self.recipe.tokens_per_batch
        lines = self._draw(rng, int(wanted / (self.lengths.mean() + 2)) + 1)
        lines = lines[np.argsort(self.lengths[lines], kind="stable")]
        ends = np.cumsum(self.lengths[lines] + 2)
        batches = np.split(lines, np.searchsorted(ends, np.linspace(0, ends[-1], BATCHES_PER_POOL + 1)[1:-1]))
        return [batches[i] for i in rng.permutation(BATCHES_PER_POOL)]

    def _draw(self, rng, count):
        languages = list(self.first)
        which = rng.choice(len(languages), count, p=[self.shares[language] for language in languages])
        first, size = np.array([self.first[language] for language in languages]).T
        return first[which] + (rng.random(count) * size[which]).astype(int)

    def batch(self, lines: np.ndarray) -> torch.Tensor:
        """[CLS] pieces [SEP], padded: int64 of shape (lines, longest + 2)."""
        rows = np.full((len(lines), self.lengths[lines].max() + 2), self.tokenizer.pad_token_id)
        rows[:, 0] = self.tokenizer.cls_token_id
        for row, line in zip(rows, lines):
            length = self.lengths[line]
            row[1:length + 1] = self.pieces[self.start[line]:self.start[line] + length]
            row[length + 1] = self.tokenizer.sep_token_id
        return torch.from_numpy(rows)


def mask_pieces(ids: torch.Tensor, recipe: PretrainRecipe, tokenizer, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """BERT's corruption of a batch: (corrupted ids, boolean positions to predict), both of ``ids``' shape.

    Special tokens are never chosen; of the chosen pieces a share ``mask`` becomes [MASK], ``replace`` a random piece.
    """
    special = torch.isin(ids, torch.tensor(tokenizer.all_special_ids))
    chosen = (torch.rand(ids.shape, generator=generator) < recipe.predict) & ~special
    if not chosen.any():
        chosen[0, 1] = True  # a batch without a prediction has no loss; no line is empty, so this is a piece
    roll = torch.rand(ids.shape, generator=generator)
    random_pieces = torch.randint(len(SPECIAL), len(tokenizer), ids.shape, generator=generator)
    corrupted = torch.where(chosen & (roll < recipe.mask), tokenizer.mask_token_id, ids)
    corrupted = torch.where(chosen & (roll >= recipe.mask) & (roll < recipe.mask + recipe.replace), random_pieces, corrupted)
    return corrupted, chosen


def masked_loss(model: BertForMaskedLM, ids: torch.Tensor, corrupted: torch.Tensor, chosen: torch.Tensor, pad: int) -> torch.Tensor:
    """Mean cross-entropy at the chosen positions; the vocabulary's logits are computed there only."""
    padded = (ids == pad).any()
    hidden = model.bert(input_ids=corrupted, attention_mask=(ids != pad).long() if padded else None).last_hidden_state
    return torch.nn.functional.cross_entropy(model.cls(hidden[chosen]).float(), ids[chosen])


def choose_device(device: str | None) -> str:
    """``device``, or the best there is; raises RecipeError for one that is not there."""
    known = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    if device and device not in known:
        raise RecipeError(f"there is no device {device!r} here: choose {' or '.join(known)}")
    return device or known[-1]


class Trainer:
    """One pre-training run in ``folder``: vocabulary, checkpoint, log, and at the end the encoder itself."""

    def __init__(self, texts: dict[str, list[str]], recipe: PretrainRecipe, folder: Path, alphabet: str = "", device: str | None = None):
        self.recipe, self.folder = recipe, Path(folder)
        self.device = choose_device(device)
        self.run = self.folder / "run"
        self.run.mkdir(parents=True, exist_ok=True)
        self._check_recipe(texts, alphabet)
        self.tokenizer = tokenizer_of(self._vocabulary(texts, alphabet), recipe.max_length)
        self.texts = Texts(texts, self.tokenizer, recipe)
        self.model = self._new_model()
        self.optimizer = torch.optim.AdamW(self._parameter_groups(), lr=recipe.learning_rate, betas=(0.9, 0.98), eps=1e-6, fused=True)
        self.step = self.tokens = 0
        self.unlogged: list[float] = []  # losses of the steps since the last entry of the log
        self._resume()

    def _check_recipe(self, texts, alphabet):
        """A run is resumed with its own recipe, or an extension of it, and its own texts, or not at all."""
        path = self.run / "recipe.json"
        content = sha256("\n".join([alphabet, *(line for language in sorted(texts) for line in texts[language])]).encode()).hexdigest()
        sizes = {language: len(texts[language]) for language in sorted(texts)}
        mine = asdict(self.recipe) | {"version": VERSION, "texts": content, "lines": sizes}
        theirs = json.loads(path.read_text()) if path.exists() else {}
        if theirs.get("steps") in self.recipe.extended:
            earlier = self.recipe.extended[:self.recipe.extended.index(theirs["steps"])]
            theirs |= {"steps": self.recipe.steps, "extended": self.recipe.extended} if theirs.get("extended", []) == earlier else {}
        if mine | theirs != mine:
            raise RecipeError(f"{self.run} holds a run with another recipe or other texts: finish that one, give its steps under 'extended' to go on "
                              "from its end, or remove the folder to start anew")
        write_atomically(path, json.dumps(mine, indent=1).encode())

    def _vocabulary(self, texts, alphabet):
        path = self.run / "vocab.txt"
        if not path.exists():
            write_atomically(path, "\n".join(train_vocabulary(texts, self.recipe, alphabet)).encode())
        return path.read_text(encoding="utf-8").split("\n")

    def _new_model(self):
        r = self.recipe
        torch.manual_seed(r.seed)
        # Eager attention: at these lengths the fused CPU kernel is slower, in bf16 ten times so.
        config = BertConfig(vocab_size=len(self.tokenizer), hidden_size=r.hidden, num_hidden_layers=r.layers, num_attention_heads=r.heads,
                            intermediate_size=r.intermediate, max_position_embeddings=r.max_length, hidden_dropout_prob=r.dropout,
                            attention_probs_dropout_prob=r.dropout, pad_token_id=self.tokenizer.pad_token_id,
                            attn_implementation="eager" if self.device == "cpu" else "sdpa")
        return BertForMaskedLM(config).to(self.device).train()

    def _parameter_groups(self):
        """As in BERT, biases and layer norms are not decayed."""
        decayed = [p for name, p in self.model.named_parameters() if p.dim() > 1]
        others = [p for name, p in self.model.named_parameters() if p.dim() <= 1]
        return [{"params": decayed, "weight_decay": self.recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]

    # ---- checkpoints ----------------------------------------------------------------------------------------

    def _resume(self):
        path = self.run / "checkpoint.pt"
        if path.exists():
            state = torch.load(path, weights_only=True, map_location=self.device)
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.tokens, self.unlogged = state["step"], state["tokens"], state.get("unlogged", [])
        kept = [entry for entry in read_log(self.folder) if entry["step"] <= self.step]
        write_atomically(self.folder / LOG, "".join(json.dumps(entry) + "\n" for entry in kept).encode())

    def checkpoint(self):
        path = self.run / "checkpoint.pt"
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step, "tokens": self.tokens, "unlogged": self.unlogged}
        torch.save(state, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)

    # ---- training -------------------------------------------------------------------------------------------

    def steps(self) -> Iterator[dict]:
        """Train to the end of the recipe; yields a log entry (step, loss, tokens, seconds) after every step."""
        keep_freed_memory()
        while self.step < self.recipe.steps:
            pool, within = divmod(self.step, BATCHES_PER_POOL)
            for lines in self.texts.pool(pool)[within:]:
                if self.step == self.recipe.steps:
                    return
                started = time.perf_counter()
                loss, tokens = self._train_on(self.texts.batch(lines))
                self.step, self.tokens = self.step + 1, self.tokens + tokens
                self.unlogged.append(loss)
                yield {"step": self.step, "loss": loss, "tokens": self.tokens, "seconds": time.perf_counter() - started}

    def _train_on(self, ids):
        generator = torch.Generator().manual_seed(self.recipe.seed * 1_000_003 + self.step)
        torch.manual_seed(self.recipe.seed * 1_000_003 + self.step)  # dropout
        corrupted, chosen = mask_pieces(ids, self.recipe, self.tokenizer, generator)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.recipe.bf16):
            loss = masked_loss(self.model, *(x.to(self.device) for x in (ids, corrupted, chosen)), self.tokenizer.pad_token_id)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.max_grad_norm)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.step, self.recipe)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss.item(), int((ids != self.tokenizer.pad_token_id).sum())

    def save(self, folder: Path | None = None):
        """Write the encoder as it now is: safetensors, configuration and tokenizer, loadable by the Auto classes."""
        self.model.save_pretrained(folder or self.folder)
        self.tokenizer.save_pretrained(folder or self.folder)


def pretrain(texts: dict[str, list[str]], recipe: PretrainRecipe, folder: Path, alphabet: str = "", device: str | None = None,
             save_every: int = 500, snapshots: tuple[int, ...] = ()) -> Trainer:
    """Train (or go on training) the encoder of ``folder``, with a progress bar, a checkpoint every ``save_every`` steps, a log
    (``training.jsonl``, one line every 50 steps) and copies of the encoder at the steps in ``snapshots``."""
    trainer = Trainer(texts, recipe, folder, alphabet, device)
    tokens, seconds = trainer.tokens, 0.0
    if trainer.step in snapshots:  # the end of a shorter plan
        trainer.save(trainer.run / f"step-{trainer.step}")
    with tqdm(total=recipe.steps, initial=trainer.step, desc=f"pre-training {Path(folder).name}", unit="step", mininterval=5) as bar:
        for entry in trainer.steps():
            seconds += entry["seconds"]
            bar.update()
            if trainer.step % 50 == 0 or trainer.step == recipe.steps:
                line = {"step": trainer.step, "loss": sum(trainer.unlogged) / len(trainer.unlogged), "tokens": trainer.tokens,
                        "tokens_per_second": round((trainer.tokens - tokens) / seconds)}
                _append(trainer.folder / LOG, line)
                bar.set_postfix(loss=f"{line['loss']:.3f}", tokens_per_s=line["tokens_per_second"])
                trainer.unlogged, tokens, seconds = [], trainer.tokens, 0.0
            if trainer.step in snapshots:
                trainer.save(trainer.run / f"step-{trainer.step}")
            if trainer.step % save_every == 0:
                trainer.checkpoint()
    trainer.checkpoint()
    trainer.save()
    return trainer


SPECIFICATION = {"languages": list, "sentences": int, "alphabet": bool, "snapshots": list, "about": str, "recipe": dict}


def read_specification(mapping: dict) -> tuple[dict, PretrainRecipe]:
    """Split a specification into its text keys (languages, sentences a language, alphabet, snapshots) and its recipe;
    ``about`` is a paragraph for the model card: where the text is from, under which licences.

    ``alphabet: true`` adds the single characters of all of the edition's languages to the vocabulary, as the vocabulary
    of the English BERT has them. Raises RecipeError naming an ill-typed or unknown key.
    """
    for key, value in mapping.items():
        if key not in SPECIFICATION:
            raise RecipeError(f"unknown key {key!r} in the pre-training specification: choose from {', '.join(SPECIFICATION)}", key)
        if type(value) is not SPECIFICATION[key]:
            raise RecipeError(f"{key!r} in the pre-training specification must be a {SPECIFICATION[key].__name__}, not {value!r}", key)
    _check_texts(mapping)
    return {key: value for key, value in mapping.items() if key != "recipe"}, PretrainRecipe.read(mapping.get("recipe", {}))


def _check_texts(mapping: dict) -> None:
    if mapping.get("languages") == []:
        raise RecipeError("'languages' in the pre-training specification is empty: name some, or leave it out for all", "languages")
    for code in mapping.get("languages", []):
        if code not in languages.table().index:
            raise RecipeError(f"unknown language {code!r}: choose from {' '.join(languages.table().index)}", "languages")
    if mapping.get("sentences", 1) < 1:
        raise RecipeError("'sentences' in the pre-training specification must be 1 or more", "sentences")
    if any(type(step) is not int for step in mapping.get("snapshots", [])):
        raise RecipeError("'snapshots' in the pre-training specification is a list of step numbers", "snapshots")


def pretrain_for(edition, mapping: dict, folder: Path, device: str | None = None) -> Trainer:
    """Pre-train by a specification on the text of ``edition``'s source, evaluation text left out."""
    wanted, recipe = read_specification(mapping)
    device = choose_device(device)  # before text is drawn, which takes minutes
    codes = wanted.get("languages", list(languages.table().index))
    draw = functools.partial(edition.source.text, pairs=edition.pairs)
    texts = {code: draw(code, wanted.get("sentences", 40_000)) for code in tqdm(codes, desc="text", unit="language")}
    alphabet = _alphabet(draw) if wanted.get("alphabet") else ""
    trainer = pretrain(texts, recipe, folder, alphabet, device, snapshots=tuple(wanted.get("snapshots", ())))
    write_atomically(Path(folder) / TEXT, json.dumps(trainer.texts.sizes(), indent=1).encode())
    write_atomically(Path(folder) / "README.md", model_card(edition, texts, trainer, wanted.get("about", "")).encode())
    return trainer


def _alphabet(draw) -> str:
    """The characters of 500 lines of each of the paper's languages, where the source has text in it."""
    characters = set()
    for code in languages.table().index:
        try:
            characters.update(*draw(code, 500))
        except CorpusUnavailable:
            continue
    return "".join(sorted(characters))


def cached_encoder(name: str, mapping: dict, edition) -> Encoder:
    """The encoder of an edition's ``pretrain:`` entry: from the cache, or pre-trained now and kept there."""
    wanted, recipe = read_specification(mapping)
    codes = wanted.get("languages", list(languages.table().index))
    texts = [edition.source.text_fingerprint(code) for code in codes]
    identity = [VERSION, wanted, asdict(recipe), texts, edition.pairs]
    folder = editions.cache_folder() / "encoders" / sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):  # two processes would train two, and overwrite one with the other
        if not (folder / "README.md").exists():  # the last file to be written
            pretrain_for(edition, mapping, folder)
    return Encoder(name, str(folder))


def model_card(edition, texts: dict[str, list[str]], trainer: Trainer, about: str) -> str:
    """What the encoder is, what it was trained on and how: the README beside the weights."""
    log = read_log(trainer.folder)
    lines, kind = sum(map(len, texts.values())), "artificial languages" if edition.artificial else "real text"
    hygiene = ("no parallel, code-switched, transliterated or evaluation text" if edition.artificial
               else "the data folder's owner answers for keeping evaluation text out")
    return "\n".join([
        f"# {trainer.folder.name}", "",
        f"A BERT pre-trained by `crosslingual pretrain` on {kind}, for `How multilingual is Multilingual BERT?` as a Jupyter Book.", "",
        f"- parameters, with the layers that guess hidden pieces: {sum(p.numel() for p in trainer.model.parameters()):,}; vocabulary: {len(trainer.tokenizer):,} word pieces",
        f"- text: {lines:,} lines of the edition `{edition.name}` in {len(texts)} languages ({' '.join(texts)}); each language's lines were "
        f"drawn independently; {hygiene}",
        f"- seen: {trainer.tokens:,} word pieces in {trainer.step:,} steps; masked-word loss at the end: {log[-1]['loss']:.3f}",
        f"- recipe: `{json.dumps(asdict(trainer.recipe))}`",
        f"- software: torch {torch.__version__}, transformers {transformers.__version__}; device: {trainer.device}",
        "- licence: as the project's", *(["", about] if about else []), ""])


def keep_freed_memory():
    """Tell glibc to keep freed blocks: handing big buffers back to the system every step costs a third of the time."""
    try:
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD
    except OSError:
        pass  # not glibc


def write_atomically(path: Path, content: bytes):
    temporary = path.with_name(path.name + ".new")
    temporary.write_bytes(content)
    temporary.replace(path)


def read_log(folder: Path) -> list[dict]:
    """The training log beside an encoder: step, loss, tokens and tokens_per_second, one entry every 50 steps."""
    path = Path(folder) / LOG
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def _append(path: Path, entry: dict):
    with path.open("a", encoding="utf-8") as log:
        log.write(json.dumps(entry) + "\n")
