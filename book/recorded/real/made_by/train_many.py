"""All fine-tuned models and probes of the edition `real`, many at once on one GPU (or, tiny, on a CPU).

Parameters of many models lie stacked in one tensor, a slot each; every step takes the resident models whose next batches
have about the same width, runs them through one batched BERT, and lets each make its own AdamW step. The order of batches,
the initial output layer and the schedule are those of `crosslingual.finetune`; only the random masks of dropout differ.
Results are written as they come; a second call goes on where the first one stopped.
"""
import os
os.environ.setdefault("OMP_NUM_THREADS", "1")
import argparse, gc, io, json, lzma, os, pickle, zlib, sys, time, traceback
from concurrent.futures import ProcessPoolExecutor
import numpy as np

ap = argparse.ArgumentParser()
ap.add_argument("--data", default="data"); ap.add_argument("--stash", default="/tmp/stash")
ap.add_argument("--out", default=os.environ.get("OUT", "/tmp/out")); ap.add_argument("--tag", default="a")
ap.add_argument("--budget", type=float, default=400.0)   # seconds after which no further model is started
ap.add_argument("--hard", type=float, default=60.0)      # seconds beyond the budget after which unfinished models are dropped
ap.add_argument("--plan", default="full"); ap.add_argument("--eager", action="store_true")
ap.add_argument("--workers", type=int, default=12)
args = ap.parse_args()
T0 = time.time()
def say(*a): print(f"[{time.time()-T0:7.1f}]", *a, flush=True)

UPOS = 17; IOB2 = ["O", *(f"{p}-{k}" for k in ("PER", "LOC", "ORG", "MISC") for p in "BI")]
NLAB = {"pos": 17, "code-switching": 17, "ner": 9}
KEEP_ALIVE = []

# ------------------------------------------------------------------ data
def arrays(name):
    path = os.path.join(args.stash, name)
    z = np.load(path); return {k: z[k] for k in z.files}

def minilm(path):
    """Float32 tensors of a file that has each tensor's highest bytes deflated and the other three as they are."""
    b = open(path, "rb").read(); n = int.from_bytes(b[:4], "little"); at = 4 + n; found = {}
    for name, shape, top, low in json.loads(b[4:at]):
        hi = np.frombuffer(zlib.decompress(b[at:at + top]), np.uint8); lo = np.frombuffer(b[at + top:at + top + low], np.uint8).reshape(-1, 3); at += top + low
        found[name] = np.ascontiguousarray(np.concatenate([lo, hi[:, None]], axis=1)).view("<f4").reshape(shape)
    return found

class Enc:
    """Weights of an encoder, name -> float32 array, and the tokenised corpora."""
    def __init__(self, name, T):
        self.name, self.T = name, T
        if name == "m-bert":
            sys.path.insert(0, args.stash); import wheels
            r = wheels.Reader(b"".join(open(f"{args.stash}/e5.{i}", "rb").read() for i in range(3)))
            h = wheels.read_header(r); wheels.read_pieces(r, h); wheels.skip_normalisation(r)
            self.w = wheels.tensors(r.data, wheels.read_directory(r), h.sizes)
        else:
            self.w = minilm(f"{args.stash}/minilm.0") | minilm(f"{args.stash}/minilm.1")
        if args.plan == "tiny": self.w = {k: v for k, v in self.w.items() if not k.startswith("encoder.layer.") or k.startswith("encoder.layer.0.")}
        self.layers = 1 + max(int(k.split(".")[2]) for k in self.w if k.startswith("encoder.layer."))
        self.H = self.w["embeddings.word_embeddings.weight"].shape[1]; self.heads = 12
        self.F = self.w["encoder.layer.0.intermediate.dense.weight"].shape[0]; self.eps = 1e-12
    def ids(self, key): return self.T[key + "ids"]
def at_hand(name): return all(os.path.exists(f"{args.stash}/{x}") for x in (["e5.0", "e5.1", "e5.2"] if name == "m-bert" else ["minilm.0", "minilm.1"]))

class Corpus:
    """A tokenised corpus: ids2d [rows, width], lens, labels2d (-100 where nothing predicts), and where words are."""
    def __init__(self, enc, common, task, lang, split, feed, label):
        k = f"{task}|{lang}|{split}|{feed}|"
        T = enc.T
        self.lens = T[k + "lens"].astype(np.int64); flat = enc.ids(k); nw = T[k + "nwords"].astype(np.int64)
        self.pos = T[k + "pos"].astype(np.int64) + (T[k + "skip"].astype(np.int64) if label == "with text" else 0)
        self.row = np.repeat(np.arange(len(nw)), nw)
        self.words = common[f"{task}|{lang}|{split}|words"].astype(np.int64)
        gold = common.get(f"{task}|{lang}|{split}|labels")
        self.gold = gold.astype(np.int64)
        assert len(self.gold) == len(self.pos) == self.words.sum(), (k, len(self.gold), len(self.pos), self.words.sum())
        width = int(self.lens.max()); width += -width % 8
        self.ids2d = np.zeros((len(self.lens), width), np.int32)
        self.ids2d[np.arange(width)[None] < self.lens[:, None]] = flat
        self.labels2d = np.full(self.ids2d.shape, -100, np.int16)
        self.labels2d[self.row, self.pos] = self.gold
        self.nw = nw
    def localise(self):
        """Rows of the embedding table that occur (0, the padding, first) and ids in terms of them."""
        self.used = np.unique(np.append(self.ids2d.ravel(), 0).astype(np.int64)); assert self.used[0] == 0
        self.local2d = np.searchsorted(self.used, self.ids2d).astype(np.int32)

# ---- verbatim from crosslingual.finetune
BUCKET_JITTER = 0.05
def batches(lengths, batch_size, rng):
    jittered = np.asarray(lengths) * (1 + BUCKET_JITTER * rng.standard_normal(len(lengths)))
    order = np.argsort(jittered + rng.random(len(lengths)))
    cut = [order[start:start + batch_size] for start in range(0, len(order), batch_size)]
    return [cut[i] for i in rng.permutation(len(cut))]
def schedule(step, steps, warmup):
    rising = max(1, round(warmup * steps))
    return (step + 1) / rising if step < rising else (steps - step) / max(1, steps - rising)
# ---- verbatim from crosslingual.scoring
def entities(tags):
    found, start, current = set(), 0, ""
    for index, tag in enumerate([*tags, "O"]):
        prefix, kind = ("O", "") if tag == "O" else (tag[0], tag[2:])
        if current and (prefix != "I" or kind != current):
            found.add((start, index, current)); current = ""
        if kind and not current:
            start, current = index, kind
    return found
