"""Every number the paper prints in its tables, and one series that later work printed.

Tables are frames of percentages: rows are fine-tuning languages, columns evaluation languages (UD
codes). ``attrs`` of each: ``caption``, and ``encoder`` (None where systems are rows). The figures'
points are printed nowhere, so there is no frame for them.
"""

import pandas as pd


def _table(caption: str, encoder: str | None, columns: str, rows: dict) -> pd.DataFrame:
    """A frame from rows of numbers; ``columns`` are the column labels, parted by spaces."""
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns.split(), dtype=float)
    frame.index.name, frame.columns.name = "train", "evaluate"
    frame.attrs = {"caption": caption, "encoder": encoder}
    return frame


# Weight decay, clipping of gradients and numerical precision are not mentioned there.
APPENDIX_A = {
    "batch_size": 32,
    "max_length": 128,
    "epochs": 3,
    "learning_rate": 3e-5,
    "warmup": 0.1,
    "dropout": 0.1,
}

TABLE_1 = _table(
    "NER F1 on the languages of the CoNLL data, M-BERT (the paper's Table 1)",
    "m-bert",
    "en de nl es",
    {
        "en": [90.70, 69.74, 77.36, 73.59],
        "de": [73.83, 82.00, 76.25, 70.03],
        "nl": [65.46, 65.68, 89.86, 72.10],
        "es": [65.38, 59.40, 64.39, 87.18],
    },
)

TABLE_2 = _table(
    "Tagging accuracy on Universal Dependencies, M-BERT (the paper's Table 2)",
    "m-bert",
    "en de es it",
    {
        "en": [96.82, 89.40, 85.91, 91.60],
        "de": [83.99, 93.99, 86.32, 88.39],
        "es": [81.64, 88.87, 96.71, 93.71],
        "it": [86.79, 87.82, 91.28, 98.11],
    },
)

TABLE_3 = _table(
    "NER F1 within one language: EN-BERT beside a tagger without pre-training "
    "(the paper's Table 3)",
    None,
    "en de nl es",
    {
        "Lample et al. (2016)": [90.94, 78.76, 81.74, 85.75],
        "EN-BERT": [91.07, 73.32, 84.23, 81.84],
    },
)

TABLE_4 = _table(
    "Tagging accuracy across scripts, M-BERT (the paper's Table 4)",
    "m-bert",
    "hi ur en bg ja",
    {
        "hi": [97.1, 85.9, None, None, None],
        "ur": [91.1, 93.8, None, None, None],
        "en": [None, None, 96.8, 87.1, 49.4],
        "bg": [None, None, 82.2, 98.9, 51.6],
        "ja": [None, None, 57.4, 67.2, 96.5],
    },
)

TABLE_5A = _table(
    "Tagging accuracy by order of subject, verb and object, zero-shot pairs, M-BERT "
    "(the paper's Table 5a)",
    "m-bert",
    "SVO SOV",
    {"SVO": [81.55, 66.52], "SOV": [63.98, 64.22]},
)

TABLE_5B = _table(
    "Tagging accuracy by order of adjective and noun, zero-shot pairs, M-BERT "
    "(the paper's Table 5b)",
    "m-bert",
    "AN NA",
    {"AN": [73.29, 70.94], "NA": [75.10, 79.64]},
)

TABLE_6 = _table(
    "Tagging accuracy on code-switched Hindi-English (the paper's Table 6)",
    None,
    "corrected transliterated",
    {
        ("monolingual HI+EN", "M-BERT"): [86.59, 50.41],
        ("monolingual HI+EN", "Ball and Garrette (2018)"): [None, 77.40],
        ("code-switched HI/EN", "M-BERT"): [90.56, 85.64],
        ("code-switched HI/EN", "Bhat et al. (2018)"): [None, 90.53],
    },
)
TABLE_6.index = pd.MultiIndex.from_tuples(TABLE_6.index, names=["train", "system"])

TABLE_7 = _table(
    "NER F1 on the languages of the CoNLL data, EN-BERT (the paper's Table 7)",
    "en-bert",
    "en de nl es",
    {
        "en": [91.07, 24.38, 40.62, 49.99],
        "de": [55.36, 73.32, 54.84, 50.80],
        "nl": [59.36, 27.57, 84.23, 53.15],
        "es": [55.09, 26.13, 48.75, 81.84],
    },
)

TABLE_8 = _table(
    "Tagging accuracy on Universal Dependencies, EN-BERT (the paper's Table 8)",
    "en-bert",
    "en de es it",
    {
        "en": [96.94, 38.31, 50.38, 46.07],
        "de": [28.62, 92.63, 30.23, 25.59],
        "es": [28.78, 46.15, 94.36, 71.50],
        "it": [52.48, 48.08, 76.51, 96.41],
    },
)

# Mean accuracy of XLM-R base on UD 2.8 over pairs of languages that share 1 to 6 of the six
# word-order features, from the results of de Vries et al. (2022).
EXTERNAL_BY_FEATURES = pd.Series(
    [71.0, 67.4, 73.7, 78.7, 81.3, 77.5], index=pd.RangeIndex(1, 7, name="common_features")
)
