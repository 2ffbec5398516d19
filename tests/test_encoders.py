"""Encoders from folders and from a hub: a server of its own stands for the hub, a temporary folder for its cache."""

import json
import shutil
import socket
import threading
from functools import partial
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
import toy
import torch
from crosslingual import checkout, editions, encoders, hub, transfer
from crosslingual.editions import Edition
from crosslingual.encoders import Encoder, EncoderUnavailable, EncoderWarning
from huggingface_hub import constants
from crosslingual.store import Store
from safetensors.torch import load_file, save_file
from transformers import BertForMaskedLM, BertTokenizerFast

NAME, COMMIT = "someone/tiny-bert", "a" * 40
UNSAFE = {"pytorch_model.bin": b"a pickle", "modeling.py": b"raise SystemExit", "onnx/model.onnx": b"a graph"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A tiny BERT with its head and its tokenizer, as `save_pretrained` writes them."""
    place = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(0)
    BertForMaskedLM(toy.Encoder("tiny").model().config).save_pretrained(place)
    toy.tokenizer().save_pretrained(place)
    return place


class Hub(BaseHTTPRequestHandler):
    """As much of a hub's interface as fetching a snapshot asks for; ``behaviour`` makes it fail."""

    protocol_version = "HTTP/1.1"

    def __init__(self, files, behaviour, asked, *arguments):
        self.files, self.behaviour, self.asked = files, behaviour, asked
        super().__init__(*arguments)

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = unquote(urlparse(self.path).path)
        self.asked.append((self.command, path))
        if self.behaviour == "404":
            self._answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif path.startswith(f"/api/models/{NAME}/tree/"):
            self._answer(200, json.dumps([self._entry(name) for name in self.files]).encode())
        elif path.startswith(f"/api/models/{NAME}"):
            siblings = [{"rfilename": name} for name in self.files]
            self._answer(200, json.dumps({"id": NAME, "sha": COMMIT, "siblings": siblings}).encode())
        elif path.startswith(f"/{NAME}/resolve/{COMMIT}/"):
            self._file(path.removeprefix(f"/{NAME}/resolve/{COMMIT}/"))
        else:
            self._answer(404, b"{}", {"X-Error-Code": "EntryNotFound"})

    def _entry(self, name):
        content = self.files[name]
        return {"type": "file", "path": name, "size": len(content), "oid": sha1(content).hexdigest()}

    def _file(self, name):
        content = self.files[name]
        headers = {"ETag": f'"{sha256(content).hexdigest()}"', "X-Repo-Commit": COMMIT}
        cut = self.behaviour == "truncated" and name.endswith(".safetensors")
        self._answer(200, content, headers, len(content) // 2 if cut else None)

    def _answer(self, status, content, headers=(), sent=None):
        self.send_response(status)
        for key, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **dict(headers)}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content[:sent])
        self.close_connection = sent is not None


def point_to(port: int, monkeypatch) -> None:
    """As HF_ENDPOINT would have done before the library was imported."""
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{port}")
    template = constants.ENDPOINT + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.fixture
def serve(tmp_path, monkeypatch, folder):
    """Start a hub that has the tiny BERT; returns the list of what it was asked for."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    monkeypatch.setattr(hub, "_failed", {})
    monkeypatch.setattr(encoders, "_folder", encoders._folder.__wrapped__)
    servers = []

    def start(behaviour="", without=()):
        files = {path.name: path.read_bytes() for path in folder.iterdir()} | UNSAFE
        kept, asked = {name: content for name, content in files.items() if name not in without}, []
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, kept, behaviour, asked))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        point_to(server.server_port, monkeypatch)
        return asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def fabricate(cache: Path, folder: Path, revision: str | None = None) -> Path:
    """The hub library's layout, as another program may have left it: blobs, and a snapshot of links to them."""
    place = cache / "models--someone--tiny-bert"
    snapshot = place / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (place / "blobs").mkdir()
    for path in folder.iterdir():
        blob = place / "blobs" / sha256(path.read_bytes()).hexdigest()
        shutil.copy(path, blob)
        (snapshot / path.name).symlink_to(Path("../../blobs") / blob.name)
    if revision:
        (place / "refs").mkdir()
        (place / "refs" / revision).write_text(COMMIT)
    return snapshot


