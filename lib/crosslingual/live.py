"""A form for scores, where a kernel is live: what is kept at once, the rest after its cost."""

from __future__ import annotations

from html import escape

import ipywidgets

from crosslingual import experiments
from crosslingual.edition import Edition

TASKS = sorted(experiments.TASKS, reverse=True)  # tagging first
COST = "What would the rest cost?"


class Form(ipywidgets.VBox):
    """Fields for task, encoder, languages and the number of seeds, and the mean scores of these.

    Scores that are kept are shown as soon as a field changes. A first click says what computing
    the others would cost, a second computes them.
    """

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self.task = ipywidgets.Dropdown(options=TASKS, description="task")
        encoders = [(edition.encoder_title(name), name) for name in edition.encoders]
        self.encoder = ipywidgets.Dropdown(options=encoders, description="encoder")
        self.train = ipywidgets.SelectMultiple(description="fine-tuned on", rows=6)
        self.evaluate = ipywidgets.SelectMultiple(description="evaluated on", rows=6)
        self.seeds = ipywidgets.BoundedIntText(len(edition.seeds()), min=1, description="seeds")
        self.button = ipywidgets.Button(layout={"width": "auto"})
        self.told = ipywidgets.HTML()
        self.scores = ipywidgets.HTML()
        fields = [self.task, self.encoder, self.train, self.evaluate, self.seeds]
        self._offer()
        self.task.observe(self._offer, "value")
        for field in fields[1:]:
            field.observe(self._show, "value")
        self.button.on_click(self._go_on)
        rows = fields[:2], fields[2:4], [self.seeds, self.button, self.told]
        super().__init__([*map(ipywidgets.HBox, rows), self.scores])

    def _offer(self, *_) -> None:
        """The corpora that a task has in this edition, the first few of them chosen."""
        known = self.edition.languages, self.edition.evaluation_languages
        for field, of in zip((self.train, self.evaluate), known, strict=True):
            field.options = codes = of(self.task.value)
            field.value = codes[:4]
        self._show()

    def _show(self, *_) -> None:
        """What is kept, why other cells are empty, and a button for what can be computed."""
        asked = self.task.value, self.train.value, self.evaluate.value, self.seeds.value
        with experiments.nothing_computed() as lacking:
            frame = experiments.scores(self.edition, *asked, [self.encoder.value])
        self.jobs, told = list(lacking), frame.reason[frame.reason != ""].head(1)
        self.told.value = "" if self.jobs else escape(" ".join(told))
        self.button.description = COST if self.jobs else "Nothing to compute"
        self.button.disabled = not self.jobs
        means = frame.pivot_table("score", "train", "evaluate", sort=False)
        self.scores.value = means.round(1).to_html(na_rep="")

    def _go_on(self, _) -> None:
        if self.button.description == COST:
            workers = experiments.default_workers()
            self.told.value = experiments.cost(self.edition, self.jobs, workers)
            self.button.description = "Compute them"
        else:
            self.button.disabled, self.button.description = True, "Being computed"
            experiments.run(self.edition, self.jobs)
            self._show()
