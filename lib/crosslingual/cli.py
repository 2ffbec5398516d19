"""The command line: `crosslingual --help`."""

import sys
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from pocketworld import World
from tqdm import tqdm

from crosslingual import book as the_book
from crosslingual import experiments, languages, results
from crosslingual.corpora import formats
from crosslingual.edition import Edition, checked, read_yaml

app = typer.Typer(
    help="An executable reproduction of 'How multilingual is Multilingual BERT?'.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
EditionName = Annotated[str, typer.Option("--edition", "-e", help="A name, or a path to a .yml.")]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--parameter", "-p", help="name=value; several with ; between, or repeated."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be computed, and stop.")]


def main() -> None:
    """Run a command; a mistake of the user's ends in one sentence and exit status 2."""
    try:
        app()
    except (ValueError, OSError) as error:
        if (sentence := _sentence(error)) is None:
            raise
        print(f"crosslingual: {sentence}", file=sys.stderr)
        sys.exit(2)


def _sentence(error: Exception) -> str | None:
    """What to say of a mistake that we found, or of a file that cannot be used; else None."""
    if type(error).__module__.split(".")[0] in ("crosslingual", "pocketworld"):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename2 or error.filename} cannot be used: {error.strerror}"
    return None


@app.command()
def book(
    edition: EditionName = the_book.DEFAULT,
    parameter: Assignments = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Compute all results anew.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Compute what is lacking, execute every chapter that is out of date, build the site."""
    given = the_book.parse(parameter or [])
    if dry_run:
        _tell(loaded := Edition.load(edition), experiments.plan(loaded))
    else:
        print(f"The book: {the_book.build(results.root(), edition, given, fresh)}")


@app.command()
def chapter(
    name: str, edition: EditionName = the_book.DEFAULT, parameter: Assignments = None
) -> None:
    """Rerun one chapter, with other parameters if you like; the site stays as it is."""
    given = the_book.parse(parameter or [])
    print(f"The page: {the_book.chapter(results.root(), name, edition, given)}")


@app.command()
def handout(name: str) -> None:
    """Write a chapter without its solutions, for students."""
    print(f"The handout: {the_book.handout(results.root(), name)}")


@app.command()
def run(
    words: Annotated[
        list[str] | None, typer.Argument(help="Only results with all of these.")
    ] = None,
    edition: EditionName = the_book.DEFAULT,
    dry_run: DryRun = False,
) -> None:
    """Compute ahead of time what the book lacks, or some of it: `crosslingual run pos m-bert`."""
    loaded, wanted = Edition.load(edition), set(words or [])
    jobs = [job for job in experiments.plan(loaded) if wanted <= set(str(job).split())]
    if dry_run:
        _tell(loaded, jobs)
    else:
        experiments.run(loaded, jobs)


def _tell(edition: Edition, jobs: list[experiments.Job]) -> None:
    """Print what is to be computed, and how long that takes."""
    for job in jobs:
        print(f"  {job}")
    cost = experiments.cost(edition, jobs, experiments.default_workers())
    print(f"{edition.title}: {cost} to compute." if jobs else f"{edition.title}: nothing lacks.")


@app.command()
def record(edition: Annotated[str, typer.Argument(help="A name, or a path to a .yml.")]) -> None:
    """Put an edition's results into book/recorded, for those who build without computing."""
    loaded = Edition.load(edition)
    experiments.record(loaded)
    print(f"Recorded: {results.recorded(loaded.name)}")


@app.command()
def pretrain(
    config: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A .yml.")],
    out: Annotated[Path | None, typer.Option(help="Default: CONFIG without .yml.")] = None,
) -> None:
    """Pre-train an encoder on an edition's text, or go on where a killed run stopped."""
    from crosslingual.models import pretrain  # here, as it loads torch

    mapping, lines = read_yaml(config)
    wanted = checked(pretrain.Specification, mapping, config, lines)
    loaded, folder = Edition.load(config.parent / wanted.edition), out or config.with_suffix("")
    draw, known = partial(loaded.document.corpora.text, pairs=loaded.pairs), languages.table().index
    texts = {code: draw(code, wanted.sentences) for code in tqdm(wanted.languages or known)}
    spelled = known if wanted.alphabet else []
    alphabet = "".join(sorted(set().union(*(line for code in spelled for line in draw(code, 500)))))
    about = f"of the edition `{loaded.name}`"
    pretrain.pretrain(texts, wanted.recipe, folder, alphabet, wanted.snapshots, about)
    print(f"The encoder: {folder}")


@app.command()
def probe(
    snapshots: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="With step-N.")],
    edition: EditionName = the_book.DEFAULT,
    encoder: Annotated[str, typer.Option(help="Which encoder they led to.")] = "m-bert",
) -> None:
    """Probe the snapshots kept while an encoder was pre-trained, and keep the curve."""
    experiments.probe(Edition.load(edition), encoder, snapshots)


@app.command()
def world(
    language: Annotated[str, typer.Argument(help="A code like en or pt_br.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    sentences: Annotated[int, typer.Option(min=1)] = 1000,
) -> None:
    """Write tagged sentences of the artificial world as CoNLL-U, for other tools to read."""
    # Draws of its own: no sentence is taken from the corpora of an edition.
    drawn = list(islice(World().sentences(language, "export"), sentences))
    words = [[token.form for token in said] for said in drawn]
    tags = [[token.upos for token in said] for said in drawn]
    out.parent.mkdir(parents=True, exist_ok=True)
    formats.write_conllu(formats.labelled_corpus(words, tags), out)
    print(f"The corpus: {out}")