GOLD = {}   # (lang, split) -> list of sets of gold entities, for the pool
def count_entities(keys, preds):
    out = []
    for key, pred in zip(keys, preds):
        words, gold = GOLD[key]; at = 0; rows = []
        for n, true in zip(words, gold):
            guess = entities([IOB2[i] for i in pred[at:at + n]]); at += n
            rows.append((len(true & guess), len(guess), len(true)))
        out.append(np.array(rows, np.uint8).reshape(-1, 3))
    return out
# ---- verbatim from crosslingual.retrieval
CHUNK = 512
def shifted(source, target):
    return source + (target.mean(0, dtype=np.float64) - source.mean(0, dtype=np.float64)).astype(source.dtype)
def held_out(source, target):
    moved = source.copy()
    for half in (0, 1):
        others = slice(1 - half, None, 2)
        moved[half::2] += (target[others] - source[others]).mean(0, dtype=np.float64).astype(source.dtype)
    return moved
def unshifted(source, target): return source
PROTOCOLS = {"paper": shifted, "held out": held_out, "no shift": unshifted}
def nearest_neighbour_hits(source, target, protocol="paper"):
    centre = target.mean(0)
    queries, target = PROTOCOLS[protocol](source, target) - centre, target - centre
    norms = (target * target).sum(1)
    return _hits(len(target), lambda rows: 2 * queries[rows] @ target.T - norms)
def _hits(sentences, similarity):
    return np.concatenate([_chunk_hits(similarity(rows), rows) for rows in _chunks(sentences)])
def _chunks(sentences):
    return (np.arange(start, min(start + CHUNK, sentences)) for start in range(0, sentences, CHUNK))
def _chunk_hits(similarity, rows):
    best = similarity.max(1); true = similarity[np.arange(len(rows)), rows]
    return (true == best) / (similarity == best[:, None]).sum(1)
def subset(sentences, size, seed):
    if size is None or size >= sentences: return np.arange(sentences)
    return np.sort(np.random.default_rng(seed).choice(sentences, size, replace=False))
VECTORS = "/dev/shm/vectors" if os.path.isdir("/dev/shm") else "/tmp/vectors"
def retrieve(enc, source, target, sizes):
    a, b = (np.load(f"{VECTORS}/{enc}.{x}.npy", mmap_mode="r") for x in (source, target))
    found = []
    for size in sizes:
        chosen = subset(a.shape[1], size, 0)
        x, y = np.ascontiguousarray(a[:, chosen]), np.ascontiguousarray(b[:, chosen])
        for method in PROTOCOLS:
            for layer in range(len(x)):
                found.append((method, layer, len(chosen), nearest_neighbour_hits(x[layer], y[layer], method).astype(np.float32)))
    return source, target, found

if __name__ == "__main__":
    os.makedirs(args.stash, exist_ok=True); os.makedirs(args.out, exist_ok=True); os.makedirs(VECTORS, exist_ok=True)
    common = arrays("common.npz"); META = json.loads(common["meta"].tobytes())
    if args.plan == "tiny": META.update(pos=["mr", "te"], ner=["en"], pairs=[["en", "de"]])
    for l in META["ner"]:
        for s in ("test", "dev"):
            w = common[f"ner|{l}|{s}|words"].astype(np.int64); g = common[f"ner|{l}|{s}|labels"]; ends = np.cumsum(w)
            GOLD[(l, s)] = (w.astype(int).tolist(), [entities([IOB2[i] for i in g[e - n:e]]) for n, e in zip(w.astype(int), ends)])
    POOL = ProcessPoolExecutor(args.workers)
    list(POOL.map(abs, range(args.workers * 4)))   # forked before CUDA is touched
    say("pool ready")
import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
CUDA = torch.cuda.is_available(); DEV = torch.device("cuda" if CUDA else "cpu")
LOW = torch.bfloat16 if CUDA else torch.float32
DROP = 0.1 if CUDA else 0.0     # inside the encoder; the CPU tests compare with dropout off
LR, WARM, EPOCHS, BATCH = 2e-4, 0.1, 3, 32
MAXPOS = 128
EPS = 1e-12   # of the layer norms, in both encoders

if CUDA:
    import triton, triton.language as tl
    @triton.jit
    def adam_kernel(P, M, V, G, slot, lr, c1, c2, wd, scale, mask, n, stride, BLOCK: tl.constexpr, HASMASK: tl.constexpr):
        k = tl.program_id(1)
        at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK); ok = at < n
        s = tl.load(slot + k).to(tl.int64) * stride
        g = tl.load(G + k.to(tl.int64) * n + at, mask=ok, other=0.0).to(tl.float32) * tl.load(scale + k)
        m = tl.load(M + s + at, mask=ok, other=0.0); v = tl.load(V + s + at, mask=ok, other=0.0); p = tl.load(P + s + at, mask=ok, other=0.0)
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        rate = tl.load(lr + k); decay = rate * tl.load(wd + k)
        if HASMASK:
            p = p * (1.0 - decay * tl.load(mask + at, mask=ok, other=0).to(tl.float32))
        else:
            p = p * (1.0 - decay)
        p = p - (rate / tl.load(c1 + k)) * m / (tl.sqrt(v) / tl.sqrt(tl.load(c2 + k)) + 1e-8)
        tl.store(M + s + at, m, mask=ok); tl.store(V + s + at, v, mask=ok); tl.store(P + s + at, p, mask=ok)

def adam(P, M, V, G, idx, lr, c1, c2, wd, scale, mask=None):
    K, n = G.shape
    if CUDA:
        adam_kernel[(triton.cdiv(n, 2048), K)](P, M, V, G, idx, lr, c1, c2, wd, scale, mask if mask is not None else idx, n, P.shape[1],
                                               BLOCK=2048, HASMASK=mask is not None, num_warps=8)
        return
    for k in range(K):
        s = int(idx[k]); g = G[k].float() * scale[k]
        M[s].mul_(0.9).add_(g, alpha=0.1); V[s].mul_(0.999).addcmul_(g, g, value=0.001)
        P[s].mul_(1 - lr[k] * wd[k] * (mask.float() if mask is not None else 1.0))
        P[s].sub_((lr[k] / c1[k]) * M[s] / (V[s].sqrt() / c2[k].sqrt() + 1e-8))

# ------------------------------------------------------------------ the batched network
def first_half(x, w, b):
    return torch.bmm(x.to(w.dtype), w.transpose(1, 2)) + b.unsqueeze(1)
