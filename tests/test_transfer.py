"""Chapters 2, B, C and the pages that put all claims side by side."""

import html

import numpy as np
import pandas as pd
import pytest
from crosslingual import claims, languages, published, show, stats
from crosslingual.chapters import conclusion, transfer
from fabricated import ARTIFICIAL, REAL, certain, edition, scores

CODES = ["en", "de", "es"]


def both(m_bert, en_bert, train=CODES, evaluate=None, task="pos"):
    found = {"m-bert": m_bert, "en-bert": en_bert}
    frames = [scores(f, train, evaluate, name, task) for name, f in found.items()]
    return pd.concat(frames, ignore_index=True)


@pytest.mark.parametrize("number, corner", [(1, 90.70), (2, 96.82), (7, 91.07), (8, 96.94)])
def test_each_table_shows_its_own_encoder_beside_its_own_printed_numbers(number, corner):
    """Any languages may be fine-tuned on; evaluation on others stays out of the table."""
    task = "ner" if number in (1, 7) else "pos"
    frame = both(lambda a, b: 0.9, lambda a, b: 0.3, ["en", "fr"], ["en", "fr", "ja"], task)
    shown = transfer.table(frame, number, ARTIFICIAL)
    assert shown.header == ["fine-tuned on", "EN", "FR"]
    assert f"(the paper's Table {number})" in shown.caption
    ours, paper = shown.rows[0][1].split("\n")
    assert paper == f"paper {corner:.2f}" and "\n" not in shown.rows[0][2]
    values = [float(cell.strip("*").split(" ±")[0]) for cell in (ours, shown.rows[0][2])]
    assert values == pytest.approx([90 if number in (1, 2) else 30] * 2, abs=4)


def test_everywhere_sorts_languages_and_darkens_those_of_one_script():
    found = {("en", "en"): 95, ("en", "de"): 80, ("en", "ru"): 85, ("en", "hi"): 40}
    frame = certain("m-bert", found)
    drawn = transfer.everywhere(frame, ARTIFICIAL)
    panel = drawn.drawing.axes[0]
    assert [tick.get_text() for tick in panel.get_yticklabels()] == ["HI", "DE", "RU", "EN"]
    colours = [bar.get_facecolor() for bar in panel.patches]
    assert colours[1] == colours[3] != colours[0] == colours[2]
    assert "best elsewhere RU (85.0), worst HI (40.0)" in drawn.caption


def test_floors_by_hand():
    """M-BERT is above both baselines on EN to HI, above one of them on HI to EN."""
    found = {"m-bert": [50, 50], "en-bert": [10, 10], "majority class": [25, 25]}
    pairs = [("en", "hi"), ("hi", "en")]
    frames = [certain(name, dict(zip(pairs, both, strict=True))) for name, both in found.items()]
    shape = certain("word shape", {("en", "hi"): 25, ("hi", "en"): 75, ("ja", "en"): 99})
    taught, baselines = pd.concat(frames[:2]), pd.concat([frames[2], shape])
    table = transfer.floors(taught, baselines, ARTIFICIAL)
    assert table.header == ["pair", "M-BERT", "EN-BERT", "majority class", "word shape"]
    assert table.rows[0] == ["EN to HI", "50.0", "10.0", "25.0", "25.0"]
    assert table.rows[1][4] == "75.0"
    assert transfer.reading(taught, taught, baselines, REAL)["over"] == "1 of the 2"
    lacking = transfer.floors(taught, baselines[:0], ARTIFICIAL)
    assert len(lacking.header) == len(lacking.rows[0]) == 3


def test_corpora_count_words_or_entities_and_say_what_lacks():
    columns = ["task", "language", "split", "sentences", "tokens", "entities", "reason"]
    rows = [("ner", "en", "train", 2000, 9000, 700, ""), ("ner", "en", "test", 300, 1500, 90, "")]
    rows += [("ner", "de", split, *[np.nan] * 3, "buy it") for split in ("train", "test")]
    rows += [("pos", "en", "train", 1000, 8000, 0, ""), ("pos", "en", "test", 30, 1234, 0, "")]
    sizes = pd.DataFrame(rows, columns=columns)
    table = transfer.corpora(sizes, "ner", ["en", "de", "nl"], REAL)
    missing = [show.MISSING] * 3
    assert table.rows == [["EN", "2,000", "300", "90"], ["DE", *missing], ["NL", *missing]]
    assert table.notes == ("Not available: DE: buy it.",)
    assert transfer.corpora(sizes, "pos", ["en"], REAL).rows == [["EN", "1,000", "30", "1,234"]]
    told = edition("mix", artificial=False, substitutes={"en": "WikiNEuRal"})
    assert "EN: WikiNEuRal" in transfer.corpora(sizes, "ner", ["en"], told).notes[0]
    assert transfer.corpora(sizes, "pos", ["en"], told).notes == ()


