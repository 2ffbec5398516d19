"""Every number the paper prints, and a few that later work printed beside them.

Tables are frames: rows are fine-tuning languages, columns evaluation languages (UD codes), values in percent.
``attrs`` of each: ``caption``, ``section``, ``metric``, ``task``, ``encoder`` (None where systems are rows).
The figures' points are printed nowhere, so there is no frame for them.
"""

import pandas as pd

SOURCE = "pires-etal-2019-multilingual"


def _table(
    caption: str, section: str, metric: str, task: str, encoder: str | None, columns: str, rows: dict
) -> pd.DataFrame:
    """A frame from rows of numbers; ``columns`` are the column labels, parted by spaces."""
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns.split(), dtype=float)
    frame.index.name, frame.columns.name = "train", "evaluate"
    frame.attrs = dict(
        caption=caption, section=section, metric=metric, task=task, encoder=encoder, source=SOURCE
    )
    return frame


def _macro_average(caption: str, rows: dict[str, list[float]]) -> pd.DataFrame:
    return _table(caption, "4", "macro-averaged accuracy", "pos", "m-bert", " ".join(rows), rows)


# Appendix A. Weight decay, clipping of gradients and numerical precision are not mentioned there.
APPENDIX_A = dict(batch_size=32, max_length=128, epochs=3, learning_rate=3e-5, warmup=0.1, dropout=0.1)

TABLE_1 = _table(
    "NER F1 on the languages of the CoNLL data, M-BERT (the paper's Table 1)", "2", "F1", "ner", "m-bert", "en de nl es",
    {"en": [90.70, 69.74, 77.36, 73.59],
     "de": [73.83, 82.00, 76.25, 70.03],
     "nl": [65.46, 65.68, 89.86, 72.10],
     "es": [65.38, 59.40, 64.39, 87.18]},
)  # fmt: skip

TABLE_2 = _table(
    "Tagging accuracy on Universal Dependencies, M-BERT (the paper's Table 2)", "2", "accuracy", "pos",
    "m-bert", "en de es it",
    {"en": [96.82, 89.40, 85.91, 91.60],
     "de": [83.99, 93.99, 86.32, 88.39],
     "es": [81.64, 88.87, 96.71, 93.71],
     "it": [86.79, 87.82, 91.28, 98.11]},
)  # fmt: skip

TABLE_3 = _table(
    "NER F1 within one language: EN-BERT beside a tagger without pre-training (the paper's Table 3)",
    "3", "F1", "ner", None, "en de nl es",
    {"Lample et al. (2016)": [90.94, 78.76, 81.74, 85.75],
     "EN-BERT": [91.07, 73.32, 84.23, 81.84]},
)  # fmt: skip
TABLE_3.index.name = "system"

TABLE_4_HI_UR = _table(
    "Tagging accuracy across scripts, Hindi and Urdu, M-BERT", "3", "accuracy", "pos", "m-bert",
    "hi ur",
    {"hi": [97.1, 85.9],
     "ur": [91.1, 93.8]},
)  # fmt: skip

TABLE_4_EN_BG_JA = _table(
    "Tagging accuracy across scripts, English, Bulgarian and Japanese, M-BERT", "3", "accuracy", "pos",
    "m-bert", "en bg ja",
    {"en": [96.8, 87.1, 49.4],
     "bg": [82.2, 98.9, 51.6],
     "ja": [57.4, 67.2, 96.5]},
)  # fmt: skip

TABLE_4 = pd.concat([TABLE_4_HI_UR, TABLE_4_EN_BG_JA]).reindex(columns="hi ur en bg ja".split())
TABLE_4.columns.name = "evaluate"
TABLE_4.attrs = TABLE_4_HI_UR.attrs | {
    "caption": "Tagging accuracy across scripts, M-BERT (the paper's Table 4)"
}

TABLE_5A = _macro_average(
    "Tagging accuracy by order of subject, verb and object, zero-shot pairs, M-BERT (the paper's Table 5a)",
    {"SVO": [81.55, 66.52],
     "SOV": [63.98, 64.22]},
)  # fmt: skip

