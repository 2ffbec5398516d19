"""What small encoders make of real languages beside the paper's results, chapter by chapter, and why.

Each sentence is computed from the results that it speaks of, so that it stays true when these change. It is about the
first edition at hand, the book's own or one beside it, that has real languages and an encoder whose pre-training is on
record.
"""

import numpy as np
import pandas as pd
from IPython.display import Markdown

from crosslingual import availability, emergence, exposure, grids, languages, prose, published, stats, trends
from crosslingual.baselines import WORD_SHAPE
from crosslingual.claims import SIGNIFICANCE
from crosslingual.editions import Edition
from crosslingual.tables import CONDITIONS, label, number, signed

M, E = grids.ENCODERS


def small(edition: Edition) -> Edition | None:
    """The edition that these readings are about, or None."""
    found = [e for e in [edition, *edition.companions] if not e.artificial and len(emergence.log(e, M))]
    return found[0] if found else None


def transfer(edition: Edition, pos: pd.DataFrame, ner: pd.DataFrame) -> Markdown:
    """Tables 1 and 2. ``pos`` and ``ner`` have both encoders, ``pos`` the baselines as well."""
    tagged, named = _table(pos, published.TABLE_2), _table(ner, published.TABLE_1)
    own, across = (part(tagged.ours).dropna() for part in (grids.in_language, grids.zero_shot))
    if across.empty:
        return _nothing(edition)
    off = [part(tagged.ours - tagged.paper).mean() for part in (grids.in_language, grids.zero_shot)]
    lead, shape = (_leads(pos, other, across.index) for other in (E, WORD_SHAPE))
    text = f"""
M-BERT is right about {prose.span(own)}% of the words within a language and {prose.span(across)}% across (best
{prose.highest(across)}, worst {prose.lowest(across)}): {signed(off[0])} points from the paper within and {signed(off[1])} across. The
order of easy and hard pairs agrees with the paper's at a rank correlation of {_likeness(tagged)}. M-BERT is ahead of EN-BERT on
{prose.share(lead > 0)} pairs, by {number(lead.mean())} points on average, and of the word-shape classifier on
{prose.share(shape > 0)}, by {number(shape.mean())}: between these languages {_either(min(lead.mean(), shape.mean()) > 0, "more", "no more")}
carries over than the look of words.

*Names:* F1 is {prose.span(grids.in_language(named.ours).dropna())} within a language and
{prose.span(grids.zero_shot(named.ours).dropna())} across; M-BERT's average lead over EN-BERT across languages is
{number(_leads(ner, E, grids.zero_shot(named.ours).dropna().index).mean())} points. A name is a rare word: what little text has been read
tells less of it than of a verb or an article.

*Why it falls short:* {_size(edition)} {_growing(edition)}"""
    return _under(edition, text)


def vocabulary(edition: Edition, ner: pd.DataFrame, overlaps: pd.DataFrame, pos: pd.DataFrame) -> Markdown:
    """Figure 1 and Table 4; both encoders in all three frames, in ``pos`` the baselines as well."""
    points = ner.groupby(stats.CELL, as_index=False).score.mean().merge(overlaps, on=stats.CELL)
    points = points[points.train != points.evaluate]
    if points.empty:
        return _nothing(edition)
    rise = {name: stats.slope(100 * part.overlap, part.score) for name, part in points.groupby("encoder")}
    means = points.assign(two=[trends.across_scripts(*pair) for pair in zip(points.train, points.evaluate, strict=True)])
    means = means.groupby(["encoder", "two"]).score.mean()
    pairs = [("hi", "ur"), ("ur", "hi"), ("en", "bg"), ("en", "ja")]
    scores = pos.groupby(["encoder", "train", "evaluate"]).score.mean()
    shown = "; ".join(f"{label(a)} to {label(b)} {number(_get(scores, M, a, b))} (EN-BERT {number(_get(scores, E, a, b))}, word shape "
                      f"{number(_get(scores, WORD_SHAPE, a, b))})" for a, b in pairs)  # fmt: skip
    steep = _get(rise, M) >= _get(rise, E) / 2
    ease, read = _ease(ner), exposure.text(edition, M)
    amounts = [f"{languages.name(code)} {read[code]['pieces'] / 1e6:.1f}" for code in published.TABLE_4.columns if code in read]
    unread = [languages.name(code) for code in availability.unread(edition, M, "ner") or []]
    unknown = 100 * overlaps.groupby("encoder").unk_share.mean()
    text = f"""
A point of overlap is worth {number(_get(rise, M), 2)} points of F1 to M-BERT and {number(_get(rise, E), 2)} to EN-BERT. Across two
scripts M-BERT's F1 is {number(_get(means, M, True))} on average and EN-BERT's {number(_get(means, E, True))}; within one script
{number(_get(means, M, False))} and {number(_get(means, E, False))}. Parts of speech across scripts: {shown}, in
percent of the words.

*Why:* there is little text of the languages in other scripts (million word pieces: {prose.listing(amounts)}), and of
{len(unread)} of the {len(set(ner.train))} languages with names none at all ({prose.listing(unread)}); {number(_get(unknown, M))}% of
M-BERT's pieces of entities are [UNK], and {number(_get(unknown, E))}% of EN-BERT's. M-BERT's F1 rises
{_either(steep, "at least half as steeply with overlap as", "less than half as steeply with overlap as")} EN-BERT's, which is
{_either(steep, "what one would see if names were found by their spelling, the hypothesis that the paper rejects for a large encoder", "what the paper has for a large encoder")}.
Over languages, the mean zero-shot F1 goes with the F1 on the language itself at a rank correlation of {number(ease, 2)}: what is hard to
learn within a language carries over least."""
    return _under(edition, text)


