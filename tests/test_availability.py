import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from crosslingual import availability, corpora
from crosslingual.corpora import CorpusUnavailable
from crosslingual.editions import Edition, EditionError, available
from crosslingual.encoders import EncoderUnavailable


class Half:
    """An edition that has English, only the training text of German, and one of two parallel texts."""

    pairs = [("en", "de"), ("hi", "ur")]

    def languages(self, task):
        return ["corrected"] if task == "code-switching" else ["en", "de"]

    evaluation_languages = languages

    name, encoders = "half", ["m-bert"]

    def encoder(self, name):
        if name == "en-bert":
            raise EncoderUnavailable("no English encoder: add one.")
        return SimpleNamespace(digest="of its weights")

    def corpus(self, task, language, split):
        if language == "de" and split == "test":
            raise CorpusUnavailable("no German test text: get it.")
        return SimpleNamespace()

    def parallel(self, source, target):
        if source == "hi":
            raise CorpusUnavailable("no Urdu: get it.")


def test_a_language_without_its_test_text_is_not_at_hand():
    assert availability.at_hand(Half(), "pos") == ["en"]
    assert availability.missing(Half(), "pos", "de") == "no German test text: get it."


def test_survey_counts_and_names_what_is_missing():
    survey = availability.survey(Half()).set_index("task")
    assert list(survey.index) == [*corpora.TASKS, "parallel", "encoders"]
    assert survey.at_hand.to_dict() == {"pos": 1, "ner": 1, "code-switching": 1, "parallel": 1, "encoders": 1}
    assert survey.missing["encoders"] == ["en-bert"] and survey.why["encoders"] == "no English encoder: add one."
    assert survey.missing["parallel"] == ["hi-ur"] and survey.why["pos"].startswith("no German")


def test_every_substitute_and_every_choice_is_filled_in():
    for table in (availability.substitutes(), availability.unstated()):
        assert len(table) and (table != "").all(axis=None)


def test_substitutes_are_given_for_every_edition_of_the_book():
    columns = set(availability.substitutes()) - {"resource", "needed_for", "why"}
    assert columns == set(available()) - {"smoke"}  # that one is for tests


def test_what_stands_for_entities_is_told_as_the_edition_has_it(tmp_path):
    usual = availability.entity_corpora(Edition.load("pocket")).set_index("language")
    assert "substitute" in usual.corpus["Hindi"] and usual.corpus["English"] == "CoNLL-2003"
    (tmp_path / "own.yml").write_text(
        "title: own\nseeds: [1]\nencoders: {m-bert: x}\n"
        f"corpora: {{source: released, ner: {{german: {tmp_path}, conll_languages: [de]}}}}\n"
    )
    own = availability.entity_corpora(Edition.load(tmp_path / "own.yml")).set_index("language")
    assert own.corpus["German"] == "CoNLL-2003" and "substitute" in own.corpus["English"]


def test_where_no_text_is_at_hand_an_artificial_edition_speaks(monkeypatch):
    monkeypatch.delenv("CROSSLINGUAL_DATA", raising=False)
    pocket, mini = Edition.load("pocket"), Edition.load("mini")
    for task, code in [("pos", "en"), ("code-switching", "corrected"), ("parallel", "")]:
        assert availability.speaking(pocket, task, code) is pocket
        found = availability.speaking(mini, task, code)
        assert found.name == "pocket" and not found.kept  # the one beside it is only read
    alone = replace(mini, document=mini.document | {"beside": []})
    assert availability.speaking(alone) is alone


def test_an_edition_says_itself_what_its_own_files_are(tmp_path):
    mini = Edition.load("mini")
    assert set(availability.substituted(mini)) == {"en", "de"} and availability.substituted(mini, "pos") == {}
    told = availability.entity_corpora(mini).set_index("language")
    assert told.corpus["English"] == "WikiNEuRal (substitute)" and told.corpus["Spanish"] == "CoNLL-2002"
    assert told.stands_for["Hindi"].startswith("the in-house") and told.stands_for["German"] == "CoNLL-2003"
    assert availability.substituted(Edition.load("pocket")) == {}
    assert availability.substituted(Edition.load("paper")) == {"de": "WikiANN"}


@pytest.mark.parametrize("entry, problem", [("{xx: {corpus: a, annotation: b}}", "'xx' is no language with named entities"),
                                            ("{en: WikiNEuRal}", "a substitute is {corpus: name, annotation: by whom}")])  # fmt: skip
def test_a_mistaken_substitute_names_file_and_line(tmp_path, entry, problem):
    (tmp_path / "own.yml").write_text(f"title: own\nseeds: [1]\nencoders: {{m-bert: x}}\ncorpora: {{source: folder}}\nsubstitutes: {entry}\n")
    with pytest.raises(EditionError, match=f"own.yml, line 5.*{re.escape(problem)}"):
        Edition.load(tmp_path / "own.yml")


def test_languages_that_an_encoder_never_read():
    assert availability.unread(Edition.load("pocket")) == []  # no `languages` in its specification: it read them all
    unread = availability.unread(Edition.load("mini"))
    assert {"fi", "ko", "zh"} <= set(unread) and not {"en", "hi", "ja", "eu"} & set(unread)
    assert availability.unread(Edition.load("smoke"), "en-bert", "ner")  # made by the edition itself, of English
    assert availability.unread(Edition.load("paper")) is None
