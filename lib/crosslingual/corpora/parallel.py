"""Line-aligned parallel text: line i of one file translates line i of the other (paper, section 5: WMT16).

NTREX-128 is the free stand-in: the same 1,997 news sentences in every language, all translated from English.
"""

from pathlib import Path

from datasets import Dataset

from crosslingual.corpora.text import CorpusError, parallel_text, read_lines

# NTREX's own file codes; Chinese is the simplified script's file.
NTREX = dict(
    pair.split(":")
    for pair in """ar:arb bg:bul bn:ben ca:cat cs:ces da:dan de:deu el:ell en:eng es:spa et:est eu:eus fa:fas
    fi:fin fr:fra gl:glg he:heb hi:hin hr:hrv hu:hun id:ind it:ita ja:jpn ko:kor lv:lav mr:mar nl:nld
    no_bokmaal:nob no_nynorsk:nno pl:pol pt:por pt_br:por-BR ro:ron ru:rus sk:slk sl:slv sv:swe
    ta:tam te:tel tr:tur ur:urd zh:zho-CN""".split()
)


def read(source: str | Path, target: str | Path) -> Dataset:
    """Parallel text (``source``, ``target``); raises CorpusError if one file is longer or a line is blank."""
    sources, targets = read_lines(source), read_lines(target)
    if len(sources) != len(targets):
        shorter, longer = sorted([(len(sources), source), (len(targets), target)], key=lambda pair: pair[0])
        raise CorpusError(
            longer[1],
            shorter[0] + 1,
            f"{shorter[1]} ends before this line",
            "take two files in which line i of one translates line i of the other",
        )
    _check_no_blank(source, sources)
    _check_no_blank(target, targets)
    return parallel_text(sources, targets)


def ntrex_path(folder: str | Path, language: str) -> Path:
    """The file of a language in an NTREX-128 folder: English is the source, all others are references."""
    side = "src" if language == "en" else "ref"
    return Path(folder) / f"newstest2019-{side}.{NTREX[language]}.txt"


def _check_no_blank(path: str | Path, lines: list[str]) -> None:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            raise CorpusError(path, number, "the line is blank", "take the pair out of both files")
