"""Does mE5-small carry over from Arabic once the treebank's vowel signs are taken away?

    CROSSLINGUAL_DATA=... python arabic.py

Fine-tunes it on the Arabic treebank of the edition `real`, as it is and without the signs, and tags
150 test sentences of other languages and of Arabic either way; ten minutes or two a model on one
thread.
"""

import re

import torch
from crosslingual.corpora import UPOS
from crosslingual.edition import Edition
from crosslingual.models import score
from crosslingual.models.finetune import finetune

SIGNS = re.compile("[\u064b-\u0652\u0670\u0640]")  # vowels, doubling, none; long a; stretching
OTHERS = ["en", "de", "es", "fa", "ur", "he", "hi", "ru", "tr", "zh", "id", "fr"]


def bare(sentences):
    return [[SIGNS.sub("", word) or word for word in sentence] for sentence in sentences]


torch.set_num_threads(1)
edition = Edition.load("real")
tokens, labels = edition.corpus("pos", "ar", "train")[:].values()
tests = {code: edition.corpus("pos", code, "test")[:150].values() for code in [*OTHERS, "ar"]}
tests["ar, bare"] = bare([*tests["ar"]][0]), [*tests["ar"]][1]
for way, text in {"as it is": tokens, "bare": bare(tokens)}.items():
    given = edition.encoder("m-bert"), text, labels, UPOS, edition.recipe("pos")
    tagger = finetune(*given, seed=1)
    for code, (words, gold) in tests.items():
        right = score.percent(score.count("pos", gold, tagger.predict(words)))
        print(f"fine-tuned on Arabic {way}, tested on {code}: {right:.1f}%", flush=True)
