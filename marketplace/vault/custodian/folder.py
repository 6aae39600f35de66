"""What a custodian keeps on disk.

    <custodian>/halves/<manifest digest>/manifest.json    canonical bytes, public
                                         half.bin         generation and halves of the sealing keys, AES-256-GCM
    <custodian>/ledger.sqlite                             its own privacy account (vault/keeping/store.py)
    <custodian>/blobs/                                    ciphertext that it downloaded

A half is bound to its manifest: it opens under no other. It is replaced only by the next generation of itself.
"""

from dataclasses import dataclass
from pathlib import Path

from crypto.canonical import from_hex, load_canonical, sha256, to_hex
from marketplace.documents import Document, canonical, differences, digest, validate_manifest
from marketplace.errors import NotFoundError, RuleError, VerificationError
from marketplace.sdk.home.files import make_private_folder, write_private
from marketplace.types import Digest
from marketplace.vault.keeping.custody import Package
from marketplace.vault.keeping.ring import KeyRing
from marketplace.vault.keeping.secrecy import Cipher

_GENERATION_BYTES = 4


@dataclass(frozen=True)
class Custody:
    """The halves of one data set. Its repr shows the digest alone."""

    digest: Digest
    manifest: Document
    ring: KeyRing
    generation: int

    def __repr__(self) -> str:
        return f"Custody({self.digest})"


class CustodianFolder:
    """A custodian's folder.

    Args:
        path: created when absent, readable by its owner alone. cipher: for the halves.
    """

    def __init__(self, path: Path, cipher: Cipher) -> None:
        self.path, self.cipher = make_private_folder(path), cipher

    def take(self, package: Package) -> Digest:
        """Keep the half of a file, or move the half that is here by a refresh; returns the manifest's digest.

        The newest file again changes nothing.

        Raises:
            RuleError: `generation_differs`: the file is not the next one for what is here; `version_differs`: it moves
                the half to a version that does not follow from the one that is here.
        """
        name = digest(package.manifest)
        have = self._before(name, package)
        expected = 0 if have is None else have.generation + 1
        if have is not None and (have.digest, have.generation) == (name, package.generation):
            return name
        if package.generation != expected:
            raise RuleError(
                "generation_differs",
                "the file does not follow what this custodian holds",
                zh="该托管文件与本托管方现有半密钥不衔接",
                rule="custodian.generations",
                expected=f"generation {expected}",
                got=package.generation,
                hint="take the files in the order in which the vault made them",
                hint_zh="请按保险库生成的先后顺序导入",
            )
        if have is not None and have.digest != name:
            _check_follows(package.manifest, have.manifest)
        half = package.half if have is None else have.ring.plus(package.half)
        self._write(package.manifest, package.generation, half)
        return name

    def _before(self, name: Digest, package: Package) -> "Custody | None":
        """The half that the file moves: this version's own, or that of the version before under the same key."""
        previous = package.manifest["previous"]
        held = [item for item in (name, previous) if item in self.names()]
        if name not in held and package.generation == 0:
            return None  # a key of its own
        return self.open(held[0]) if held else None

    def names(self) -> list[Digest]:
        """Digests of the manifests whose halves are here."""
        found = (self.path / "halves").glob("*/half.bin")
        return sorted(Digest("0x" + item.parent.name) for item in found)

    def open(self, name: str) -> "Custody":
        """The half for the manifest of this digest.

        Raises:
            NotFoundError: `half_unknown`. VerificationError: `manifest_altered`.
            crypto.errors.DecryptionFailed: the half was altered, or belongs to another keystore.
        """
        place = self._place(name)
        try:
            data, sealed = (place / "manifest.json").read_bytes(), (place / "half.bin").read_bytes()
        except FileNotFoundError:
            message = f"this custodian holds no half for {name}"
            raise NotFoundError("half_unknown", message, zh=f"本托管方没有 {name} 的半密钥") from None
        if to_hex(sha256(data)) != name:
            message = f"manifest {name} was altered on disk"
            raise VerificationError("manifest_altered", message, zh="清单已被改动", got=name)
        manifest = validate_manifest(load_canonical(data))
        read = KeyRing.reader(manifest["forms"], half=True)
        plain = self.cipher.decrypt(sealed, _context(name))
        generation = int.from_bytes(plain[:_GENERATION_BYTES], "big")
        return Custody(Digest(name), manifest, read(plain[_GENERATION_BYTES:]), generation)

    def _write(self, manifest: Document, generation: int, half: KeyRing) -> None:
        name = digest(manifest)
        place = make_private_folder(self._place(name))
        plain = generation.to_bytes(_GENERATION_BYTES, "big") + half.to_bytes()
        write_private(place / "manifest.json", canonical(manifest))
        write_private(place / "half.bin", self.cipher.encrypt(plain, _context(name)))

    def _place(self, name: str) -> Path:
        return self.path / "halves" / from_hex(name, 32, "manifest").hex()


def _context(name: str) -> bytes:
    return b"custodian/half/" + name.encode()


def _check_follows(manifest: Document, previous: Document) -> None:
    """What was declared of the data decides what a question takes and how wide the noise is, so a half moves only to a
    version that declares the same, keeps all batches but the one it names, and answers to the same vault.

    Raises:
        RuleError: `version_differs`.
    """
    moved = [(name, previous[name], manifest[name]) for name in ("releaseKey",) if manifest[name] != previous[name]]
    if manifest["change"]["kind"] == "reseal":
        moved.append(("change", "append, correct or withdraw", "reseal"))
    for name, expected, got in (*moved, *differences(manifest, previous)):
        raise RuleError(
            "version_differs",
            f"the version does not follow from the one whose half is here: {name} differs",
            zh=f"该版本与本托管方所持版本不衔接：{name} 不一致",
            rule="custodian.versions",
            expected=str(expected)[:400],
            got=str(got)[:400],
            hint="ask the supplier by another channel; a new key needs a file of generation 0",
            hint_zh="请通过其他渠道向供方核实；新密钥须使用第 0 代托管文件",
        )
