"""The command line: `crosslingual --help`."""

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
EditionName = Annotated[str, typer.Option("--edition", "-e", help="An edition's name, or a path to a .yml.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be computed and downloaded, and stop.")]
Assignments = Annotated[list[str], typer.Option("--parameter", "-p", help="name=value; may be repeated.")]


def main() -> None:
    """Run a command; a mistake of the user's ends in one sentence on standard error and exit status 2."""
    try:
        app()
    except (ValueError, OSError) as error:
        if not _is_ours(error):
            raise
        sys.exit(_complain(error))


def _is_ours(error: Exception) -> bool:
    """Whether a mistake of the user's is behind it: one that we found, or a file that cannot be read or written."""
    named = isinstance(error, OSError) and error.filename is not None
    return named or isinstance(error, FileNotFoundError) or type(error).__module__.startswith("crosslingual")


def _complain(error: Exception) -> int:
    print(f"crosslingual: {_sentence(error)}", file=sys.stderr)
    return 2


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename2 or error.filename} cannot be used: {error.strerror}"
    return str(error)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"crosslingual {version('crosslingual')}")
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True)] = False,
) -> None:
    """An executable reproduction of 'How multilingual is Multilingual BERT?'."""


@app.command()
def book(
    edition: EditionName = "pocket",
    parameter: Assignments = [],
    jobs: Annotated[int | None, typer.Option(min=1, help="Chapters at a time; default: two on two cores or more.")] = None,
    dry_run: DryRun = False,
) -> None:
    """Execute every chapter that is out of date and build the site."""
    from crosslingual import book, checkout, parameters, plan
    from crosslingual.editions import Edition

    if dry_run:
        print(plan.of(Edition.load(edition)))
        return
    print(f"The book: {book.build(checkout.root(), edition, parameters.parse(parameter), jobs)}")


@app.command()
def chapter(name: str, edition: EditionName = "pocket", parameter: Assignments = []) -> None:
    """Rerun one chapter, with other parameters if you like; the site stays as it is."""
    from crosslingual import book, checkout, parameters, site

    root = checkout.root()
    executed = book.chapter(root, name, edition, parameters.parse(parameter))
    print(f"The chapter: {executed}\nAs a page: {site.page(root, executed)}")


@app.command()
def handout(name: str) -> None:
    """Write a chapter without its solutions, for students."""
    from crosslingual import book, checkout, handout

    root = checkout.root()
    print(f"The handout: {handout.write(book.source(root, name), root / '_build/handouts' / f'{name}.ipynb')}")


@app.command()
def run(
    edition: EditionName = "pocket",
    task: Annotated[list[str], typer.Option(help="pos, ner, code-switching; default: all.")] = [],
    encoder: Annotated[list[str], typer.Option(help="Default: all of the edition's.")] = [],
    train: Annotated[list[str], typer.Option(help="Corpora to fine-tune on; default: all that the task has.")] = [],
    seed: Annotated[list[int], typer.Option(min=0, help="Default: the edition's.")] = [],
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default: one per core or GPU.")] = None,
    dry_run: DryRun = False,
) -> None:
    """Fine-tune ahead of time what the store lacks: all that the book shows, or what the options choose."""
    from crosslingual import grids, plan, sensitivity, transfer
    from crosslingual.editions import Edition

    loaded = Edition.load(edition)
    chosen = task or encoder or train or seed
    # The book's own plan counts what has yet to be fetched too; its models are known only when that is here.
    cells = _chosen(loaded, task, encoder, train, seed) if chosen else None
    print(plan.of(loaded, cells, workers=workers), flush=True)
    if dry_run:
        return
    cells = cells if chosen else grids.of_the_book(loaded)
    transfer.run(loaded, cells, workers=workers)
    variants = [] if chosen else sensitivity.lacking(loaded)
    if variants:
        sensitivity.measure(loaded)
    print(f"Fine-tuned {len(cells) + len(variants)} models; the rest was in the store.")


