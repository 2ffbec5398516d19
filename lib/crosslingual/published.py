"""Every number the paper prints in its tables, and one series that later work printed.

Tables are frames of percentages: rows are fine-tuning languages, columns evaluation languages (UD
codes), or groups of them. ``attrs`` of each: ``caption``, and ``encoder`` (None where systems are
rows). The figures' points are printed nowhere, so there is no frame for them.
"""

import pandas as pd

from crosslingual.languages import DATA

PRINTED = pd.read_csv(DATA / "published.csv", keep_default_na=False, na_values="")


def _table(number: str, caption: str, encoder: str | None = None) -> pd.DataFrame:
    """A table by its number; where one encoder was trained, columns are in the order of rows."""
    rows = PRINTED[PRINTED.table == number].dropna(axis=1, how="all").drop(columns="table")
    frame = rows.set_index([name for name in ("train", "system") if name in rows])
    frame = frame[list(frame.index)] if encoder else frame
    frame.columns.name = "evaluate"
    frame.attrs = {"caption": f"{caption} (the paper's Table {number})", "encoder": encoder}
    return frame


NER, TAGGING = "NER F1 on the languages of the CoNLL data", "Tagging accuracy"
TREEBANKS, PAIRS = "on Universal Dependencies", "zero-shot pairs, M-BERT"
TABLE_1 = _table("1", f"{NER}, M-BERT", "m-bert")
TABLE_2 = _table("2", f"{TAGGING} {TREEBANKS}, M-BERT", "m-bert")
TABLE_3 = _table("3", "NER F1 within one language, without pre-training and with it")
TABLE_4 = _table("4", f"{TAGGING} across scripts, M-BERT", "m-bert")
TABLE_5A = _table("5a", f"{TAGGING} by order of subject, verb and object, {PAIRS}", "m-bert")
TABLE_5B = _table("5b", f"{TAGGING} by order of adjective and noun, {PAIRS}", "m-bert")
TABLE_6 = _table("6", f"{TAGGING} on code-switched Hindi-English")
TABLE_7 = _table("7", f"{NER}, EN-BERT", "en-bert")
TABLE_8 = _table("8", f"{TAGGING} {TREEBANKS}, EN-BERT", "en-bert")

# Weight decay, clipping of gradients and numerical precision are not mentioned there.
APPENDIX_A = {
    "batch_size": 32,
    "max_length": 128,
    "epochs": 3,
    "learning_rate": 3e-5,
    "warmup": 0.1,
    "dropout": 0.1,
}

# F1 that pre-trained word embeddings were worth to Lample et al. (2016, section 5.4).
EMBEDDINGS_WORTH = 7.31

# Mean accuracy of XLM-R base on UD 2.8 over pairs of languages that share 1 to 6 of the six
# word-order features, from the results of de Vries et al. (2022).
EXTERNAL_BY_FEATURES = pd.Series(
    [71.0, 67.4, 73.7, 78.7, 81.3, 77.5], index=pd.RangeIndex(1, 7, name="common_features")
)
# The same encoder fine-tuned on English, from the same results (udpos-ft-10000.csv).
EXTERNAL_FROM_ENGLISH = pd.Series({"ja": 34.06, "zh": 47.48, "ko": 64.05, "he": 90.63})
