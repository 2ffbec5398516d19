"""Corpora to word pieces, on the machine with the GPU and its 16 processors: raw files in, arrays out."""
import os; os.environ["TOKENIZERS_PARALLELISM"] = "false"; os.environ.setdefault("OMP_NUM_THREADS", "1")
import hashlib, json, lzma, re, sys, tarfile, time
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from pathlib import Path
import numpy as np
SRC, OUT = Path(sys.argv[1]), Path(sys.argv[2]); sys.path.insert(0, str(SRC)); DATA = OUT / "data"
T0 = time.time()
def say(*a): print(f"[prep {time.time()-T0:6.1f}]", *a, flush=True)
import alignment, e5s1 as wheels
from transformers import AutoTokenizer, PreTrainedTokenizerFast
UPOS = ["ADJ","ADP","ADV","AUX","CCONJ","DET","INTJ","NOUN","NUM","PART","PRON","PROPN","PUNCT","SCONJ","SYM","VERB","X"]
IOB2 = ["O", *(f"{p}-{k}" for k in ("PER","LOC","ORG","MISC") for p in "BI")]
LAB = {"pos": UPOS, "code-switching": UPOS, "ner": IOB2}
ABOUT = json.loads((SRC / "cs.json").read_text(encoding="utf-8"))
PAIRS = [("en","de"),("en","ru"),("hi","ur"),*[tuple(x) for x in [["en","nl"],["en","es"],["en","it"],["en","bg"],["en","hi"],["en","ur"],["en","fa"],["en","ja"],["en","eu"],["en","fr"],["en","pt"],["en","sv"],["en","fi"],["en","tr"],["en","ar"],["en","zh"],["en","ko"],["de","nl"],["es","it"],["bg","ru"],["hi","fa"],["ur","fa"],["eu","es"],["it","de"],["ru","de"]]]]
def lines(path):
    text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    return text[:-1] if text[-1] == "" else text
def conllu(path):
    X, Y, x, y = [], [], [], []
    for line in lines(path) + [""]:
        if not line:
            if x: X.append(x); Y.append(y); x, y = [], []
        elif line[0] != "#": c = line.split("\t"); x.append(c[1]); y.append(c[3])
    return X, Y
def begins(before, tag): return tag != "O" and (tag[0] == "B" or before[1:] != tag[1:])
def conll(path):   # as crosslingual.corpora.conll.read
    X, Y, x, y = [], [], [], []
    for line in lines(path) + [""]:
        c = line.split("\t") if "\t" in line else re.split(" +", line.strip(" "))
        if c == [""] or c[0] == "-DOCSTART-":
            if x: X.append(x); Y.append(["B" + t[1:] if begins(b, t) else t for b, t in zip(["O", *y], y)]); x, y = [], []
        else: x.append(c[0]); y.append(c[-1])
    return X, Y
NAMES = {"nl": "ned", "es": "esp"}; ENDS = {"train": "train", "dev": "testa", "test": "testb"}
def read(task, l, s):
    if task == "code-switching": return tuple(ABOUT["cs"][f"{l}|{s}"])
    p = DATA / f"ud/{l}/{s}.conllu" if task == "pos" else DATA / f"ner16/{l}.{s}.conll"
    if task == "ner" and l in NAMES: p = DATA / f"conll2002/{NAMES[l]}.{ENDS[s]}"
    return None if not p.exists() else conllu(p) if task == "pos" else conll(p)
def corpora(task, l):
    if task == "code-switching" and l == "hi+en":
        a, b = corpora("pos", "hi")[0], corpora("pos", "en")[0]
        return {s: tuple(a[s][i] + b[s][i] for i in (0, 1)) for s in ("train", "dev")}, "hi held-out tenth and en dev file"
    tr, dv, kind = read(task, l, "train"), read(task, l, "dev"), "dev file"
    if dv is None:
        kind = "held-out tenth"; dv = tuple([x for i, x in enumerate(c) if i % 10 == 9] for c in tr); tr = tuple([x for i, x in enumerate(c) if i % 10 != 9] for c in tr)
    return {"train": tr, "dev": dv, "test": read(task, l, "test")}, kind
def digest(*things):
    h = hashlib.blake2b(digest_size=16)
    for t in things: h.update(t.tobytes() if isinstance(t, np.ndarray) else json.dumps(t, ensure_ascii=False).encode())
    return h.hexdigest()
TOK = {}
def fast(P, SK, pre, suf, ks, nsent, room=126):
    pl = [P[k] for k in ks]; n = np.fromiter(map(len, pl), np.int64, len(pl)); skip = np.fromiter((SK[k] for k in ks), np.int64, len(ks))
    row = np.zeros(len(pl), np.int64); r = at = 0
    tot = np.add.reduceat(n, np.concatenate([[0], np.cumsum(nsent)[:-1]]))
    for i, m in enumerate(nsent):
        if tot[i] <= room: row[at:at + m] = r
        else:
            used = 0
            for j in range(at, at + m):
                if used + n[j] > room: r += 1; used = 0
                used += n[j]; row[j] = r
        at += m; r += 1
    first = np.concatenate([[True], np.diff(row) > 0]); size = np.bincount(row, minlength=r)
    start = np.cumsum(n) - n; pos = start - np.repeat(start[first], size) + 1
    lens = np.bincount(row, weights=n, minlength=r).astype(np.int64) + 2
    ends = np.cumsum(lens); ids = np.full(int(lens.sum()), -1, np.int64); ids[ends - lens] = pre[0]; ids[ends - 1] = suf[0]
    ids[ids == -1] = np.fromiter(chain.from_iterable(pl), np.int64, int(n.sum()))
    return ids, lens, size, pos, skip
