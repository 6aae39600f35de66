"""What a version of a data set may change of the version before: one batch, and nothing that was declared.

Register and auditor ask the same function, so both say the same of any two manifests.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from marketplace.documents.columns import series_of

Difference = tuple[str, object, object]
"""(what differs, expected, got)."""
_DECLARED = ("holder", "privacy", "dimensions", "measures", "joints")
_SEALING = ("forms", "custodian")
Manifest = Mapping[str, Any]


def differences(manifest: Manifest, previous: Manifest) -> Iterator[Difference]:
    """Where `manifest` does not follow from the manifest that it names as `previous`; nothing where it does.

    Both are validated. A batch that was appended or corrected takes the series' next block; every other batch stays as
    it is, byte for byte. Sealed again, all batches keep their names, blocks and counts; forms, key and custodian
    may be others.
    """
    kind, name = manifest["change"]["kind"], manifest["change"]["batch"]
    for part in (*_DECLARED, *(() if kind == "reseal" else _SEALING)):
        if manifest[part] != previous[part]:
            yield part, previous[part], manifest[part]
    if manifest["series"] != series_of(previous):
        yield "series", series_of(previous), manifest["series"]
    if manifest["minimumCohort"] < previous["minimumCohort"]:
        yield "minimumCohort", f"at least {previous['minimumCohort']}", manifest["minimumCohort"]
    added = kind in ("append", "correct")
    if manifest["blocks"] != previous["blocks"] + added:
        yield "blocks", previous["blocks"] + added, manifest["blocks"]
    yield from _batches(manifest["batches"], previous, kind, name)


def _batches(batches: list[Manifest], previous: Manifest, kind: str, name: str | None) -> Iterator[Difference]:
    names = [item["name"] for item in previous["batches"]]
    expected = {"append": [*names, name], "withdraw": [item for item in names if item != name]}.get(kind, names)
    if (name in names) == (kind in ("append", "reseal")) or [item["name"] for item in batches] != expected:
        yield "batches", expected, [item["name"] for item in batches]
        return
    before = {item["name"]: item for item in previous["batches"]}
    for item in batches:
        if item["name"] == name:
            if item["block"] != previous["blocks"]:
                yield f"batches.{name}.block", previous["blocks"], item["block"]
        elif _kept(item, kind) != _kept(before[item["name"]], kind):
            yield f"batches.{item['name']}", "the batch as it was", "another one"


def _kept(batch: Manifest, kind: str) -> object:
    return {**batch, "columns": None} if kind == "reseal" else batch
