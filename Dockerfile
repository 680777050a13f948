# For those who have Docker; ./rekindle run needs none. The image holds web, worker and beat: compose.yaml says which is which.
# Never yet built: ./rekindle run is the way that is tried.
FROM python:3.13-slim AS build
ENV UV_PYTHON_DOWNLOADS=never
WORKDIR /app
COPY requirements requirements
RUN python -m venv .venv \
    && .venv/bin/pip install --quiet --only-binary :all: --require-hashes -r requirements/bootstrap.txt \
    && .venv/bin/uv pip install --quiet --python .venv/bin/python --only-binary :all: --require-hashes -r requirements/base.txt

FROM python:3.13-slim
RUN useradd --create-home --uid 1000 rekindle && install -d -o rekindle -g rekindle /app/var
WORKDIR /app
COPY --from=build /app/.venv .venv
COPY . .
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 REKINDLE_VAR=/app/var
RUN install -d -o rekindle -g rekindle var/static
USER rekindle
EXPOSE 8000
CMD ["gunicorn", "retention_site.wsgi", "--bind", "0.0.0.0:8000", "--preload", "--workers", "2", "--threads", "4", "--timeout", "120", "--graceful-timeout", "10", "--limit-request-line", "8190"]