def structure(edition: Edition, pos: pd.DataFrame, known: dict[str, pd.DataFrame]) -> Markdown:
    """Figure 2 and Table 5; ``pos`` has both encoders and the baselines, ``known`` is ``exposure.conditions`` by encoder."""
    unread = availability.unread(edition) or []
    chosen = pos[(pos.train != pos.evaluate) & pos.encoder.isin([M, E, WORD_SHAPE])]
    if chosen.empty:
        return _nothing(edition)
    cells = chosen.groupby(stats.CELL, as_index=False).score.mean()  # a pair counts once, however many seeds it has
    read, rest = (cells[_both_read(cells, unread) == wanted] for wanted in (True, False))
    means, others = (part.groupby("encoder").score.mean() for part in (read, rest))
    rho, rho_read = ({name: _trend(part, name) for name in (M, E)} for part in (chosen, chosen[_both_read(chosen, unread)]))
    text = f"""
{len(unread)} of the {len(set(pos.train))} languages were never read by M-BERT, which the paper's had no counterpart of. Between two that were
({_pairs(read)} pairs) M-BERT reaches {number(_get(means, M))}%, EN-BERT {number(_get(means, E))}% and word shape
{number(_get(means, WORD_SHAPE))}%; over the other {_pairs(rest):,} pairs it is {number(_get(others, M))}%,
{number(_get(others, E))}% and {number(_get(others, WORD_SHAPE))}%. M-BERT's lead over EN-BERT is
{number(_gap(means))} points in the first group and {number(_gap(others))} in the second: it is
{_either(_gap(means) > _gap(others), "larger", "no larger")} where both languages were read.

The rank correlation of accuracy with common word-order features is {number(rho[M], 2)} for M-BERT and {number(rho[E], 2)} for EN-BERT over
all pairs, {number(rho_read[M], 2)} and {number(rho_read[E], 2)} where both were read, where M-BERT's is
{_either(rho_read[M] > rho_read[E], "the stronger, as the paper would have it", "not the stronger")}. What an encoder of one language shows as
well is about treebanks, kinship and spelling, not about multilingual pre-training.

*Why?* Conditions of a language that go with its mean accuracy in the direction that one would expect, at 5%: {_telling(pos, known)}
(table above; with as many tests as that table has rows, one may come out so by chance). {_read_or_not(cells, unread)} {_scripts(read)}
Languages of which M-BERT cannot spell a fifth of the pieces: {_unspelt(known)}."""
    return _under(edition, text)


