"""Erases a person for pages, commands and the API alike."""

from __future__ import annotations

from pipeline.context import Context
from pipeline.inbox.append_only_file import rewrite_append_only_file
from pipeline.regulations.erase import Erasure, ErasureRequest, build_eraser
from pipeline.regulations.transfer import save_regulations


def erase_person(context: Context, request: ErasureRequest) -> Erasure:
    """Erase the person, keep the erasure beside the database, and empty what Redis has kept of their hooks on disk.

    Raises Misconfigured if that is not possible: nothing was erased then.
    """
    done = build_eraser(context).erase(request)
    save_regulations(context.engine, context.settings.data_dir)
    rewrite_append_only_file(context.redis)
    return done
