# The service without a database: compose.yaml puts PostGIS beside it.
# Every stage is plain Debian, so that the same steps run without an engine too
# (tests/container/build_in_chroot.py).
# Where packages come from a mirror: --build-arg NPM_CONFIG_REGISTRY=… --build-arg PIP_INDEX_URL=…

# --- The pages ---------------------------------------------------------------------------------
FROM debian:12-slim AS pages
ARG NPM_CONFIG_REGISTRY
# Debian fixes what a release holds; its security updates are wanted.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends nodejs npm \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY .npmrc package.json package-lock.json tsconfig.json ./
RUN npm ci
COPY geo_service/web/build.mjs geo_service/web/build.mjs
COPY geo_service/web/src geo_service/web/src
RUN npm run build

# --- The Python packages and the service -------------------------------------------------------
FROM debian:12-slim AS python
ARG PIP_INDEX_URL
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY .ci/lock/build.txt .ci/lock/service.txt lock/
RUN python3 -m venv /opt/venv \
    && /opt/venv/bin/pip install --require-hashes --only-binary :all: -r lock/build.txt -r lock/service.txt
COPY pyproject.toml README.md LICENSE ./
COPY geo_service geo_service
COPY layers layers
COPY static_maps static_maps
COPY --from=pages /build/geo_service/web/dist geo_service/web/dist
COPY --from=pages /build/static_maps/dist static_maps/dist
RUN /opt/venv/bin/pip install --no-deps --no-build-isolation .

# --- What runs ---------------------------------------------------------------------------------
FROM debian:12-slim
LABEL org.opencontainers.image.title="Geo Service" \
      org.opencontainers.image.licenses="Apache-2.0"
# hadolint ignore=DL3008
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends fonts-noto-cjk python3 tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --no-log-init --uid 10001 --shell /usr/sbin/nologin \
        --create-home --home-dir /var/lib/geo-service geo-service
COPY --from=python /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 \
    MPLCONFIGDIR=/tmp/matplotlib \
    GEO_SERVICE_HOME=/var/lib/geo-service \
    GEO_SERVICE_HOST=0.0.0.0 \
    GEO_SERVICE_PORT=8000
# By number, so that an orchestrator can tell that it is not root.
USER 10001
WORKDIR /var/lib/geo-service
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['GEO_SERVICE_PORT'] + '/healthz', timeout=4)"]
CMD ["geo-service", "serve"]