def _read_or_not(cells: pd.DataFrame, unread: list[str]) -> str:
    """Whether languages that M-BERT read are tagged better; ``cells`` has one row a pair and encoder."""
    ours = cells[cells.encoder == M]
    tagged = ours.groupby(ours.evaluate.isin(unread)).score.mean()
    near = ours[[a not in unread and trends.within_script(a, b) for a, b in zip(ours.train, ours.evaluate, strict=True)]]
    by_reading = near.groupby(near.evaluate.isin(unread)).score.mean()
    return f"""Over all pairs the languages that were read are tagged with {number(_get(tagged, False))}% and the others with
{number(_get(tagged, True))}%, but these groups differ in scripts: from a language that was read to one in the same script it is
{number(_get(by_reading, False))}% where that was read too and {number(_get(by_reading, True))}% where it was not."""


def _scripts(read: pd.DataFrame) -> str:
    """What scripts make of pairs whose languages were both read."""
    means, near = read.groupby("encoder").score.mean(), _of_scripts(read, False)
    beaten, shaped = _get(means, WORD_SHAPE) > _get(means, M), _get(near, M) - _get(near, WORD_SHAPE)
    return f"""The script tells more: where both languages were read, M-BERT is {number(_gap(near))} points ahead of EN-BERT within one
script and {number(_gap(_of_scripts(read, True)))} across two, where an encoder of English has nothing to go by. Word shape, which knows no
language at all, is {_either(beaten, "above", "not above")} M-BERT on average, but {number(abs(shaped))} points {_either(shaped > 0, "below", "above")} it
between languages that were both read and share a script: {_either(shaped > 0, "there more", "even there no more")} carries over than what
endings, capitals and punctuation say."""


def _pairs(cells: pd.DataFrame) -> int:
    return len(cells.drop_duplicates(["train", "evaluate"]))


def space(edition: Edition, curve: pd.DataFrame) -> Markdown:
    """Figure 3; ``curve`` is ``retrieval.curve`` of M-BERT, of each pair at one number of candidates."""
    asked = curve[(curve.encoder == M) & (curve.queries == "all")]
    if asked.empty:
        return _nothing(edition)
    best = asked.pivot_table("accuracy", ["source", "target"], "method", "max").reindex(columns=["paper", "shared pieces"])
    line, sizes = asked[asked.method == "paper"].groupby("layer").accuracy.mean(), asked.groupby(["source", "target"]).candidates.max()
    pairs = "; ".join(f"{label(a)}-{label(b)} {number(row.paper)}% (copied pieces {number(row['shared pieces'])}%, chance "
                      f"{number(100 / sizes[a, b], 2)}%)" for (a, b), row in best.iterrows())  # fmt: skip
    text = f"""
Translations found at the best layer: {pairs}. Above copying are {prose.share(best["paper"] > best["shared pieces"])} pairs. Accuracy is
highest in layer {line.idxmax()} of {line.index.max()}.

*Why it falls short of the paper:* {_size(edition)} {_untrained(edition)}"""
    return _under(edition, text)


def _under(edition: Edition, text: str) -> Markdown:
    return Markdown(f"**On real languages, in small.** This is about the edition *{edition.title}*.\n{text}\n")


def _nothing(edition: Edition) -> Markdown:
    return _under(edition, "\nIt has no results at hand for this chapter.")


def _table(scores: pd.DataFrame, printed: pd.DataFrame) -> pd.DataFrame:
    """M-BERT's mean scores beside the paper's, by (train, evaluate); NaN where we have none."""
    paper = printed.stack()
    return pd.DataFrame({"paper": paper, "ours": grids.means(scores[scores.encoder == M]).reindex(paper.index)})


def _likeness(both: pd.DataFrame) -> str:
    pairs = both.loc[grids.zero_shot(both.ours).dropna().index]
    return number(float(stats.rank_correlation(pairs.paper, pairs.ours)), 2) if len(pairs) > 2 else prose.NOTHING


def _leads(scores: pd.DataFrame, other: str, pairs: pd.MultiIndex) -> pd.Series:
    """M-BERT's points over another tagger, by pair."""
    ours, theirs = (grids.means(scores[scores.encoder == name]).reindex(pairs) for name in (M, other))
    return (ours - theirs).dropna()


def _ease(ner: pd.DataFrame) -> float:
    """Rank correlation, over languages, of the F1 within a language and the mean zero-shot F1 on it."""
    means = grids.means(ner[ner.encoder == M])
    own, across = grids.in_language(means), grids.zero_shot(means).groupby(level="evaluate").mean()
    common = own.index.intersection(across.index)
    return float(stats.rank_correlation(own[common], across[common])) if len(common) > 2 else np.nan


