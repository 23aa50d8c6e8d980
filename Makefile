# Every target is one line over `trilake <verb>`: `make ingest ARGS="data/"`, `make plan ENV=prod`, `make views ENGINE=trino`.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENV ?= local
STATE ?= .trilake
ARGS ?=
TRILAKE = $(BIN)/trilake
COMMON = --env $(ENV) --state $(STATE)
ENGINE ?=
CHOSEN = $(if $(ENGINE),--engine $(ENGINE))
STAMP := $(VENV)/.installed

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Start
.PHONY: setup demo
setup: $(STAMP) ## Make the virtual environment with pinned versions (Python 3.11 or newer)

$(STAMP): pyproject.toml scripts/constraints.txt
	$(PYTHON) scripts/setup_environment.py $(VENV)

demo: setup ## Run the whole story on this laptop: sample, deploy, ingest, views, query, cohort, train, dashboard
	$(TRILAKE) demo $(COMMON) $(CHOSEN) $(ARGS)

##@ Data
.PHONY: sample ingest ledger replay views review
sample: setup ## Write linked FHIR, VCF and DICOM files and the truth about them
	$(TRILAKE) sample $(COMMON) $(ARGS)

ingest: setup ## Load files or folders of any mixture: make ingest ARGS="data/"
	$(TRILAKE) ingest $(COMMON) $(CHOSEN) $(ARGS)

ledger: setup ## What became of every file and record
	$(TRILAKE) ledger $(COMMON) $(CHOSEN) $(ARGS)

replay: setup ## Load one mended item again: make replay ARGS="ITEM"
	$(TRILAKE) replay $(COMMON) $(CHOSEN) $(ARGS)

views: setup ## Bring governed tables and views up to date
	$(TRILAKE) views $(COMMON) $(CHOSEN) $(ARGS)

review: setup ## Links that wait for a person, and decisions: make review ARGS="--accept OBJECT=PATIENT"
	$(TRILAKE) review $(COMMON) $(CHOSEN) $(ARGS)

##@ Use
.PHONY: query cohort train card dashboard
query: setup ## Run one Athena query: make query ARGS='--as radiologist "SELECT ..."'
	$(TRILAKE) query $(COMMON) $(CHOSEN) $(ARGS)

cohort: setup ## Count, lock and extract a cohort: make cohort ARGS="sql/cohort/cohorts/NAME.yaml --extract DIR"
	$(TRILAKE) cohort $(COMMON) $(CHOSEN) $(ARGS)

train: setup ## Train an outcome model with an honest report: make train ARGS="sql/ml/studies/NAME.yaml"
	$(TRILAKE) train $(COMMON) $(CHOSEN) $(ARGS)

card: setup ## Show a trained model's report card
	$(TRILAKE) card $(COMMON) $(ARGS)

dashboard: setup ## Write a persona's pages: make dashboard ARGS="--as clinician --out DIR"
	$(TRILAKE) dashboard $(COMMON) $(CHOSEN) $(ARGS)

##@ Govern
.PHONY: access explain plan-review
access: setup ## Who may see which tables, columns and rows
	$(TRILAKE) access $(COMMON) $(ARGS)

explain: setup ## Why a persona sees a column or not: make explain ARGS="--as radiologist --column genomic.variant.calls"
	$(TRILAKE) explain $(COMMON) $(CHOSEN) $(ARGS)

plan-review: setup ## Review a plan's JSON offline: make plan-review ARGS="plan.json"
	$(TRILAKE) plan-review $(COMMON) $(ARGS)

##@ Infrastructure
.PHONY: plan deploy destroy local-aws
plan: setup ## Show Terraform's plan and, under it, who gains or loses what
	$(TRILAKE) plan $(COMMON) $(CHOSEN) $(ARGS)

deploy: setup ## Plan, show, then apply
	$(TRILAKE) deploy $(COMMON) $(CHOSEN) $(ARGS)

destroy: setup ## Remove everything that deploy made
	$(TRILAKE) destroy $(COMMON) $(CHOSEN) $(ARGS)

local-aws: setup ## Keep the laptop's AWS in the foreground, for the AWS CLI and other tools
	$(BIN)/python -m localaws $(STATE)/local $(CHOSEN) $(ARGS)

##@ Check
.PHONY: test check docs setup-engines verify bench clean
test: setup ## Run all tests
	$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder $(ARGS)

check: setup ## Lint, types, SQL, contract, documents, secrets, Terraform format, validation and tests, checkov
	$(BIN)/python scripts/check.py $(ARGS)

docs: setup ## Write the parts of docs/ that follow from the code
	$(BIN)/python scripts/write_docs.py $(ARGS)

setup-engines: setup ## Bring the real engines that verify needs: Java, Trino, Spark, Iceberg (900 MB to download)
	$(BIN)/python scripts/setup_engines.py $(ARGS)

verify: setup ## Repeat the proof on real parts: Trino, Spark, Terraform providers, clients
	$(BIN)/python -m verify $(ARGS)

bench: setup ## Measure speed: import, query, start-up
	$(BIN)/python -m bench $(ARGS)

clean: ## Forget all local state (the virtual environment stays)
	rm -rf $(STATE)