def second_half(ctx, x, wo, bo, g1, c1, w1, b1, w2, b2, g2, c2):
    p, eps = DROP, EPS
    o = F.dropout(torch.bmm(ctx, wo.transpose(1, 2)) + bo.unsqueeze(1), p, training=p > 0)
    y = F.layer_norm(o.float() + x, (x.shape[-1],), None, None, eps) * g1.unsqueeze(1) + c1.unsqueeze(1)
    f = F.gelu(torch.bmm(y.to(w1.dtype), w1.transpose(1, 2)) + b1.unsqueeze(1))
    o2 = F.dropout(torch.bmm(f, w2.transpose(1, 2)) + b2.unsqueeze(1), p, training=p > 0)
    return F.layer_norm(o2.float() + y, (x.shape[-1],), None, None, eps) * g2.unsqueeze(1) + c2.unsqueeze(1)
def embed(e, t, pos, g, c):   # e [K,B,L,H], t [K,H], pos [K,L,H]
    p, eps = DROP, EPS
    x = F.layer_norm(e + t[:, None, None] + pos[:, None], (e.shape[-1],), None, None, eps)
    return F.dropout(x * g[:, None, None] + c[:, None, None], p, training=p > 0)
def eval_second(ctx, x, wo, bo, g1, c1, w1, b1, w2, b2, g2, c2):
    eps = EPS
    y = F.layer_norm(F.linear(ctx, wo, bo).float() + x, (x.shape[-1],), g1, c1, eps)
    f = F.gelu(F.linear(y.to(w1.dtype), w1, b1))
    return F.layer_norm(F.linear(f, w2, b2).float() + y, (x.shape[-1],), g2, c2, eps)
RAW = {"first": first_half, "second": second_half, "embed": embed, "eval": eval_second}
FN = dict(RAW)
if CUDA and not args.eager:
    import torch._dynamo
    torch._dynamo.config.cache_size_limit = 64
    FN = {k: torch.compile(v) for k, v in RAW.items()}
CALLS = dict.fromkeys(RAW, 0)
def changing(name, a):
    """Tell the compiler which sizes change: models, tokens, lengths; hidden sizes stay."""
    for i, t in enumerate(a):
        if name == "eval": dims = (0,) if i < 2 else ()
        elif name == "embed": dims = {0: (0, 2), 2: (0, 1)}.get(i, (0,))
        else: dims = (0, 1) if i == 0 or (i == 1 and name == "second") else (0,)
        for d in dims: torch._dynamo.maybe_mark_dynamic(t, d)
def call(name, *a):
    if FN[name] is RAW[name] or (name != "eval" and a[0].shape[0] == 1): return RAW[name](*a)
    CALLS[name] += 1
    try:
        if CALLS[name] < 4: changing(name, a)
        return FN[name](*a)
    except torch.cuda.OutOfMemoryError:
        raise
    except Exception as problem:
        if FN[name] is RAW[name]: raise
        say("compile failed, eager from now on:", name, repr(problem)[:300]); FN[name] = RAW[name]
        return RAW[name](*a)

def attention(h, K, B, L, heads, bias, p):
    hd = h.shape[-1] // (3 * heads)
    q, k, v = (part.view(K * B, L, heads, hd).transpose(1, 2) for part in h.split(heads * hd, dim=-1))
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, dropout_p=p)
    return out.transpose(1, 2).reshape(K, B * L, heads * hd)

class Layout:
    """Where each parameter is in a flat row."""
    def __init__(self): self.at, self.n = {}, 0
    def add(self, name, *shape):
        size = int(np.prod(shape)); self.at[name] = (self.n, size, shape); self.n += size + (-size % 8)
    def views(self, flat, lead=True):
        return {k: (flat[:, o:o + s].view(len(flat), *shape) if lead else flat[o:o + s].view(*shape)) for k, (o, s, shape) in self.at.items()}

def initial_head(H, labels, seed):
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        linear = torch.nn.Linear(H, labels); torch.nn.init.normal_(linear.weight, std=0.02); torch.nn.init.zeros_(linear.bias)
    return linear.weight.detach(), linear.bias.detach()

