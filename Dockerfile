# One image for every service; the build argument picks its extra. BASE can be given where another base is wanted.
ARG BASE=python:3.13-slim-trixie
FROM ${BASE} AS build
ARG SERVICE=gateway
WORKDIR /app
COPY requirements.lock pyproject.toml README.md LICENSE NOTICE ./
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY shared ./shared
COPY services ./services
COPY alur ./alur
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation ".[${SERVICE}]" \
 && /venv/bin/python -m compileall -q /venv /app

FROM ${BASE}
ARG SERVICE=gateway
ENV ALUR_SERVICE=${SERVICE} PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 MALLOC_ARENA_MAX=2
# A new volume takes owner and rights from the folder that it is mounted over.
RUN useradd --system --uid 10001 --create-home alur && install -d -o alur -m 700 /keys /files /anchors
COPY --from=build /venv /venv
COPY --from=build /app /app
USER 10001
WORKDIR /app
EXPOSE 8000
CMD ["sh", "-c", "exec alur serve $ALUR_SERVICE --host 0.0.0.0 --port 8000"]