TABLE_5B = _macro_average(
    "Tagging accuracy by order of adjective and noun, zero-shot pairs, M-BERT (the paper's Table 5b)",
    {"AN": [73.29, 70.94],
     "NA": [75.10, 79.64]},
)  # fmt: skip

TABLE_6 = _table(
    "Tagging accuracy on code-switched Hindi-English (the paper's Table 6)", "4", "accuracy", "code-switching",
    None, "corrected transliterated",
    {("monolingual HI+EN", "M-BERT"): [86.59, 50.41],
     ("monolingual HI+EN", "Ball and Garrette (2018)"): [None, 77.40],
     ("code-switched HI/EN", "M-BERT"): [90.56, 85.64],
     ("code-switched HI/EN", "Bhat et al. (2018)"): [None, 90.53]},
)  # fmt: skip
TABLE_6.index = pd.MultiIndex.from_tuples(TABLE_6.index, names=["train", "system"])

TABLE_7 = _table(
    "NER F1 on the languages of the CoNLL data, EN-BERT (the paper's Table 7)", "B", "F1", "ner", "en-bert", "en de nl es",
    {"en": [91.07, 24.38, 40.62, 49.99],
     "de": [55.36, 73.32, 54.84, 50.80],
     "nl": [59.36, 27.57, 84.23, 53.15],
     "es": [55.09, 26.13, 48.75, 81.84]},
)  # fmt: skip

TABLE_8 = _table(
    "Tagging accuracy on Universal Dependencies, EN-BERT (the paper's Table 8)", "C", "accuracy", "pos",
    "en-bert", "en de es it",
    {"en": [96.94, 38.31, 50.38, 46.07],
     "de": [28.62, 92.63, 30.23, 25.59],
     "es": [28.78, 46.15, 94.36, 71.50],
     "it": [52.48, 48.08, 76.51, 96.41]},
)  # fmt: skip


def _external(source: str | None, system: str, task: str, cells: dict[str, float | tuple]) -> list[dict]:
    """Rows of EXTERNAL; a cell is a value, or (value, lowest seed, highest seed)."""
    rows = []
    for pair, cell in cells.items():
        train, evaluate = pair.split(">")
        value, low, high = cell if isinstance(cell, tuple) else (cell, None, None)
        rows.append(dict(source=source, system=system, task=task, train=train, evaluate=evaluate,
                         value=value, low=low, high=high))  # fmt: skip
    return rows


# ``source`` is a key of book/references.bib, None where we know the number but not who first printed it.
EXTERNAL = pd.DataFrame(
    _external("wu-dredze-2019-beto", "M-BERT", "ner", {"en>de": 69.56, "en>nl": 77.57, "en>es": 74.96})
    + _external(None, "M-BERT, mean of five seeds", "ner",
                {"de>de": (82.55, 82.14, 83.02), "nl>nl": (90.38, 90.10, 90.94),
                 "es>es": (87.64, 87.00, 87.93)})
    + _external(None, "EN-BERT cased, mean of five seeds", "ner", {"en>en": (91.03, 90.76, 91.60)})
    + _external("de-vries-etal-2022-make", "XLM-R base, UD 2.8", "pos",
                {"en>en": 96.05, "en>de": 88.61, "en>es": 90.28, "en>it": 87.77,
                 "hi>ur": 89.71, "ur>hi": 91.86, "en>bg": 90.84, "en>ja": 34.06})
    + _external("de-vries-etal-2022-make", "XLM-R base, UD 2.8, macro-averaged", "pos",
                {"SVO>SVO": 83.18, "SVO>SOV": 71.04, "SOV>SVO": 68.85, "SOV>SOV": 68.50,
                 "AN>AN": 74.71, "AN>NA": 75.99, "NA>AN": 75.59, "NA>NA": 80.64})
)  # fmt: skip

# Mean accuracy of XLM-R base (as above) over language pairs that share 1 to 6 of the six word-order features.
EXTERNAL_BY_FEATURES = pd.Series(
    [71.0, 67.4, 73.7, 78.7, 81.3, 77.5], index=pd.RangeIndex(1, 7, name="common_features"), name="accuracy"
)
EXTERNAL_BY_FEATURES.attrs = {"source": "de-vries-etal-2022-make", "system": "XLM-R base, UD 2.8"}