class Engine:
    """Slots for many models of one encoder and one number of labels."""
    def __init__(self, enc, labels, slots, rows, recipe_p=0.1):
        self.enc, self.C, self.S, self.R = enc, labels, slots, rows
        H, Fd = enc.H, enc.F; self.Cp = labels + (-labels % 8)
        A, B = Layout(), Layout()
        for i in range(enc.layers):
            A.add(f"wqkv{i}", 3 * H, H); A.add(f"bqkv{i}", 3 * H); A.add(f"wo{i}", H, H); A.add(f"bo{i}", H)
            A.add(f"w1{i}", Fd, H); A.add(f"b1{i}", Fd); A.add(f"w2{i}", H, Fd); A.add(f"b2{i}", H)
        A.add("wh", self.Cp, H); A.add("bh", self.Cp)
        B.add("pos", MAXPOS, H); B.add("type", H); B.add("g", H); B.add("c", H)
        for i in range(enc.layers):
            for n in ("g1", "c1", "g2", "c2"): B.add(f"{n}{i}", H)
        self.A, self.B = A, B
        assert A.n == sum(size for _, size, _ in A.at.values())   # no gaps, so that gradients fill the whole row
        w = enc.w; a0, b0 = np.zeros(A.n, np.float32), np.zeros(B.n, np.float32)
        def put(flat, lay, name, value):
            o, s, shape = lay.at[name]; assert tuple(shape) == tuple(value.shape), (name, shape, value.shape); flat[o:o + s] = value.reshape(-1)
        for i in range(enc.layers):
            q = f"encoder.layer.{i}."; s = q + "attention.self."
            for kind, n in (("weight", "wqkv"), ("bias", "bqkv")):
                put(a0, A, f"{n}{i}", np.concatenate([w[s + x + "." + kind] for x in ("query", "key", "value")]))
            for kind, n in (("weight", "w"), ("bias", "b")):
                put(a0, A, f"{n}o{i}", w[q + "attention.output.dense." + kind]); put(a0, A, f"{n}1{i}", w[q + "intermediate.dense." + kind])
                put(a0, A, f"{n}2{i}", w[q + "output.dense." + kind])
            for kind, n in (("weight", "g"), ("bias", "c")):
                put(b0, B, f"{n}1{i}", w[q + "attention.output.LayerNorm." + kind]); put(b0, B, f"{n}2{i}", w[q + "output.LayerNorm." + kind])
        e = "embeddings."
        put(b0, B, "pos", w[e + "position_embeddings.weight"][:MAXPOS]); put(b0, B, "type", w[e + "token_type_embeddings.weight"][0])
        put(b0, B, "g", w[e + "LayerNorm.weight"]); put(b0, B, "c", w[e + "LayerNorm.bias"])
        self.a0, self.b0 = torch.from_numpy(a0).to(DEV), torch.from_numpy(b0).to(DEV)
        self.table = torch.from_numpy(w[e + "word_embeddings.weight"]).to(DEV)
        z = lambda n: torch.zeros(slots, n, device=DEV)
        self.P = [z(A.n), z(B.n), z(rows * H)]; self.M = [z(A.n), z(B.n), z(rows * H)]; self.V = [z(A.n), z(B.n), z(rows * H)]
        decays = lambda lay: torch.cat([torch.full((s + (-s % 8),), float(len(shape) > 1), device=DEV) for o, s, shape in lay.at.values()]).to(torch.uint8)
        self.mask = [decays(A), decays(B), None]
        self.slot = [None] * slots
        self.tokens = self.padded = 0; self.steps = 0

    def load(self, s, job, corpus):
        """Put a fresh model into slot s."""
        H = self.enc.H
        self.P[0][s].copy_(self.a0); self.P[1][s].copy_(self.b0)
        wh, bh = initial_head(H, self.C, job["seed"])
        o, n, _ = self.A.at["wh"]; self.P[0][s, o:o + self.C * H] = wh.reshape(-1).to(DEV)
        used = torch.from_numpy(corpus.used).to(DEV)
        self.P[2][s].zero_(); self.P[2][s, :len(used) * H] = self.table[used].reshape(-1)
        for X in (self.M, self.V):
            for t in X: t[s].zero_()
        r = job["recipe"]; rng = np.random.default_rng(job["seed"]); bs = r.get("batch_size", BATCH)
        plan = [rows for epoch in [batches(corpus.lens, bs, rng) for _ in range(EPOCHS)] for rows in epoch]
        if args.plan == "tiny": plan = plan[:4]
        widths = [int(-(-int(corpus.lens[rows].max()) // 8) * 8) for rows in plan]
        self.slot[s] = dict(job=job, corpus=corpus, plan=plan, widths=widths, done=0, used=used, losses=[],
                            decayed=1.0, tokens=0)

    def choose(self):
        """Slots whose next batches go well together: the window, in order of width, with most useful tokens for its cost."""
        ready = sorted((st["widths"][st["done"]], s) for s, st in enumerate(self.slot) if st)
        if not ready: return []
        left = {s: len(self.slot[s]["plan"]) - self.slot[s]["done"] for _, s in ready}; most = max(left.values())
        use = [w * BATCH * (1 + 0.7 * left[s] / most) for w, s in ready]
        best, chosen = -1.0, None
        for last in range(len(ready) - 1, -1, -1):
            L = ready[last][0]; room = max(1, min(KMAX, TOKENS // (BATCH * L)))
            gain = 0.0
            for first in range(last, max(-1, last - room), -1):
                gain += use[first]
                rate = gain / (STEPCOST + (last - first + 1) * (BATCH * L + MODELCOST))
                if rate > best: best, chosen = rate, (first, last)
        return [s for _, s in ready[chosen[0]:chosen[1] + 1]]

    def step(self):
        """One step of some of the resident models; returns the slots that are done with it."""
        S = self.choose()
        sts = [self.slot[s] for s in S]; K = len(S)
        L = max(st["widths"][st["done"]] for st in sts); B = max(BATCH if K > 1 else 1, max(len(st["plan"][st["done"]]) for st in sts))
        H, heads, eps = self.enc.H, self.enc.heads, self.enc.eps
        ids = np.zeros((K, B, L), np.int64); lab = np.full((K, B, L), -100, np.int64); lens = np.ones((K, B), np.int64)
        lr, c1, c2, wd, clip, pd = (np.zeros(K, np.float32) for _ in range(6))
        for k, st in enumerate(sts):
            c, rows = st["corpus"], st["plan"][st["done"]]; n = min(L, c.local2d.shape[1])
            ids[k, :len(rows), :n] = c.local2d[rows, :n]; lab[k, :len(rows), :n] = c.labels2d[rows, :n]; lens[k, :len(rows)] = c.lens[rows]
            r, t = st["job"]["recipe"], st["done"] + 1
            lr[k] = LR * schedule(st["done"], len(st["plan"]), WARM); wd[k] = r.get("weight_decay", 0.0); clip[k] = r.get("max_grad_norm", 1.0)
            c1[k], c2[k] = 1 - 0.9 ** t, 1 - 0.999 ** t
            if not r.get("bias_correction", True):   # as finetune.set_rate has it
                factor = float(c1[k]) / float(c2[k]) ** 0.5; lr[k] *= factor; wd[k] /= factor
            pd[k] = r.get("dropout", DROP); st["decayed"] *= 1 - float(lr[k]) * float(wd[k])
            used = int(c.lens[rows].sum()); st["tokens"] += used; self.tokens += used
        self.padded += K * B * L; self.steps += 1
        valid = np.flatnonzero((np.arange(L)[None, None] < lens[:, :, None]).reshape(-1))
        glob = (ids + (np.arange(K) * self.R)[:, None, None]).reshape(-1)[valid]
        up = lambda a: torch.from_numpy(a).pin_memory().to(DEV, non_blocking=True) if CUDA else torch.from_numpy(a)
        small = up(np.stack([lr, c1, c2, wd, clip, pd, (lab >= 0).sum((1, 2)).astype(np.float32)]))
        lr, c1, c2, wd, clip, pd, words = small.unbind(0)
        idx, ids, lab, lens, valid, glob = up(np.array(S, np.int64)), up(ids), up(lab), up(lens), up(valid), up(glob)
        W = torch.empty(K, self.A.n, dtype=LOW, device=DEV)
        for k, s in enumerate(S): W[k].copy_(self.P[0][s])
        Bs = self.P[1][idx]
        leaf = lambda d: {k: v.detach().requires_grad_() for k, v in d.items()}
        a, b = leaf(self.A.views(W)), self.B.views(Bs); b["pos"] = b["pos"][:, :L]; b = leaf(b)
        e = self.P[2].view(self.S, self.R, H)[idx[:, None, None], ids].requires_grad_()
        keep = torch.arange(L, device=DEV)[None, None] < lens[:, :, None]
        bias = torch.zeros(K * B, 1, 1, L, dtype=LOW, device=DEV).masked_fill_(~keep.view(K * B, 1, 1, L), float("-inf"))
        x = call("embed", e, b["type"], b["pos"], b["g"], b["c"]).view(K, B * L, H)
        with sdpa_kernel([SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]):
            for i in range(self.enc.layers):
                ctx = attention(call("first", x, a[f"wqkv{i}"], a[f"bqkv{i}"]), K, B, L, heads, bias, DROP)
                x = call("second", ctx, x, a[f"wo{i}"], a[f"bo{i}"], b[f"g1{i}"], b[f"c1{i}"], a[f"w1{i}"], a[f"b1{i}"], a[f"w2{i}"], a[f"b2{i}"],
                         b[f"g2{i}"], b[f"c2{i}"])
            if CUDA:
                x = x * ((torch.rand_like(x) >= pd[:, None, None]) / (1 - pd[:, None, None]))
            logits = (torch.bmm(x.to(LOW), a["wh"].transpose(1, 2)) + a["bh"].unsqueeze(1))[..., :self.C].float()
            loss = F.cross_entropy(logits.reshape(-1, self.C), lab.view(-1), ignore_index=-100, reduction="none").view(K, -1).sum(1) / words
            leaves = [*a.values(), *b.values(), e]
            grads = torch.autograd.grad(loss.sum(), leaves)
        nA, nB = len(a), len(b)
        gA = torch.empty(K, self.A.n, dtype=LOW, device=DEV); gB = torch.zeros(K, self.B.n, device=DEV)
        for (o, s, shape), g in zip(self.A.at.values(), grads[:nA]): gA[:, o:o + s].copy_(g.reshape(K, -1))
        for (o, s, shape), g in zip(self.B.at.values(), grads[nA:nA + nB]): gB[:, o:o + g[0].numel()].copy_(g.reshape(K, -1))
        gW = torch.zeros(K * self.R, H, device=DEV).index_add_(0, glob, grads[-1].reshape(-1, H)[valid]).view(K, -1)
        norm = sum(torch.linalg.vector_norm(g, dim=1, dtype=torch.float32) ** 2 for g in (gA, gB, gW)).sqrt()
        scale = (clip / (norm + 1e-6)).clamp(max=1.0)
        for P, M, V, G, mask in zip(self.P, self.M, self.V, (gA, gB, gW), self.mask): adam(P, M, V, G, idx, lr, c1, c2, wd, scale, mask)
        detached = loss.detach()
        for k, st in enumerate(sts): st["losses"].append(detached[k])
        for st in sts: st["done"] += 1
        return [s for s in S if self.slot[s]["done"] == len(self.slot[s]["plan"])]

    def model(self, s):
        """The finished model of a slot, as evaluation wants it."""
        st = self.slot[s]
        m = dict(A=self.P[0][s].to(LOW), B=self.P[1][s].clone(), W=self.P[2][s, :len(st["used"]) * self.enc.H].clone(), used=st["used"],
                 decayed=st["decayed"])
        return m

    @torch.no_grad()
    def predict(self, m, text):
        """Index of the best label of every word of an Evaluation: int8 tensor on the device."""
        H, heads, eps = self.enc.H, self.enc.heads, self.enc.eps
        table = (self.table * m["decayed"]).index_copy(0, m["used"], m["W"].view(-1, H))
        a, b = self.A.views(m["A"], False), self.B.views(m["B"], False)
        best = torch.empty(text.n, dtype=torch.int8, device=DEV)
        backends = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
        with sdpa_kernel(backends):
            for ids, place, word in text.batches:
                n, L = ids.shape
                x = F.layer_norm(table[ids] + b["type"] + b["pos"][:L], (H,), b["g"], b["c"], eps).view(n * L, H)
                for i in range(self.enc.layers):
                    h = F.linear(x.to(LOW), a[f"wqkv{i}"], a[f"bqkv{i}"])
                    ctx = attention(h, 1, n, L, heads, None, 0.0)[0]
                    x = call("eval", ctx, x, a[f"wo{i}"], a[f"bo{i}"], b[f"g1{i}"], b[f"c1{i}"], a[f"w1{i}"], a[f"b1{i}"], a[f"w2{i}"], a[f"b2{i}"],
                             b[f"g2{i}"], b[f"c2{i}"])
                logits = F.linear(x[place].to(LOW), a["wh"], a["bh"])[:, :self.C]
                best[word] = logits.argmax(-1).to(torch.int8)
        return best

EVALTOK = 131072 if CUDA else 2048
class Evaluation:
    """Corpora to tag, rows of equal length together, no padding."""
    def __init__(self, corpora):
        self.names = [n for n, _ in corpora]; cs = [c for _, c in corpora]
        offs = np.cumsum([0] + [len(c.gold) for c in cs]); self.n = int(offs[-1]); self.offs = offs
        self.gold = torch.from_numpy(np.concatenate([c.gold for c in cs])).to(DEV)
        self.words = [c.words for c in cs]
        lens = np.concatenate([c.lens for c in cs]); nw = np.concatenate([c.nw for c in cs]); pos = np.concatenate([c.pos for c in cs])
        width = max(c.ids2d.shape[1] for c in cs)
        ids = np.concatenate([np.pad(c.ids2d, ((0, 0), (0, width - c.ids2d.shape[1]))) for c in cs])
        starts = np.cumsum(nw) - nw
        self.batches = []; self.tokens = int(lens.sum())
        for L in np.unique(lens):
            rows = np.flatnonzero(lens == L); size = max(1, EVALTOK // int(L))
            for at in range(0, len(rows), size):
                r = rows[at:at + size]
                word = np.concatenate([np.arange(starts[x], starts[x] + nw[x]) for x in r])
                place = np.repeat(np.arange(len(r)) * int(L), nw[r]) + pos[word]
                self.batches.append(tuple(torch.from_numpy(z).to(DEV) for z in (ids[r, :L].astype(np.int64), place, word)))
        sent = np.concatenate([np.repeat(np.arange(len(w)) + o, w) for w, o in zip(self.words, np.cumsum([0] + [len(w) for w in self.words]))])
        self.sent = torch.from_numpy(sent).to(DEV); self.nsent = sum(len(w) for w in self.words)
    def correct(self, best):
        """Correct words of every sentence, a list of arrays, one a corpus."""
        hit = (best == self.gold).to(torch.int32)
        per = torch.zeros(self.nsent, dtype=torch.int32, device=DEV).index_add_(0, self.sent, hit).cpu().numpy().astype(np.uint8 if max(w.max() for w in self.words) < 256 else np.uint16)
        return np.split(per, np.cumsum([len(w) for w in self.words])[:-1])
    def by_corpus(self, best):
        return [best[a:b] for a, b in zip(self.offs, self.offs[1:])]

KMAX, TOKENS, STEPCOST, MODELCOST = (40, 65536, 16384, 700) if CUDA else (4, 16384, 100, 10)

# ------------------------------------------------------------------ jobs
RESULTS, STATE = [], {}
def keyof(j): return (j["enc"], j["task"], j["train"], j["seed"], j["feed"], j["label"], j["variant"])
DONE = {}
VARIANTS = {"weight decay 0.01": {"weight_decay": 0.01}, "no clipping": {"max_grad_norm": 1e9},
            "no bias correction in Adam": {"bias_correction": False}, "no dropout": {"dropout": 0.0}, "batches of 16": {"batch_size": 16}}
def job(enc, task, train, seed, feed, label, variant="", evaluate="all", stage="grid", replaces=None):
    return dict(enc=enc, task=task, train=train, seed=seed, feed=feed, label=label, variant=variant, recipe=VARIANTS.get(variant, {}),
                evaluate=evaluate, stage=stage, replaces=replaces)
_corp, _eval = {}, {}
def corpus(enc, task, lang, split, feed, label):
    k = (enc.name, task, lang, split, feed, label)
    if k not in _corp:
        _corp[k] = Corpus(enc, common, task, lang, split, feed, label)
        if split == "train": _corp[k].localise()
    return _corp[k]
def evaluation(enc, task, langs, split, feed, label):
    k = (enc.name, task, tuple(langs), split, feed, label)
    if k not in _eval: _eval[k] = Evaluation([(l, corpus(enc, task, l, split, feed, label)) for l in langs])
    return _eval[k]
SEVEN = ["en", "de", "ja", "zh", "ko", "hi", "he"]
CONF_TRAIN, CONF_EVAL = ["hi", "ur", "en", "bg", "ja"], ["hi", "ur", "en", "bg", "ja", "de"]
def tests_of(j):
    if j["evaluate"] == "none": return []
    if j["evaluate"] == "seven": return SEVEN
    if isinstance(j["evaluate"], list): return j["evaluate"]
    return {"pos": META["pos"], "ner": META["ner"], "code-switching": ["corrected", "transliterated"]}[j["task"]]
def devscore(task, counts):
    t = counts.sum(0)
    return 100.0 * t[0] / t[1] if counts.shape[1] == 2 else (200.0 * t[0] / (t[1] + t[2]) if t[0] else 0.0)

EVALTIME = [0.0, 0, 0.0]
def assess(engine, m, j, res):
    """Tag dev and test sets; counts go into res (for NER by the pool, later)."""
    enc, t0 = engine.enc, time.time()
    res["pending"] = []
    for split, langs in (("dev", [j["train"]]), ("test", tests_of(j))):
        if not langs or (split == "dev" and "dev" in res): continue
        ev = evaluation(enc, j["task"], langs, split, j["feed"], j["label"]); best = engine.predict(m, ev); EVALTIME[1] += ev.tokens
        EVALTIME[2] += ev.tokens * 2 * (engine.A.n)
        if j["task"] == "ner":
            parts = [p.cpu().numpy().astype(np.uint8) for p in ev.by_corpus(best)]
            res["pending"].append((split, langs, POOL.submit(count_entities, [(l, split) for l in langs], parts)))
        else:
            got = dict(zip(langs, ev.correct(best)))
            if split == "dev":
                res["dev"] = np.stack([got[langs[0]].astype(np.int64), ev.words[0]], 1)
            else:
                res["test"] = got
                if enc.name == "m-bert" and j["task"] == "pos" and j["train"] in CONF_TRAIN and j["evaluate"] == "all" and not j["variant"]:
                    parts, golds = dict(zip(langs, ev.by_corpus(best))), dict(zip(langs, ev.by_corpus(ev.gold)))
                    res["confusion"] = {l: torch.bincount(golds[l] * 17 + parts[l].long(), minlength=289).cpu().numpy() for l in CONF_EVAL if l in parts}
    EVALTIME[0] += time.time() - t0
def settle(res, wait=True):
    for split, langs, future in res.get("pending", []):
        counts = dict(zip(langs, future.result()))
        res[split] = counts[langs[0]] if split == "dev" else counts
    res["pending"] = []
    if "dev" in res: res["dev_score"] = float(devscore(res["job"]["task"], res["dev"]))

def finish(engine, s, keepers):
    st = engine.slot[s]; j = st["job"]; m = engine.model(s); c = st["corpus"]
    losses = torch.stack(st["losses"]).cpu().numpy()
    res = dict(job=j, first=float(losses[0]), last=float(losses[-1]), last10=float(losses[-10:].mean()), tokens=st["tokens"], steps=len(losses), train_sentences=int(len(c.words)),
               train_rows=int(len(c.lens)), embedding_rows=int(len(c.used)), date=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    assess(engine, m, j, res)
    if keepers is not None: keepers[keyof(j)] = (m, res)
    RESULTS.append(res); engine.slot[s] = None
    return res

def over(extra=0.0): return time.time() - T0 > args.budget + extra
LASTSAVE = [time.time()]
def train_all(engine, jobs, keepers=None, on_done=None):
    """Fine-tune jobs, longest first, a slot each; on_done may give more jobs."""
    enc = engine.enc
    size = lambda j: (j["enc"] == "en-bert" and j["task"] == "pos" and j["seed"] > 1 and j["train"] not in ("de", "en", "es", "it", "ur"), -len(corpus(enc, j["task"], j["train"], "train", j["feed"], j["label"]).lens) * (2 if j["recipe"].get("batch_size") == 16 else 1))
    queue = sorted([j for j in jobs if keyof(j) not in DONE], key=size); started = time.time(); mine = []
    for j in list(jobs):   # groups that an earlier call finished without their replacements
        if on_done and keyof(j) in DONE and j["seed"] == 1: queue += [m for m in on_done(dict(job=j), mine) if keyof(m) not in DONE]
    tok0, pad0, st0, ev0 = engine.tokens, engine.padded, engine.steps, EVALTIME[0]
    say("queue", enc.name, len(queue), "models of", len(jobs)); last = time.time()
    while True:
        for s in range(engine.S):
            if engine.slot[s] is None and queue and not over():
                j = queue.pop(0); engine.load(s, j, corpus(enc, j["task"], j["train"], "train", j["feed"], j["label"]))
        if not any(engine.slot) or over(args.hard): break
        for s in engine.step():
            res = finish(engine, s, keepers); mine.append(res)
            for more in (on_done(res, mine) if on_done else []):
                if keyof(more) not in DONE: queue.insert(0, more)
        if time.time() - last > 15:
            say("running", enc.name, "done", len(mine), "waiting", len(queue), "steps", engine.steps, "useful share", round(engine.tokens / max(1, engine.padded), 3)); last = time.time()
        if time.time() - LASTSAVE[0] > 60: save()
    if CUDA: torch.cuda.synchronize()
    wall = time.time() - started; ev = EVALTIME[0] - ev0; tokens = engine.tokens - tok0
    dropped = sum(x is not None for x in engine.slot)
    for r in mine: r["seconds"] = (wall - ev) * r["tokens"] / max(1, tokens)
    flops = 6.0 * engine.A.n * tokens
    say(f"{enc.name} C={engine.C}: {len(mine)} models in {wall:.1f} s ({ev:.1f} evaluating), {tokens/1e6:.1f} M tokens useful of {(engine.padded-pad0)/1e6:.1f} M, {engine.steps-st0} steps, "
        f"training {flops/1e12/max(1e-9, wall-ev):.0f} TFLOP/s useful, dropped {dropped}, queue left {len(queue)}, peak {torch.cuda.max_memory_allocated()/2**30 if CUDA else 0:.1f} GiB")
    TIMES.append(dict(encoder=enc.name, labels=engine.C, models=len(mine), wall=wall, evaluating=ev, tokens=tokens, padded=engine.padded - pad0, steps=engine.steps - st0, flops=flops))
    engine.slot = [None] * engine.S
    save()
    return mine
TIMES = []
def save():
    LASTSAVE[0] = time.time()
    for r in RESULTS:
        if all(f.done() for _, _, f in r["pending"]): settle(r)
    ready = [r for r in RESULTS if not r["pending"]]
    body = dict(results=ready, retrieval=RETRIEVED, decision=STATE.get("decision"), times=TIMES, eval=list(EVALTIME), device=torch.cuda.get_device_name(0) if CUDA else "cpu",
                torch=torch.__version__, wall=time.time() - T0)
    blob = lzma.compress(pickle.dumps(body, protocol=4), preset=0)
    parts = [blob[i:i + 15 * 2**20] for i in range(0, len(blob), 15 * 2**20)]
    for i, p in enumerate(parts):
        with open(f"{args.out}/results_{args.tag}_{i}.xz.part", "wb") as f: f.write(p)
        os.replace(f"{args.out}/results_{args.tag}_{i}.xz.part", f"{args.out}/results_{args.tag}_{i}.xz")
    state = dict(done=[(*keyof(r["job"]), r["dev_score"]) for r in ready] + [(*k, d) for k, d in DONE.items()], decision=STATE.get("decision"), retrieved=sorted({r["encoder"] for r in RETRIEVED} | set(STATE.get("retrieved", []))))
    for p in (args.out, args.stash):
        with open(f"{p}/state.json", "w") as f: json.dump(state, f)
    say("saved", len(ready), "of", len(RESULTS), f"{len(blob)/2**20:.1f} MiB")

# ------------------------------------------------------------------ rules, fixed beforehand
def replacements(res, mine):
    """A run whose source dev score is below 80 % of the best among its seeds fell apart: the next unused seed takes its place."""
    j = res["job"]; same = (j["enc"], j["task"], j["train"], j["feed"], j["label"], j["variant"])
    if j["variant"]: return []
    group = {}
    for k, d in list(DONE.items()):
        if (k[0], k[1], k[2], k[4], k[5], k[6]) == same: group[k[3]] = d
    for r in RESULTS:
        q = r["job"]
        if (q["enc"], q["task"], q["train"], q["feed"], q["label"], q["variant"]) == same:
            settle(r); group[q["seed"]] = r["dev_score"]
    wanted = 3
    if sorted(group)[:3] != [1, 2, 3]: return []
    if len(group) < STATE["asked"].get(same, 3): return []      # a replacement is still running
    best = max(group.values()); good = [s for s, d in group.items() if d >= 0.8 * best]
    lacking, top, more = wanted - len(good), max(group), []
    for i in range(max(0, min(lacking, 6 - top))): more.append(dict(j, seed=top + 1 + i, replaces=-1))
    STATE["asked"][same] = len(group) + len(more)
    if more: say("fell apart:", same, {s: round(d, 1) for s, d in sorted(group.items())}, "new seeds", [m["seed"] for m in more])
    return more
ORDER = [("neither", "each", "first"), ("LABEL", "each", "with text"), ("TEXT", "as in text", "first"), ("BOTH", "as in text", "with text")]
SIX = ["en", "ja", "zh", "ko", "hi", "he"]
def decide(scores):
    """scores: {variant: {(train, seed): dev score}}. Highest mean; of the best two within 0.1 points the one with fewer changes."""
    means = {name: float(np.mean(list(v.values()))) for name, v in scores.items()}
    first, second = sorted(means, key=means.get, reverse=True)[:2]
    names = [o[0] for o in ORDER]
    chosen = first if means[first] - means[second] > 0.1 else min((first, second), key=names.index)
    return dict(chosen=chosen, means=means, scores={n: {f"{a}|{b}": d for (a, b), d in v.items()} for n, v in scores.items()},
                rule="highest mean of source-language dev scores (m-bert, pos, en ja zh ko hi he, seeds 1 2); best two within 0.1 points: fewer changes (neither < LABEL < TEXT < BOTH)")

# ------------------------------------------------------------------ retrieval
RETRIEVED, PENDING = [], []
@torch.no_grad()
def vectors(enc):
    """Mean vectors of all layers, float32, batches of 64 as in the library; hits are left to the pool."""
    from transformers import BertConfig, BertModel
    rows = enc.w["embeddings.word_embeddings.weight"].shape[0]
    cfg = BertConfig(vocab_size=rows, hidden_size=enc.H, num_hidden_layers=enc.layers, num_attention_heads=enc.heads, intermediate_size=enc.F,
                     max_position_embeddings=512 if enc.w["embeddings.position_embeddings.weight"].shape[0] == 512 else MAXPOS, type_vocab_size=enc.w["embeddings.token_type_embeddings.weight"].shape[0], layer_norm_eps=enc.eps, pad_token_id=0)
    model = BertModel(cfg, add_pooling_layer=False).eval()
    missing = model.load_state_dict({k: torch.from_numpy(v) for k, v in enc.w.items()}, strict=False)
    assert not [k for k in missing.missing_keys if "position_ids" not in k] , missing
    model.to(DEV); t0 = time.time()
    for l in sorted({x for p in META["pairs"] for x in p}):
        lens = enc.T[f"ntrex|{l}|lens"].astype(np.int64); ids = enc.ids(f"ntrex|{l}|"); ends = np.cumsum(lens)
        order = np.argsort(common[f"ntrex|{l}|chars"].astype(np.int64), kind="stable"); out = []
        for at in range(0, len(order), 64):
            r = order[at:at + 64]; L = int(lens[r].max()); x = np.zeros((len(r), L), np.int64)
            for i, q in enumerate(r): x[i, :lens[q]] = ids[ends[q] - lens[q]:ends[q]]
            n = torch.from_numpy(lens[r]).to(DEV); place = torch.arange(L, device=DEV)[None]
            kept = ((place > 0) & (place < n[:, None] - 1)).float(); weights = kept / kept.sum(1, keepdim=True)
            states = model(input_ids=torch.from_numpy(x).to(DEV), attention_mask=(place < n[:, None]).long(), output_hidden_states=True).hidden_states
            out.append(torch.stack([torch.einsum("bt,bth->bh", weights, s) for s in states]).cpu().numpy())
        np.save(f"{VECTORS}/{enc.name}.{l}.npy", np.concatenate(out, axis=1)[:, np.argsort(order)])
    say("vectors", enc.name, round(time.time() - t0, 1), "s")
    for i, (a, b) in enumerate(META["pairs"]):
        PENDING.append((enc.name, POOL.submit(retrieve, enc.name, a, b, [None, 400] if i < 3 else [None])))
def collect():
    for name, future in PENDING:
        source, target, found = future.result()
        RETRIEVED.extend(dict(encoder=name, source=source, target=target, method=m, layer=l, candidates=n, hits=h) for m, l, n, h in found)
    PENDING.clear()

def rows_needed(enc, jobs): return max([len(corpus(enc, j["task"], j["train"], "train", j["feed"], j["label"]).used) for j in jobs] + [8])
def build(enc, jobs, slots):
    R = rows_needed(enc, jobs); R += -R % 8
    gc.collect(); torch.cuda.empty_cache() if CUDA else None
    e = Engine(enc, NLAB[jobs[0]["task"]], slots, R); say("engine", enc.name, "rows", R, "parameters a model", e.A.n + e.B.n + R * enc.H, "slots", slots)
    return e

def main():
    if CUDA:
        torch.backends.cuda.matmul.allow_tf32 = False; torch.manual_seed(0); say(torch.cuda.get_device_name(0), torch.__version__)
    for p in (args.stash, args.data):
        if os.path.exists(f"{p}/state.json"):
            st = json.load(open(f"{p}/state.json"))
            for *k, d in st["done"]: DONE[tuple(k)] = d
            STATE["decision"] = STATE.get("decision") or st.get("decision"); STATE["retrieved"] = st.get("retrieved", [])
    STATE["asked"] = {}; say("known to be done:", len(DONE))
    tiny = args.plan == "tiny"
    mb = Enc("m-bert", arrays("m-bert.tokens.npz")); say("weights")
    slots = 64 if CUDA else 3
    six, seeds, pos, ner = (["te", "mr"], [1], ["mr", "te"], ["en"]) if tiny else (SIX, [1, 2], META["pos"], META["ner"])
    keepers = {}
    # a. where the label sits
    stage1 = [job("m-bert", "pos", l, s, feed, label, evaluate="seven" if l in ("en", "ja") else "none", stage="alignment") for _, feed, label in ORDER for l in six for s in seeds]
    if not STATE.get("decision"):
        engine = build(mb, stage1 + [job("m-bert", "pos", l, 1, "as in text", "with text") for l in pos], slots)
        train_all(engine, stage1, keepers)
        scores = {name: {(l, s): keepers[keyof(job("m-bert", "pos", l, s, feed, label))][1] for l in six for s in seeds} for name, feed, label in ORDER}
        for v in scores.values():
            for k, r in v.items(): settle(r); v[k] = r["dev_score"]
        STATE["decision"] = decide(scores); say("decision", STATE["decision"]["chosen"], STATE["decision"]["means"])
        name, feed, label = next(o for o in ORDER if o[0] == STATE["decision"]["chosen"])
        for (m, res) in keepers.values():                      # the chosen ones are models of the grid: evaluate them fully
            if (res["job"]["feed"], res["job"]["label"]) == (feed, label):
                res["job"] = dict(res["job"], evaluate="all"); res.pop("test", None); assess(engine, m, res["job"], res)
        keepers.clear(); save()
        for r in RESULTS: settle(r); DONE.setdefault(keyof(r["job"]), r["dev_score"])
    else: engine = None
    name, feed, label = next(o for o in ORDER if o[0] == STATE["decision"]["chosen"])
    if not over() and "m-bert" not in STATE.get("retrieved", []): vectors(mb); 
    # b, d, f. part of speech
    grid = [job("m-bert", "pos", l, s, feed, label) for l in pos for s in ((1, 2, 3) if not tiny else (1,))]
    if not tiny:
        grid += [job("m-bert", "code-switching", l, s, feed, label) for l in ("hi+en", "corrected", "transliterated") for s in (1, 2, 3)]
        grid += [job("m-bert", "pos", "en", 1, feed, label, v) for v in VARIANTS]
    if any(keyof(j) not in DONE for j in grid) and not over():
        engine = engine if engine and engine.R >= rows_needed(mb, grid) else None
        engine = engine or build(mb, grid, slots)
        train_all(engine, grid, on_done=replacements)
    engine = None
    # c. named entities
    grid = [job("m-bert", "ner", l, s, feed, label) for l in ner for s in ((1, 2, 3) if not tiny else (1,))]
    if any(keyof(j) not in DONE for j in grid) and not over():
        train_all(build(mb, grid, 51 if CUDA else 2), grid, on_done=replacements)
    collect(); save()
    if at_hand("en-bert") and not over():
        del mb; eb = Enc("en-bert", arrays("en-bert.tokens.npz")); feed, label = "as in text", "with text"   # WordPiece: all variants are the same
        if "en-bert" not in STATE.get("retrieved", []): vectors(eb)
        grid = [job("en-bert", "ner", l, s, feed, label) for l in ner for s in ((1, 2, 3) if not tiny else (1,))]
        if any(keyof(j) not in DONE for j in grid): train_all(build(eb, grid, 51 if CUDA else 2), grid, on_done=replacements)
        grid = [job("en-bert", "pos", l, s, feed, label) for l in pos for s in ((1, 2, 3) if not tiny else (1,))]
        if any(keyof(j) not in DONE for j in grid) and not over(): train_all(build(eb, grid, slots), grid, on_done=replacements)
        collect()
    for r in RESULTS: settle(r)
    save(); say("end", len(RESULTS), "models;", f"evaluated {EVALTIME[1]/1e6:.0f} M tokens in {EVALTIME[0]:.1f} s = {EVALTIME[2]/1e12/max(1e-9,EVALTIME[0]):.0f} TFLOP/s; PEAK {torch.cuda.max_memory_allocated()/2**30 if CUDA else 0:.1f} GiB")

if __name__ == "__main__":
    try: main()
    except BaseException:
        traceback.print_exc()
        try:
            for r in RESULTS: settle(r)
            collect(); save()
        finally: POOL.shutdown(wait=False, cancel_futures=True); os._exit(1)
    POOL.shutdown()