def _chosen(edition, tasks: list[str], encoders: list[str], train: list[str], seeds: list[int]) -> list:
    """The models that the options choose and the store lacks."""
    from crosslingual import corpora, transfer

    cells = []
    for encoder in encoders:
        edition.encoder(encoder).digest  # noqa: B018 - neither is an encoder that is not
    for task in tasks or corpora.TASKS:
        for language in train:
            edition.corpus_digest(task, language, "train")  # a language that is not at hand is a mistake here
        evaluate, languages = edition.evaluation_languages(task), train or edition.languages(task)
        for encoder in encoders or edition.encoders:
            cells += transfer.plan(edition, task, encoder, languages, evaluate, seeds or edition.seeds(task))
    return cells


@app.command()
def pretrain(
    config: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A .yml: edition, languages, sentences, recipe.")
    ],
    out: Annotated[Path | None, typer.Option(help="Folder of the encoder; default: CONFIG without .yml.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; default: the best there is.")] = None,
) -> None:
    """Pre-train an encoder, or go on where a killed run stopped."""
    from crosslingual import editions, pretrain

    specification, lines = editions.read_yaml(config)
    edition = str(specification.pop("edition", "pocket"))
    name = config.parent / edition if edition.endswith(".yml") else edition
    folder = out or config.with_suffix("")
    try:
        pretrain.pretrain_for(editions.Edition.load(name), specification, folder, device)
    except pretrain.RecipeError as problem:
        raise editions.mistake(config, lines, problem.key, str(problem)) from None
    print(f"The encoder: {folder}")


@app.command()
def record(
    edition: Annotated[str, typer.Argument(help="An edition's name, or a path to a .yml.")],
    incomplete: Annotated[bool, typer.Option(help="Record what there is, though models are missing.")] = False,
) -> None:
    """Put an edition's results into book/recorded, for those who build the book without its corpora."""
    from crosslingual import record
    from crosslingual.editions import Edition
    from crosslingual.store import recorded

    loaded = Edition.load(edition)
    records, size = record.record(loaded, incomplete)
    print(f"Recorded: {records} results, {size / 1e6:.1f} MB, in {recorded(loaded)}; digests in {loaded.document['digests']}")


@app.command()
def probe(
    snapshots: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Folder with step-N, of a pre-training run.")],
    edition: EditionName = "pocket",
    encoder: Annotated[str, typer.Option(help="The encoder that the run led to.")] = "m-bert",
) -> None:
    """Probe the snapshots of an encoder's pre-training for tagging, transfer and retrieval, and keep the curve."""
    from crosslingual import emergence
    from crosslingual.editions import Edition

    print(emergence.means(emergence.compute(Edition.load(edition), encoder, snapshots)).round(1).to_string())


@app.command()
def world(
    language: Annotated[str, typer.Argument(help="A code like en or pt_br.")],
    out: Annotated[Path, typer.Option(help="File to write.")],
    sentences: Annotated[int, typer.Option(help="How many.")] = 1000,
    format: Annotated[str, typer.Option(help="conllu (UPOS), conll (names) or text.")] = "text",
    parallel: Annotated[str | None, typer.Option(help="Write OUT.LANGUAGE and OUT.PARALLEL, aligned by lines.")] = None,
    edition: EditionName = "pocket",
) -> None:
    """Write sentences of an edition's artificial world to a file, for other tools to read."""
    from crosslingual.corpora import export
    from crosslingual.editions import Edition

    generator = export.world_of(Edition.load(edition))
    if parallel and format != "text":
        raise export.ExportError(f"parallel text has no labels: leave --format {format} out")
    if parallel:
        print("The texts:", *export.export_parallel(generator, language, parallel, sentences, out))
    else:
        export.export(generator, language, sentences, format, out)
        print(f"The corpus: {out}")