def test_chapter_2_reads_its_numbers_off_the_frames():
    tags = {("en", "en"): 95, ("de", "de"): 93, ("en", "de"): 85, ("de", "en"): 75}
    names = {("en", "en"): 90, ("de", "de"): 80, ("en", "de"): 60, ("de", "en"): 50}
    pos, ner = (certain("m-bert", found, seeds=(1, 2)) for found in (tags, names))
    told = transfer.reading(ner, pos, pos[:0], REAL)
    assert (told["above"], told["paper_above"]) == ("1 of the 2", "all 12")
    assert (told["within"], told["across"]) == ("93.5 to 95.5", "75.5 to 85.5")
    assert (told["best"], told["worst"]) == ("EN to DE (85.5)", "DE to EN (75.5)")
    assert (told["pos_lost"], told["ner_lost"]) == (14, 30)
    assert (told["likeness"], told["pairs"]) == (show.MISSING, "2")  # of two pairs: no trend
    near = "Within 4 points of the paper's value: 1 of the 2 zero-shot pairs"
    assert near in told["agree"] and "DE to EN (−8.5)" in told["agree"]
    assert "patterns" in transfer.reading(ner, pos, pos[:0], ARTIFICIAL)["agree"]
    substituted = edition("mix", False, substitutes={"de": "another"})
    assert "No pair" in transfer.reading(ner, pos, pos[:0], substituted)["ner_agree"]
    assert (told["seeds_across"], told["steadier"]) == (1, "level with")
    assert transfer.reading(ner[:0], pos[:0], pos[:0], REAL)["best"] == show.NOTHING


def test_what_english_lacks_is_told_by_pair():
    m = certain("m-bert", {("en", "en"): 95, ("en", "de"): 85, ("de", "en"): 60, ("de", "de"): 90})
    e = certain("en-bert", {("en", "en"): 97, ("en", "de"): 40, ("de", "en"): 65, ("de", "de"): 80})
    told = transfer.beside_english(pd.concat([m, e]), [2, 8], REAL)
    assert told["above"] == "More than 20 points above it: DE to EN (+36.4, seeds ± –)."
    assert (told["lost"], told["own"], told["ahead"]) == (20, 4, "1 of the 2")
    assert told["best"] == "DE to EN (65.0)" and told["within"] == "80.0 to 97.0"
    printed = stats.in_language(published.TABLE_2.stack() - published.TABLE_8.stack())
    assert told["paper_own"] == pytest.approx(printed.mean())


def margins(rows):
    """Of {claim: (ours, the paper's)}: the figure, and the dots of each panel by size."""
    found = {name: [*[ours] * 5, paper] for name, (ours, paper) in rows.items()}
    columns = ["value", "low", "high", "over_low", "over_high", "paper_value"]
    judged = pd.DataFrame.from_dict(found, "index", columns=columns).assign(verdict="supported")
    drawn = conclusion.margins(claims.STATED.loc[judged.index].join(judged), ARTIFICIAL)

    def dots(panel, size):
        return [mark.get_xdata()[0] for mark in panel.lines if mark.get_markersize() == size]

    return drawn, [{size: dots(panel, size) for size in (5, 8)} for panel in drawn.drawing.axes]


def test_margins_put_what_is_claimed_on_the_right():
    found = {"english-fails-across-scripts": (30, np.nan), "across-scripts": (80, 91.1)}
    drawn, (marks,) = margins(found)
    assert marks[5] == [-20, 5] and np.isnan(marks[8][0])
    assert marks[8][1] == pytest.approx(16.1) and "Ours: 2 supported." in drawn.caption


def test_points_correlations_and_slopes_have_axes_of_their_own():
    found = {"across-scripts": (80, 91.1), "overlap-independence": (1.425, np.nan)}
    drawn, marks = margins(found | {"overlap-dependence": (0.3, np.nan)})
    assert [panel[5] for panel in marks] == [[5], [-1.425], [0.3]]
    titles = [text.get_text() for text in drawn.drawing.axes[1].get_yticklabels()]
    assert titles == ["M-BERT flat in overlap"]


def test_the_rooms_measure_all_claims_that_are_stated_in_the_papers_order():
    assert [claim.id for claim in conclusion.CLAIMS] == list(claims.STATED.index)
    assert len(claims.STATED) == len(set(claims.STATED.index)) == 23
    sections = [claim.section[0] for claim in conclusion.CLAIMS]
    assert sections == sorted(sections) and set(sections) == set(conclusion.SECTIONS)