def work(a):
    enc, task, l = a; tok = TOK[enc]; out = {}; common = {}; dig = {}; pre, suf = alignment.special_tokens(tok)
    if task == "ntrex":
        f = DATA / "parallel/ntrex" / f"newstest2019-{'src' if l == 'en' else 'ref'}.{ABOUT['ntrex'][l]}.txt"
        text = lines(f); assert len(text) == 1997
        z = tok(text, truncation=True, max_length=128, return_special_tokens_mask=True)
        assert all(m[0] == 1 and m[-1] == 1 and sum(m) == 2 for m in z["special_tokens_mask"])
        out[f"ntrex|{l}|ids"] = np.fromiter(chain.from_iterable(z["input_ids"]), np.int32); out[f"ntrex|{l}|lens"] = np.array([len(r) for r in z["input_ids"]], np.uint8)
        common[f"ntrex|{l}|chars"] = np.array([len(x) for x in text], np.uint16)
        return out, common, {f"{enc}|ntrex|{l}": digest(out[f"ntrex|{l}|ids"])}, None
    C, kind = corpora(task, l); feeds = ["as in text"] if enc == "en-bert" else ["each", "as in text"]
    K = {(f, s): [(w, True) for x in X for w in x] if f == "each" or enc == "en-bert" else [p for x in X for p in alignment.spaced_words(x)] for f in feeds for s, (X, Y) in C.items()}
    P = alignment.word_pieces(tok, set(chain.from_iterable(K.values())))
    P = {t: x[:126] for t, x in P.items()}; SK = alignment.leading_signs(tok, P, 126)
    for s, (X, Y) in C.items():
        ix = {x: i for i, x in enumerate(LAB[task])}; n = [len(x) for x in X]
        common[f"{task}|{l}|{s}|labels"] = np.array([ix[x] for y in Y for x in y], np.uint8); common[f"{task}|{l}|{s}|words"] = np.array(n, np.uint16)
        dig[f"corpus|{task}|{l}|{s}"] = digest(X, Y)
        for f in feeds:
            ids, lens, nw, pos, skip = fast(P, SK, pre, suf, K[f, s], n); k = f"{task}|{l}|{s}|{f}|"
            if s == "dev" and l in ("fi", "zh", "ar", "nl", "hr"):
                for lab in ("with text", "first"):
                    e = alignment.encode(tok, X, 128, f, lab)
                    assert list(chain.from_iterable(e.rows)) == ids.tolist() and (e.position == pos + skip * (lab == "with text")).all() and [len(r) for r in e.rows] == lens.tolist() and (np.bincount(e.row) == nw).all()
            out[k + "ids"] = ids.astype(np.int32); out[k + "lens"] = lens.astype(np.uint8); out[k + "nwords"] = nw.astype(np.uint8); out[k + "pos"] = pos.astype(np.uint8); out[k + "skip"] = skip.astype(np.uint8)
            dig[f"{enc}|{k}"] = digest(ids.astype(np.int32), lens.astype(np.int32), pos.astype(np.int32), skip.astype(np.int32))
    return out, common, dig, (f"{task}|{l}", kind)
if __name__ == "__main__":
    tarfile.open(fileobj=lzma.open(SRC / "data.tar.xz")).extractall(DATA, filter="data"); say("unpacked")
    r = wheels.Reader((SRC / "e5.0").read_bytes()); h = wheels.read_header(r); pieces = wheels.read_pieces(r, h)
    TOK["m-bert"] = PreTrainedTokenizerFast(tokenizer_object=wheels.tokenizer(pieces, h), **wheels.special_pieces(pieces, h)); say("e5 tokenizer")
    TOK["en-bert"] = AutoTokenizer.from_pretrained(SRC / "minilm", local_files_only=True); say(type(TOK["en-bert"]))
    jobs = [(e, "pos", l) for l in ABOUT["pos"] for e in TOK] + [(e, "ner", l) for l in ABOUT["ner"] for e in TOK] + [("m-bert", "code-switching", l) for l in ("corrected", "transliterated", "hi+en")]
    jobs += [(e, "ntrex", l) for l in sorted({x for p in PAIRS for x in p}) for e in TOK]
    if len(sys.argv) > 3: jobs = [j for j in jobs if j[2] in sys.argv[3].split(",")]
    jobs.sort(key=lambda j: (j[1] == "ntrex", j[2] not in ("nl", "en", "hi+en", "es", "eu", "it", "zh", "ja", "id", "pt", "fr")))
    res = {e: {} for e in TOK}; common = {}; dig = {}; kinds = {}
    with ProcessPoolExecutor(int(os.environ.get("PREP", "15"))) as ex:
        for (e, *_), (out, com, d, kind) in zip(jobs, ex.map(work, jobs)):
            res[e] |= out; common |= com; dig |= d
            if kind: kinds[kind[0]] = kind[1]
    common["meta"] = np.frombuffer(json.dumps({"kind": kinds, "pairs": PAIRS, "ner": ABOUT["ner"], "pos": ABOUT["pos"]}).encode(), np.uint8)
    for name, d in (("common", common), ("m-bert.tokens", res["m-bert"]), ("en-bert.tokens", res["en-bert"])): np.savez(OUT / f"{name}.npz", **d)
    json.dump({"digests": dig, "kinds": kinds}, open(OUT / "digests.json", "w")); say("tokens", {e: sum(len(v) for k, v in d.items() if k.endswith("ids")) for e, d in res.items()})
