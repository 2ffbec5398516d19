"""The form for a live kernel: what is kept at once, the cost before computing, then all of it."""

import pytest
from crosslingual import experiments, live
from test_experiments import tiny  # noqa: F401 (a fixture)


@pytest.fixture
def form(tiny):  # noqa: F811
    experiments.scores(edition := tiny(), "pos", ["en"], ["de"], seeds=1, encoders=["m-bert"])
    return live.Form(edition)


def test_what_is_kept_is_shown_and_the_rest_computed_after_its_cost(form):
    form.train.value, form.evaluate.value, form.seeds.value = ["en"], ["de"], 1
    assert form.scores.value.count("<td>") == 1 and form.button.disabled
    form.train.value = ["en", "de"]
    assert form.scores.value.count("<td>") == 1 and not form.button.disabled  # nothing was computed
    form.button.click()
    assert form.told.value.startswith("1 models and 0 other results, about 1 minute")
    assert form.scores.value.count("<td>") == 1
    form.button.click()
    assert form.scores.value.count("<td>") == 2 and form.button.disabled and not form.told.value


def test_a_task_brings_its_languages(form):
    form.task.value = "ner"
    assert set(form.train.value) <= set(form.edition.languages("ner"))
    form.task.value = "pos"
    assert form.train.value == ("en", "de")
