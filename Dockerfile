# One image for all processes; compose.yaml says which command each runs. No demo, no embedded servers, not root.
FROM python:3.13-slim-trixie AS packages
COPY requirements.txt bin/requirements /build/bin/
RUN mv /build/bin/requirements.txt /build/ \
    && python -m venv /venv \
    && /build/bin/requirements > /build/production.txt \
    && /venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r /build/production.txt
# What STORAGE_URL, SENTRY_DSN and the like need: --build-arg EXTRAS="django-storages[s3] sentry-sdk"
ARG EXTRAS=""
RUN [ -z "$EXTRAS" ] || /venv/bin/pip install --no-cache-dir $EXTRAS

FROM python:3.13-slim-trixie
# pg_dump and pg_restore, for backup and restore: of the server's version or a later one, or they refuse it.
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client-17 && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /nonexistent arena \
    && install -d -o arena -g arena /var/lib/arena /var/lib/arena/media /var/lib/arena/beat
COPY --from=packages /venv /venv
COPY . /app
# Where an empty VAR_DIR leads: that of .env takes the place of the one below.
RUN ln -s /var/lib/arena /app/var
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    VAR_DIR=/var/lib/arena MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=262144 MALLOC_TRIM_THRESHOLD_=262144 RES_OPTIONS=timeout:2
# Static files belong to the image: their names carry a hash of what they are. These values live for this line alone.
RUN SECRET_KEY=only-while-the-image-is-built-0123456789 DATABASE_URL=postgresql://nobody@127.0.0.1/none \
    python manage.py collectstatic --noinput && python -m compileall -q /app
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["granian", "--interface", "asgi", "--workers", "2", "--no-ws", "--http", "1", "--host", "0.0.0.0", "--port", "8000", "--backlog", "4096", "--http1-header-read-timeout", "20000", "--workers-kill-timeout", "240", "config.asgi:application"]
