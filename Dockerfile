# One image for every program: `reshelf gateway`, `reshelf worker intake`, ... See compose.yaml.
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
# Extras of the package: `all`, or `all,cuda` for NVIDIA GPUs.
ARG EXTRAS=all
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/reshelf
WORKDIR /src
COPY constraints.txt pyproject.toml README.md ./
COPY reshelf reshelf
COPY workers workers
COPY model model
COPY storage storage
COPY api_gateway api_gateway
COPY demo demo
RUN /opt/reshelf/bin/pip install --constraint constraints.txt ./reshelf ".[${EXTRAS}]"

FROM python:${PYTHON}-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/reshelf reshelf
COPY --from=build /opt/reshelf /opt/reshelf
ENV PATH=/opt/reshelf/bin:$PATH PYTHONUNBUFFERED=1 RESHELF_HOME=/var/lib/reshelf
USER reshelf
WORKDIR /var/lib/reshelf
VOLUME /var/lib/reshelf
STOPSIGNAL SIGTERM
ENTRYPOINT ["reshelf"]
CMD ["--help"]
