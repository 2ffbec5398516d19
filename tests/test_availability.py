from types import SimpleNamespace

from crosslingual import availability, corpora
from crosslingual.corpora import CorpusUnavailable


class Half:
    """An edition that has English, only the training text of German, and one of two parallel texts."""

    pairs = [("en", "de"), ("hi", "ur")]

    def languages(self, task):
        return ["corrected"] if task == "code-switching" else ["en", "de"]

    evaluation_languages = languages

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
    assert list(survey.index) == [*corpora.TASKS, "parallel"]
    assert survey.at_hand.to_dict() == {"pos": 1, "ner": 1, "code-switching": 1, "parallel": 1}
    assert survey.missing["parallel"] == ["hi-ur"] and survey.why["pos"].startswith("no German")


def test_every_substitute_and_every_choice_is_filled_in():
    for table in (availability.substitutes(), availability.unstated()):
        assert len(table) and (table != "").all(axis=None)
