# Cratewire, for every process of the Procfile: the default is web, docker-compose.yml names the others.

FROM python:3.14-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /opt/cratewire
ENV PATH=/opt/cratewire/bin:$PATH
WORKDIR /src
COPY pyproject.toml product.lock ./
RUN pip install --require-hashes -r product.lock
COPY README.md LICENSE ./
COPY schemas schemas
COPY pipeline pipeline
COPY tasks tasks
COPY receiver receiver
COPY sandbox sandbox
# What only builds is not needed any more.
RUN pip install --no-build-isolation --no-deps . \
    && pip uninstall -y hatchling pathspec pluggy tomlkit trove-classifiers && pip check && python -m compileall -q /opt/cratewire

FROM python:3.14-slim
RUN useradd --system --uid 10001 --no-create-home --home-dir /var/lib/cratewire cratewire \
    && install -d -m 700 -o cratewire -g cratewire /var/lib/cratewire
COPY --from=build /opt/cratewire /opt/cratewire
ENV PATH=/opt/cratewire/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CRATEWIRE_DATA_DIR=/var/lib/cratewire \
    CRATEWIRE_HOST=0.0.0.0 \
    PORT=8080
WORKDIR /var/lib/cratewire
USER cratewire
# The spool: hooks that were acknowledged while Redis was away.
VOLUME /var/lib/cratewire
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=15s --start-period=60s CMD ["python", "-m", "receiver.alive", "web"]
CMD exec python -m receiver.serve --host ${CRATEWIRE_HOST:-127.0.0.1} --port ${PORT:-8080}
