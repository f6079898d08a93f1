from . import summaries
from .gateway import files


@shared_task
def prune_gateway() -> None:
    try:
        files.prune()
    finally:
        connection.close()


@shared_task
def keep_summaries() -> None:
    try:
        summaries.keep()
    finally:
        connection.close()
