"""The results of a batch: an archive to download, at an address that is signed and valid for ten minutes."""

import gzip
import hashlib
import hmac
import io
import json
import tarfile

from sandbox.mailchimp.batch import Batch
from sandbox.mailchimp.world import World

VALID_S = 600


def url_of(world: World, batch_id: str) -> str:
    """Return the address of a batch's results, valid from now on."""
    expires = str(int(world.now()) + VALID_S)
    return f"{world.url}/results/{batch_id}.tar.gz?expires={expires}&signature={_sign(world, batch_id, expires)}"


def find_results(world: World, batch_id: str, expires: str, signature: str) -> Batch | None:
    """Return the batch whose results an address names, unless it is wrong or too old."""
    if not hmac.compare_digest(signature.encode(), _sign(world, batch_id, expires).encode()):
        return None
    return world.batches.get(batch_id) if world.now() < int(expires) else None


def pack(batch: Batch) -> bytes:
    """Return a gzipped tar with a file for each operation, each a JSON list, in a folder of their own."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        folder = tarfile.TarInfo(batch.id)
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for number, result in enumerate(batch.results):
            text = json.dumps([result]).encode()
            info = tarfile.TarInfo(f"{batch.id}/{number}.json")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))
    return packed.getvalue()


def _sign(world: World, batch_id: str, expires: str) -> str:
    return hmac.new(world.secret, f"{batch_id}.{expires}".encode(), hashlib.sha256).hexdigest()
