PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
STAMP := $(VENV)/installed

.PHONY: benchmark demo test install

# Example pictures, stylized by the ordinary ModelScope call, into out/.
demo: install
	TF_CPP_MIN_LOG_LEVEL=2 $(VENV)/bin/python examples/stylize.py

# Ours against the published graph in ModelScope's own pipeline, in about six minutes. The
# plot of growth goes to out/, the last line printed is one JSON object. Arguments for it:
# make benchmark ARGUMENTS='--large'
benchmark: install
	$(VENV)/bin/python -m benchmarks.inference $(ARGUMENTS)

# Two workers; the tests of one file share a worker and with it a built network.
test: install
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile tests

install: $(STAMP)

# The build tools come first, pinned like the rest, so that building fetches nothing else.
$(STAMP): setup.py constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet -c constraints.txt setuptools wheel
	$(VENV)/bin/python -m pip install --quiet --no-build-isolation -c constraints.txt \
		-e '.[examples,benchmark,test]'
	touch $@