def _unspelt(known: dict[str, pd.DataFrame]) -> str:
    if M not in known:
        return prose.NOTHING
    return prose.listing([languages.name(code) for code in known[M].index[known[M].unknown > 20]])


def _telling(pos: pd.DataFrame, known: dict[str, pd.DataFrame]) -> str:
    """Conditions that are significantly associated with M-BERT's mean zero-shot scores, with the correlation."""
    found = exposure.associations(pos, known[M], M) if M in known else pd.DataFrame({"p": []})
    roles = {"evaluate": "tagged", "train": "fine-tuned on"}
    return prose.listing([f"{CONDITIONS[row.Index[0]]} of the language {roles[row.Index[1]]} ({number(row.correlation, 2)})"
                          for row in found[found.p < SIGNIFICANCE].itertuples()])  # fmt: skip


def _both_read(scores: pd.DataFrame, unread: list[str]) -> pd.Series:
    return ~scores[["train", "evaluate"]].isin(unread).any(axis=1)


def _of_scripts(scores: pd.DataFrame, two: bool) -> pd.Series:
    """Mean scores by encoder over pairs of two scripts, or of one."""
    chosen = [trends.across_scripts(*pair) == two for pair in zip(scores.train, scores.evaluate, strict=True)]
    return scores[chosen].groupby("encoder").score.mean()


def _trend(scores: pd.DataFrame, encoder: str) -> float:
    return trends.typological(scores, encoder, n=1).correlation.value if (scores.encoder == encoder).any() else np.nan


def _gap(means: pd.Series) -> float:
    return _get(means, M) - _get(means, E)


def _get(values, *key) -> float:
    return values.get(key if len(key) > 1 else key[0], np.nan)


def _either(holds: bool, yes: str, no: str) -> str:
    return yes if holds else no


def _size(edition: Edition) -> str:
    log, weights = emergence.log(edition, M), edition.encoder(M).model().num_parameters()
    length = sum(of_language["pieces"] for of_language in exposure.text(edition, M).values())
    often = f", of a text of {length / 1e6:.0f} million" if length else ""
    return (f"M-BERT has {weights / 1e6:.1f} million weights here and has read {log.tokens.max() / 1e6:.0f} million word pieces{often}, against "
            "the original's 178 million weights and 104 Wikipedias.")  # fmt: skip


def _untrained(edition: Edition) -> str:
    """What of the two probes was there before pre-training, where it is on record."""
    line = emergence.means(emergence.curve(edition, M)).dropna()
    if line.empty:
        return ""
    gained, ends = line.iloc[-1] - line.iloc[0], line.iloc[[0, -1]]
    tagging, found = ([number(score) for score in ends[measure]] for measure in (emergence.ZERO_SHOT, emergence.RETRIEVAL))
    little = _either(gained[emergence.RETRIEVAL] > emergence.NOISE, "", ", within what such probes vary by")
    return (f"On the small probes of {{doc}}`beyond/emergence`, pre-training took tagging across languages from {tagging[0]}% to {tagging[1]}%, and "
            f"retrieval from {found[0]}%, with random weights, to {found[1]}%{little}: to tell a verb from a noun takes less than to tell "
            "one sentence from all others.")  # fmt: skip


def _growing(edition: Edition) -> str:
    """Whether the second half of pre-training still brought something, where it was probed."""
    log = emergence.log(edition, M).set_index("step").loss
    line = emergence.means(emergence.curve(edition, M))[emergence.ZERO_SHOT].dropna()
    before = line[line.index <= line.index.max() / 2] if len(line) else line
    if before.empty:
        return ""
    first, last = before.index[-1], line.index[-1]
    more = "had not come to an end" if line[last] - before[first] > emergence.NOISE else "had come to a halt, as far as these small probes can tell, so that more steps alone would hardly help"
    return (f"Between step {first:,} and step {last:,} of pre-training its loss fell from {number(log.get(first, np.nan), 2)} to "
            f"{number(log.get(last, np.nan), 2)}, and zero-shot tagging of the languages that are probed went from {number(before[first])}% to "
            f"{number(line[last])}% ({{doc}}`beyond/emergence`): its rise {more}.")  # fmt: skip
