"""Images in object storage instead of a folder: STORAGE_URL.

    s3://KEY:SECRET@HOST[:PORT]/BUCKET[/PREFIX][?region=eu-central-1][&tls=0]     any server that speaks S3
    s3:///BUCKET[/PREFIX]?region=eu-central-1                                     AWS, with the machine's own role

Whatever the server fails with is an OSError here, as it would be with a folder. Needs `django-storages[s3]`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.exceptions import ImproperlyConfigured
from storages.backends.s3 import S3Storage

from config.environment import parsed

Method = TypeVar("Method", bound=Callable[..., Any])


def options_of(url: str) -> dict[str, Any]:
    """What `ObjectStorage` is made with. Raises ImproperlyConfigured with a sentence."""
    parts = parsed(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    bucket, _, prefix = unquote(parts.path).strip("/").partition("/")
    is_complete = bool(parts.username) == bool(parts.password) and (parts.hostname is None or bool(parts.username))
    if parts.scheme != "s3" or not bucket or not is_complete or set(query) - {"region", "tls"}:
        form = "s3://KEY:SECRET@HOST/BUCKET?region=REGION, or s3:///BUCKET?region=REGION with the machine's own role"
        raise ImproperlyConfigured(f"STORAGE_URL is not of the form {form}.")
    region = query.get("region", "us-east-1")
    options: dict[str, Any] = {"bucket_name": bucket, "location": prefix, "region_name": region}
    if parts.username:
        options |= {"access_key": unquote(parts.username), "secret_key": unquote(parts.password or "")}
    if parts.hostname:
        port = f":{parts.port}" if parts.port else ""
        options["endpoint_url"] = f"{'http' if query.get('tls') == '0' else 'https'}://{parts.hostname}{port}"
    return options


def _as_os_error(method: Method) -> Method:
    @wraps(method)
    def wrapped(*arguments: Any, **keywords: Any) -> Any:
        try:
            return method(*arguments, **keywords)
        except (BotoCoreError, ClientError) as error:
            raise OSError(f"object storage: {type(error).__name__}: {error}") from error

    return wrapped  # type: ignore[return-value]


class ObjectStorage(S3Storage):  # type: ignore[misc]
    def __init__(self, **settings: Any) -> None:
        defaults = {
            # Nothing waits long: a set of files has 20 s, a page 30.
            "client_config": Config(
                connect_timeout=3,
                read_timeout=10,
                retries={"mode": "standard", "total_max_attempts": 2},
                max_pool_connections=32,
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",  # not every server knows the newer ones
                response_checksum_validation="when_required",
            ),
            "transfer_config": TransferConfig(use_threads=False),
            "file_overwrite": False,
            "default_acl": None,
            "querystring_expire": 300,
        }
        super().__init__(**defaults | settings)
        self._lock = threading.Lock()
        self._shared: Any = None

    @property
    def connection(self) -> Any:
        """One for all threads: making one takes 50 ms, and files are stored in threads of their own."""
        with self._lock:
            if self._shared is None:
                self._shared = self._create_session().resource(
                    "s3",
                    region_name=self.region_name,
                    use_ssl=self.use_ssl,
                    endpoint_url=self.endpoint_url,
                    config=self.client_config,
                    verify=self.verify,
                )
        return self._shared

    _open = _as_os_error(S3Storage._open)
    _save = _as_os_error(S3Storage._save)
    delete = _as_os_error(S3Storage.delete)
    exists = _as_os_error(S3Storage.exists)
    listdir = _as_os_error(S3Storage.listdir)
    size = _as_os_error(S3Storage.size)
    get_modified_time = _as_os_error(S3Storage.get_modified_time)