def test_front_page_and_conclusion_count_what_the_ledger_says():
    judged = conclusion.ledger({"pos": scores(lambda a, b: 0.9, ["en", "de", "es", "it"])}, REAL)
    assert list(judged.index) == list(claims.STATED.index)
    read = conclusion.reading(judged, REAL, {})
    assert (read["claims"], read["supported"], read["agree"]) == ("23", "1", "1 of the 3")
    ours = "1 of 1 supported; not testable: “M-BERT ahead on named entities” and"
    assert read["section-2"].startswith(ours)
    columns = claims.STATED.title[["word-order-columns", "adjective-order-columns"]]
    assert read["against"] == show.quoted(columns)
    assert claims.COMPARABLE == 8
    assert len(show.ledger_table(judged, REAL, "claims").rows) == 23


def test_the_front_page_answers_with_controls_and_the_papers_numbers_and_says_what_lacks():
    four, pair = list(published.TABLE_2), {("hi", "ur"): 60, ("ur", "hi"): 70}
    cells = {(a, b): 85 for a in four for b in four if a != b} | pair
    floor = certain("word shape", dict.fromkeys(cells, 20))
    results = {"pos": pd.concat([certain("m-bert", cells), floor])}
    told = conclusion.answers(results, conclusion.ledger(results, REAL), REAL)
    printed = [stats.zero_shot(table.stack()) for table in (published.TABLE_2, published.TABLE_8)]
    paper = " and ".join(show.number(scores.mean()) for scores in printed)
    claimed = "Claims: 1 supported, 2 not testable. "
    ours = "Accuracy between EN, DE, ES and IT: M-BERT 85.0 (85.0 to 85.0), word shape 20.0"
    assert told["answer_transfer"] == f"{claimed}{ours}, in the paper {paper}."
    every, hindi = told["answer_scripts"].split("; ")
    assert every.endswith("two scripts: M-BERT 65.0 (65.0 to 65.0), word shape 20.0")
    ours = "between HI and UR: M-BERT 65.0 (65.0 to 65.0), word shape 20.0"
    assert hindi == f"{ours}, in the paper 88.5."
    lacks = "Claims: 7 not testable. Not known in this edition (no ner result to judge by)."
    assert told["answer_overlap"] == lacks.replace("ner result to judge by", "overlap for any pair")
    for sentence in told.values():
        assert "nan" not in sentence and show.MISSING not in sentence and sentence.endswith(".")


def test_scripts_name_few_languages_and_count_many():
    drawn = conclusion.scripts([*CODES, "nl", "it", "hi", "ur", "ar"])
    texts = [text.get_text() for text in drawn.drawing.axes[0].texts]
    assert texts == ["HI", "UR AR", "5 languages"]
    assert "Latin has 5 of 8 languages, 1 of 3 scripts have one" in drawn.caption


def test_sample_sentences_say_whose_they_are():
    columns = ["edition", "kind", "language", "word", "second", "tag", "reason"]
    rows = [("pocket", "tagged", "de", "Haus", "Ha ##us", "NOUN", "")]
    rows += [("pocket", "switched", "de", "x", "y", "X", "")]
    rows += [("pocket", "tagged", "hi", None, None, None, "fetch it")]
    examples = pd.DataFrame(rows, columns=columns)
    table = conclusion.sentence(examples, "de", ARTIFICIAL)
    assert [html.unescape(cell) for cell in table.rows[0]] == ["Haus", "Ha ##us", "NOUN"]
    assert len(table.rows) == 1 and ARTIFICIAL.title in table.caption
    assert "Edition: pocket (texts of real" in conclusion.sentence(examples, "de", REAL).caption
    lacking = conclusion.sentence(examples, "hi", ARTIFICIAL)
    assert lacking.rows == [[show.MISSING] * 3] and lacking.notes == ("Not available: fetch it.",)


def test_the_introduction_counts_the_papers_languages():
    codes = list(languages.table().query("pos == 1 or ner16 == 1").index)
    told = conclusion.introduction(codes)
    assert (told["languages"], told["scripts"], told["lowest"]) == ("42", "12", 81.64)


def test_what_an_english_encoder_transfers_stands_beside_both_floors_by_script():
    pairs, found = [("en", "de"), ("en", "fr"), ("en", "hi")], {}
    found |= {"en-bert": [50, 20, 20], "majority class": [20, 30, 25], "word shape": [40, 30, 10]}
    frames = {n: certain(n, dict(zip(pairs, scores, strict=True))) for n, scores in found.items()}
    floors = pd.concat([frames["majority class"], frames["word shape"]])
    told = transfer.unread(frames["en-bert"], floors, REAL)
    same, others = told["left"].split("; ")
    assert "EN-BERT 35.0, majority class 25.0 and word shape 35.0" in same
    assert "above both floors on 1 of the 2" in same and "none of the 1" in others
    assert told["taught"] == "English" and "not known" in told["exposure"]
    assert "free" in transfer.unread(frames["en-bert"], floors, ARTIFICIAL)["exposure"]