def no_network(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        point_to(free.getsockname()[1], monkeypatch)


def test_a_hub_encoder_is_fetched_once_safely_and_equals_the_folder(serve, folder, monkeypatch):
    asked, encoder = serve(), Encoder("tiny", NAME, COMMIT)
    assert not encoder.at_hand and not asked  # looking does not fetch
    assert encoder.digest == Encoder("tiny", str(folder)).digest and encoder.at_hand
    fetched = {Path(path).name for command, path in asked if command == "GET" and "/resolve/" in path}
    assert "model.safetensors" in fetched and not fetched & {Path(name).name for name in UNSAFE}
    no_network(monkeypatch)
    again = Encoder("tiny", NAME, COMMIT)
    inputs = again.tokenizer("the cat sees york1", return_tensors="pt")
    with torch.inference_mode():
        states = [one.model()(**inputs).last_hidden_state for one in (again, Encoder("tiny", str(folder)))]
    assert torch.equal(*states) and len(asked) == len(set(asked))


@pytest.mark.parametrize("revision", [None, COMMIT])
def test_a_cache_that_another_program_filled_is_used_offline(serve, folder, tmp_path, monkeypatch, revision):
    no_network(monkeypatch)
    fabricate(tmp_path / "cache", folder, None if revision else "main")
    encoder = Encoder("tiny", NAME, revision)
    assert encoder.at_hand and encoder.digest == Encoder("tiny", str(folder)).digest
    assert encoder.masked_model() is not None


def test_no_network_is_one_sentence_with_the_remedy_and_not_waited_for_twice(serve, monkeypatch):
    no_network(monkeypatch)
    for name, size in [(NAME, ""), ("google-bert/bert-base-multilingual-cased", r"\(711 MB\)")]:
        sentence = rf"'tiny': {name} at .* could not be fetched .*{size}.*hf download"
        with pytest.raises(EncoderUnavailable, match=sentence) as error:
            Encoder("tiny", name).digest  # noqa: B018
        assert "\n" not in str(error.value)
    monkeypatch.setattr(hub, "snapshot_download", None)
    monkeypatch.setattr(hub, "cached", lambda *_: None)
    monkeypatch.setattr(hub, "HfApi", None)
    with pytest.raises(EncoderUnavailable, match="could not be fetched"):
        Encoder("tiny", NAME).digest  # noqa: B018


def test_a_name_that_the_hub_lacks(serve):
    serve("404")
    with pytest.raises(EncoderUnavailable, match="someone/tiny-bert at a+ is not on the hub, or not public"):
        Encoder("tiny", NAME, COMMIT).tokenizer  # noqa: B018
    with pytest.raises(EncoderUnavailable, match="is no name that a hub can have"):
        Encoder("tiny", "a/b/c d").model()


def test_a_hub_with_pickles_only(serve):
    asked = serve(without=["model.safetensors"])
    with pytest.raises(EncoderUnavailable, match="has no safetensors weights, and pickles.*not loaded"):
        Encoder("tiny", NAME, COMMIT).model()
    assert not [path for _, path in asked if "/resolve/" in path]


def test_a_truncated_download_leaves_no_encoder_behind_and_the_next_try_completes_it(serve, folder):
    serve("truncated")
    encoder = Encoder("tiny", NAME, COMMIT)
    with pytest.raises(EncoderUnavailable, match="could not be fetched"):
        encoder.model()
    assert not encoder.at_hand
    serve()
    hub._failed.clear()
    assert encoder.digest == Encoder("tiny", str(folder)).digest


def test_a_partial_cache_without_network(serve, folder, tmp_path, monkeypatch):
    no_network(monkeypatch)
    (fabricate(tmp_path / "cache", folder) / "model.safetensors").unlink()
    encoder = Encoder("tiny", NAME, COMMIT)
    with pytest.raises(EncoderUnavailable, match="is not in the cache .* and could not be fetched"):
        encoder.model()
    assert not encoder.at_hand


def test_an_edition_names_a_hub_at_a_revision(serve, folder, tmp_path):
    text = "title: t\nseeds: [1]\ncorpora: {source: folder}\nencoders:\n  m-bert: {hub: %s, revision: %s}\n"
    (tmp_path / "mine.yml").write_text(text % (NAME, COMMIT))
    serve()
    assert Edition.load(tmp_path / "mine.yml").encoder_digest("m-bert") == Encoder("tiny", str(folder)).digest
    (tmp_path / "mine.yml").write_text(text.replace(", revision: %s", "") % NAME)
    with pytest.raises(editions.EditionError, match="mine.yml, line 5: the encoder m-bert is a path, a hub name, {hub: name, rev"):
        Edition.load(tmp_path / "mine.yml")


def copy(folder: Path, place: Path) -> Path:
    return Path(shutil.copytree(folder, place / "copy"))


def test_damaged_weights_are_noticed_before_they_are_loaded(folder, tmp_path):
    weights = copy(folder, tmp_path) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(EncoderUnavailable, match=r"model.safetensors cannot be read \(.*\): delete it and fetch"):
        Encoder("tiny", str(weights.parent)).digest  # noqa: B018


def test_a_wrongly_converted_model_is_refused(folder, tmp_path):
    place = copy(folder, tmp_path)
    renamed = {name.replace("layer.1.", "block.1."): tensor for name, tensor in load_file(place / "model.safetensors").items()}
    save_file(renamed, place / "model.safetensors", {"format": "pt"})
    with pytest.raises(EncoderUnavailable, match=r"lacks 16 of the model's weights \(encoder.layer.1."):
        Encoder("tiny", str(place)).model()


def test_a_folder_without_weights_or_tokenizer(folder, tmp_path):
    place = copy(folder, tmp_path)
    (place / "tokenizer.json").write_text("{}")
    with pytest.raises(EncoderUnavailable, match="has no tokenizer that can be read here"):
        Encoder("tiny", str(place)).tokenizer  # noqa: B018
    encoders._folder.cache_clear()
    (place / "model.safetensors").rename(place / "pytorch_model.bin")
    with pytest.raises(EncoderUnavailable, match="no safetensors weights in .*copy.*pickles are not loaded"):
        Encoder("tiny", str(place)).model()


def test_the_digest_is_of_the_content_and_read_once(folder, tmp_path, monkeypatch):
    monkeypatch.setenv(editions.CACHE_VARIABLE, str(tmp_path / "digests"))
    monkeypatch.setattr(encoders, "LARGE", 1000)
    place, digest = copy(folder, tmp_path), Encoder("tiny", str(folder)).digest
    fresh = partial(encoders._digest.__wrapped__, str(place))
    assert fresh() == digest
    with monkeypatch.context() as unreadable:
        unreadable.setattr(encoders, "_read_digest", None)
        assert fresh() == digest
    changed = bytearray((place / "model.safetensors").read_bytes())
    changed[-1] ^= 1
    (place / "model.safetensors").write_bytes(changed)
    assert fresh() != digest


@pytest.fixture(scope="module")
def pocket_text() -> dict[str, list[list[str]]]:
    edition = Edition.load("pocket")
    return {code: list(edition.corpus("pos", code, "test")["tokens"][:4]) for code in ("en", "hi")}


@pytest.fixture
def pocket(tmp_path) -> Path:
    """A copy of pocket M-BERT to break."""
    return Path(shutil.copytree(checkout.root() / "encoders/pocket-m-bert", tmp_path / "pocket"))


def test_a_good_encoder_passes_the_check(pocket, pocket_text):
    checked = encoders.check(Encoder("good", str(pocket)), pocket_text)
    assert list(checked.language) == ["en", "hi"] and list(checked.script) == ["Latn", "Deva"]
    assert (checked.loss < 0.5 * checked.chance).all() and (checked.unk_share < 0.01).all()
    assert encoders.problems("good", checked) == []


def test_shuffled_embeddings_are_noticed(pocket, pocket_text):
    weights = load_file(pocket / "model.safetensors")
    table = weights["bert.embeddings.word_embeddings.weight"]
    shuffled = table[torch.randperm(len(table), generator=torch.Generator().manual_seed(0))]
    save_file(weights | {"bert.embeddings.word_embeddings.weight": shuffled}, pocket / "model.safetensors", {"format": "pt"})
    found = encoders.problems("broken", encoders.check(Encoder("broken", str(pocket)), pocket_text))
    assert len(found) == 1 and "'broken' guesses masked words no better than chance" in found[0]


def test_a_tokenizer_that_knows_nothing_is_noticed(pocket, pocket_text):
    BertTokenizerFast(vocab={piece: i for i, piece in enumerate(toy.SPECIAL)}).save_pretrained(pocket)
    found = encoders.problems("broken", encoders.check(Encoder("broken", str(pocket)), pocket_text))
    assert found[0].startswith("The tokenizer of the encoder 'broken' gives [UNK] for at least 100% of the pieces")


def test_scripts_that_an_encoder_does_not_know_are_no_fault(pocket_text):
    english = Encoder("en-bert", str(checkout.root() / "encoders/pocket-en-bert"))
    checked = encoders.check(english, pocket_text).set_index("language")
    assert checked.loss["hi"] > checked.chance["hi"] > 2 * checked.loss["en"]
    assert encoders.problems("en-bert", checked.reset_index()) == []


def test_an_encoder_without_the_head_is_checked_for_its_tokenizer_alone(tmp_path, pocket_text):
    toy.save_encoder(tmp_path)
    checked = encoders.check(Encoder("toy", str(tmp_path)), {"en": pocket_text["en"]})
    assert checked.loss.isna().all() and encoders.problems("toy", checked) == []


def test_the_check_warns_before_fine_tuning_and_is_made_once(pocket, tmp_path, monkeypatch):
    """The whole way: an edition, a grid, a warning, and no second look at the same encoder."""
    BertTokenizerFast(vocab={piece: i for i, piece in enumerate(toy.SPECIAL)}).save_pretrained(pocket)
    (tmp_path / "small.yml").write_text(
        "title: small\nartificial: true\nseeds: [1]\nlanguages: {pos: [en], ner: [en]}\nencoders: {m-bert: ./pocket}\n"
        "corpora: {source: pocket, sizes: {pos: {train: 4, test: 4}}}\n")
    edition, store = Edition.load(tmp_path / "small.yml"), Store(tmp_path / "store")
    monkeypatch.setattr(transfer, "_collect", lambda *_: None)  # nothing is fine-tuned
    cells = [transfer.Cell("pos", "m-bert", "en", 1)]
    for _ in range(2):
        with pytest.warns(EncoderWarning, match=r"'m-bert' gives \[UNK\]"):
            transfer.run(edition, cells, store)
        monkeypatch.setattr(encoders, "check", None)  # from here on the kept check has to do
    assert len(store.records("encoder-check")) == 1
