# Every target sets up what it needs: a private .venv from requirements.lock. Nothing outside this folder is changed.
PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin
# Without this, uv skips byte code and each command of a run pays seconds to compile MLflow's imports.
export UV_COMPILE_BYTECODE := 1
export UV_LINK_MODE := copy
# XGBoost and numba share the cores: threads that spin while they wait make a fit several times slower.
export OMP_WAIT_POLICY := PASSIVE
export MLFLOW_DISABLE_TELEMETRY := true
export PATH := $(CURDIR)/$(BIN):$(PATH)

# The scripts of a virtual environment name its folder and its interpreter. In a project that was moved or copied, and
# where that interpreter is gone, it is made again.
SOUND := $(shell test "$$(cat .venv/.complete 2>/dev/null)" = "$(CURDIR)" && $(BIN)/python -ISc '' 2>/dev/null && echo yes)

# `make extras` leaves a mark, so that a later set-up keeps them.
EXTRAS := $(wildcard .venv/.extras)

.PHONY: setup extras scm run august2021 three-parameters leaderboard test services lint format ui bench docs lock clean
setup: .venv/.complete

# What the default set-up leaves out: more families of models, other storages and pages. `make clean setup` is without.
extras:
	@test -n "$(EXTRAS)" || { $(MAKE) --no-print-directory setup && touch .venv/.extras && \
		touch -t 200001010000 .venv/.complete; }  # older than the mark, which may be of the same tick of the clock
	@$(MAKE) --no-print-directory setup

.tools/bin/uv:
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target .tools "uv==$(UV_VERSION)"

ifneq ($(SOUND),yes)
.PHONY: .venv/.complete
endif
.venv/.complete: requirements.lock pyproject.toml $(if $(EXTRAS),requirements-extras.lock $(EXTRAS)) | .tools/bin/uv
	test "$(SOUND)" = yes || .tools/bin/uv venv --quiet --clear --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv
	VIRTUAL_ENV=.venv .tools/bin/uv pip sync --quiet --require-hashes requirements.lock $(if $(EXTRAS),requirements-extras.lock)
	VIRTUAL_ENV=.venv .tools/bin/uv pip install --quiet --no-deps --no-build-isolation --editable .
	$(if $(EXTRAS),touch $(EXTRAS))
	echo "$(CURDIR)" > $@

# An unpacked archive is no git repository, without which DVC refuses to run unless it is told so. And DVC 3.67 writes
# its `rwlock` in place: a kill may leave half of it, and no command of DVC goes past that.
scm: setup
	@for lock in .dvc/tmp/rwlock studies/*/.dvc/tmp/rwlock; do \
		test ! -e $$lock || $(BIN)/python -m json.tool $$lock >/dev/null 2>&1 || rm -f $$lock; \
	done
	@git rev-parse --git-dir >/dev/null 2>&1 || for place in . studies/*/; do \
		test "$$($(BIN)/dvc --cd $$place config core.no_scm 2>/dev/null)" = true && continue; \
		$(BIN)/dvc --cd $$place config --local core.no_scm true || exit; \
		echo "No git repository is here: DVC runs without one in $$place, and its models can be traced to no commit." \
			"After \`git init\`: \`dvc --cd $$place config --local --unset core.no_scm\`"; \
	done

run: scm
	$(BIN)/dvc repro
	@$(BIN)/python -m nmr_platform report --where

# The larger study on the data of the reference: three and a half hours of processor time. One of its families is an extra.
august2021: extras scm
	$(BIN)/dvc --cd studies/august2021 repro

# Three parameters at once, and what can be known of them: docs/three-parameters.md. One of its families is an extra.
three-parameters: extras scm
	$(BIN)/dvc --cd studies/three-parameters repro

# Who is better beyond doubt on the larger study, and what each costs on this machine: after `make august2021`.
leaderboard: setup
	tables=$$($(BIN)/python -m nmr_platform leaderboard --params studies/august2021/params.yaml) && \
		printf '# Leaderboard of the larger study\n\n%s\n' "$$tables" > studies/august2021/leaderboard.md

test: setup
	$(BIN)/pytest -n 2

# Tests on PostgreSQL, an MLflow server and Chromium, and those that take long; what is not installed is skipped with its reason.
services: setup
	$(BIN)/pytest -rs -m "integration or browser or slow"

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

ui: setup
	$(BIN)/python -m nmr_platform ui

bench: setup
	$(BIN)/python -m benchmarks

# The site, in .site/html: links inside it are checked, and a warning is an error.
docs: extras
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --fresh-env -d .site/doctrees docs .site/html
	@echo "The site is at $(CURDIR)/.site/html/index.html"

# New locks after a change of dependencies; they hold no index address. That of the extras has what they need beside
# what the default set has everywhere (lines without a condition), whose versions they take.
COMPILE := .tools/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
	--custom-compile-command "make lock" pyproject.toml
lock: .tools/bin/uv
	$(COMPILE) --group dev --output-file requirements.lock
	$(COMPILE) --all-extras --constraint requirements.lock --output-file requirements-extras.lock \
		$$(sed -n 's/^\([a-z0-9._-]*\)==[^ ]* \\$$/--no-emit-package \1/p' requirements.lock)
	sed -i.old '/^# The following packages were excluded/,$$d' requirements-extras.lock && rm requirements-extras.lock.old

clean:
	rm -rf .venv .tools .site
