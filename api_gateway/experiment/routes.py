"""Experiments: their list, and their reports."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get
from litestar.params import PathParameter

from api_gateway import services
from api_gateway.http import openapi, scoped
from api_gateway.lists import parameters
from api_gateway.lists.parameters import Asked
from storage.experiment import experiments
from workers.experiment import report
from workers.experiment.report import Report, Summary

Name = Annotated[str, PathParameter(description="The experiment's name.")]


class Experiments(msgspec.Struct, frozen=True):
    """All experiments, the last started first."""

    experiments: list[Summary]


@get(
    "/v1/experiments",
    opt=scoped.READ,
    operation_id="experiments",
    summary="List experiments",
    tags=["Experiments"],
    responses=openapi.READ_ERRORS,
    name="experiments",
)
async def every(request: Asked) -> Experiments:
    """The running experiment and earlier ones. `reshelf experiment` starts and stops them."""
    async with services.from_request(request).engine.connect() as connection:
        return Experiments([report.summary(one) for one in await connection.run_sync(experiments.every)])


@get(
    "/v1/experiments/{name:str}",
    opt=scoped.READ,
    operation_id="experimentReport",
    summary="The report of an experiment",
    tags=["Experiments"],
    responses=openapi.EXPERIMENT_ERRORS,
    name="experiment",
)
async def one(request: Asked, name: Name) -> Report:
    """Rates of every arm with intervals that hold however often you look, and a verdict. Up to ten seconds old."""
    return await services.from_request(request).reports.read(parameters.path_id(name, "name"))
