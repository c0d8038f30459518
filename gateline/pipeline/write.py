"""Write the products of a run into its folder, from tables alone, after the disclosure gate."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from gateline.pipeline.planning import RunPlan
from gateline.pipeline.private_digest import PRIVATE_ROLES
from gateline.pipeline.read import Inputs
from gateline.pipeline.record import Recorder, library_versions, record_settings
from gateline.pipeline.stages import Results
from gateline.pipeline.summary import measure_moved, summarise_run
from gateline.products.briefing import write_briefing_pdf
from gateline.products.coach_stops import write_coach_stop_csv
from gateline.products.coach_tables import CoachTables
from gateline.products.csv_lists import write_csv, write_station_csv, write_town_csv
from gateline.products.gis import write_hotspots_geojson, write_layers_gpkg
from gateline.products.guidance import LEVEL_NOTE, describe_level
from gateline.products.inputs import FICTIONAL_NOTE, HOTSPOT_MONTHS, Marks, ProductInputs
from gateline.products.map_page import write_map
from gateline.products.prior_figure import draw_prior_figure
from gateline.products.roster_files import write_roster
from gateline.products.spreadsheet import write_list_xlsx
from gateline.settings import Settings
from geo.disclosure.generalisation import generalise_hotspots, suppress_months
from geo.disclosure.quadtree import band_cells
from geo.disclosure.suppression import round_counts
from geo.sources.coverage import list_missing
from models.dictionary import PLACE_FEATURES, STATION_FEATURES
from models.model_card import describe_index, draw_index_card, draw_posterior_card
from models.prior_predictive import predict_from_priors

__all__ = ["level_of", "product_inputs", "write_products", "write_record"]


def product_inputs(
    inputs: Inputs,
    results: Results,
    marks: Marks,
    *,
    plan: RunPlan | None = None,
    not_used: pd.DataFrame | None = None,
) -> ProductInputs:
    """
    Gather the tables that products are drawn from, victims' points replaced by banded squares.

    Parameters
    ----------
    inputs : Inputs
        What was read.
    results : Results
        What the stages found.
    marks : Marks
        Of the release.
    plan : RunPlan or None
        The interception plan, where there is one.
    not_used : pandas.DataFrame or None
        Table `gateline.products.inputs.NOT_USED`, where it is to be told.

    Returns
    -------
    ProductInputs
        Ready to write.

    Raises
    ------
    DisclosureError
        If the profile gets no victim layer.
    """
    bands: gpd.GeoDataFrame | None = None
    if inputs.cuckooing is not None and len(inputs.areas):
        bands = band_cells(inputs.cuckooing, inputs.areas, profile=marks.profile).rename_axis("area_id")
    hotspots = generalise_hotspots(
        results.hotspots,
        profile=marks.profile,
        areas=inputs.areas,
        has_exact_offences=bool((inputs.offences["location_precision"] == "exact").any()),
    )
    months = suppress_months(results.hotspot_months, hotspots, profile=marks.profile)
    months = months.set_axis(
        pd.Index(months["hotspot_id"] + ":" + months["month"].astype("str"), name=HOTSPOT_MONTHS.index, dtype="str")
    )
    harm = results.station_scores.table["hotspot_harm_within_15_min_walk"]
    lists = (("stations", results.station_scores), ("towns", results.place_scores))
    land = inputs.boundaries[inputs.boundaries["kind"] == "coast"]
    return ProductInputs(
        marks=marks,
        stations=results.network.stations,
        station_scores=results.station_scores.table,
        station_exposure=results.station_exposure,
        station_flows=results.assignment.station_flows,
        rail_links=results.network.links,
        segment_flows=results.assignment.segment_flows,
        places=inputs.places,
        place_scores=results.place_scores.table,
        place_exposure=results.place_exposure,
        exporters=inputs.exporters,
        hotspots=hotspots,
        boundaries=inputs.boundaries[inputs.boundaries["kind"] != "coast"],
        areas=inputs.areas if len(inputs.areas) else None,
        hotspot_months=months,
        cuckooing_bands=bands,
        station_usage=results.usage if len(results.usage) else None,
        coast=land if len(land) else None,
        hotspot_harm=_rounded(harm, marks.profile),
        station_beside=results.beside.stations.assign(
            harm_near=_rounded(results.beside.stations["harm_near"], marks.profile)
        ),
        place_beside=results.beside.towns.assign(
            harm_in_town=_rounded(results.beside.towns["harm_in_town"], marks.profile)
        ),
        child_layer=results.beside.child_layer,
        index_lists=frozenset(what for what, scores in lists if scores.weights),
        trips_level=level_of(results),
        upstream=results.upstream,
        # A cell may tell the hour of one record: the strip is for those who plan shifts.
        station_hours=results.hours if marks.profile == "tactical" else None,
        station_trains=results.trains.table,
        trains_home=results.trains.home,
        replacements=results.trains.replacements,
        trains_basis=results.trains.basis,
        coaches=_coach_tables(results, marks.profile),
        plan=None if plan is None else plan.duty.table,
        plan_duties=None if plan is None else plan.duty.duties,
        plan_summary=None if plan is None else asdict(plan.duty.summary),
        plan_residual=None if plan is None else plan.duty.residual,
        plan_yields=None if plan is None else plan.duty.yields,
        plan_what_ifs=None if plan is None else plan.duty.what_ifs,
        plan_agreement=None if plan is None else plan.duty.agreement,
        plan_left_out=None if plan is None else plan.left_out,
        plan_notes=() if plan is None else plan.notes,
        not_used=not_used,
        forces_missing=list_missing(inputs.coverage),
    )


def _coach_tables(results: Results, profile: str) -> CoachTables | None:
    """Coach stops as the profile may see them."""
    coach = results.coach
    if coach is None:
        return None
    hours = coach.hours if profile == "tactical" else None
    return CoachTables(coach.stops, coach.all_stops, coach.exposure, hours, coach.n_coaches)


def level_of(results: Results) -> tuple[float, float, float]:
    """
    Give the trips a month into or within the force.

    Parameters
    ----------
    results : Results
        Of the stages.

    Returns
    -------
    tuple of float
        Mean, and the ends of the 90 % interval.
    """
    trips = results.fitted.estimate.trips_per_month
    low, high = np.quantile(trips, (0.05, 0.95))
    return float(trips.mean()), float(low), float(high)


def _rounded(harm: pd.Series, profile: str) -> pd.Series:
    """Harm as the profile may see it: suppressed where small, else rounded; null where not known."""
    return round_counts(harm.fillna(0.0).round(), profile=profile).where(harm.notna())


def write_products(
    folder: Path,
    products: ProductInputs,
    inputs: Inputs,
    results: Results,
    *,
    registered: tuple[str, ...] = (),
    uncounted: Collection[str] = (),
) -> None:
    """
    Write every product.

    Parameters
    ----------
    folder : pathlib.Path
        Of the run, empty.
    products : ProductInputs
        What they are drawn from.
    inputs : Inputs
        For the quarantine.
    results : Results
        For the model card.
    registered : tuple of str
        Which registered models the run did not use, and why.
    uncounted : collection of str
        Files whose rows tell of people: what was set aside of them is told by ``gateline check`` alone. A line number
        moves with every address before it, and a repeated row says that a home is on the list.
    """
    write_station_csv(folder / "stations.csv", products)
    write_town_csv(folder / "towns.csv", products)
    write_coach_stop_csv(folder / "coach_stops.csv", products)
    write_list_xlsx(folder / "priority_stations.xlsx", products)
    write_map(folder / "map.html", products)
    write_briefing_pdf(folder / "briefing.pdf", products)
    write_layers_gpkg(folder / "layers.gpkg", products)
    write_hotspots_geojson(folder / "hotspots.geojson", products)
    write_roster(folder, products)
    is_told = (inputs.quarantine["status"] != "out_of_scope") & ~inputs.quarantine["source_file"].isin(uncounted)
    rejected = inputs.quarantine[is_told]
    write_csv(folder / "quarantine.csv", rejected, products.marks)
    if products.not_used is not None:
        write_csv(folder / "not_used.csv", products.not_used, products.marks)
    marks = products.marks
    lists = (("stations", results.station_scores), ("towns", results.place_scores))
    rankability = {what: scores.rankability for what, scores in lists}
    about: dict[str, str] = {
        "heading": marks.sentence(),
        "region": marks.title,
        "data_note": f"{marks.covers}; {'; '.join(marks.credits)}",
    }
    weights = {what: scores.weights for what, scores in lists if scores.weights}
    dictionaries = {"stations": STATION_FEATURES, "towns": PLACE_FEATURES}
    if weights:
        assumed = (marks.railway, *marks.railway_notes)
        card = draw_index_card(weights, rankability=rankability, dictionaries=dictionaries, checks=assumed, **about)
    else:
        implied = predict_from_priors(results.fitted.estimate, random_state=0)
        draw_prior_figure(folder / "priors.svg", implied, marks)
        card = draw_posterior_card(
            sources=measure_moved(results),
            level=[describe_level(level_of(results)), LEVEL_NOTE],
            rankability=rankability,
            priors=results.fitted.estimate.posterior.priors.to_record(),
            implied=implied.sentences(),
            checks=(marks.railway, *marks.railway_notes, *results.fitted.notes, *results.beside.notes, *registered),
            **about,
        )
    (folder / "model_card.md").write_text(card, encoding="utf-8")
    features = sorted({name for _, scores in lists for name in scores.weights} or set(results.fitted.reasons.groups))
    model = "expert index" if weights else "posterior over courier lines"
    note = f"{FICTIONAL_NOTE}. {marks.covers}" if marks.is_fictional else marks.covers
    record = describe_index(
        region=marks.title,
        owner=marks.operator,
        features=features,
        data_note=note,
        model=model,
        notes=(describe_level(level_of(results)), LEVEL_NOTE, marks.railway, *marks.railway_notes, *registered),
    )
    _dump(folder / "atrs.json", record | {"run_id": marks.run_id, "marking": marks.marking})


def write_record(
    folder: Path,
    *,
    inputs: Inputs,
    settings: Settings,
    recorder: Recorder,
    run_id: str,
    code: str,
    digests: list[tuple[str, str, str]],
    results: Results,
    not_used: pd.DataFrame,
    registered: tuple[str, ...],
    uncounted: Collection[str],
) -> None:
    """
    Write ``run.json``, the same for the same inputs, and ``timings.json``, which is not.

    Parameters
    ----------
    folder : pathlib.Path
        Of the run.
    inputs : Inputs
        What was read.
    settings : Settings
        Of the workspace.
    recorder : Recorder
        Of the run.
    run_id, code : str
        Of the run.
    digests : list of (str, str, str)
        Role, file name and content digest of each input.
    results : Results
        What the stages found.
    not_used : pandas.DataFrame
        Table `gateline.products.inputs.NOT_USED`.
    registered : tuple of str
        Which registered models the run did not use, and why.
    uncounted : collection of str
        Files whose rows tell of people: they are counted in the audit log alone.
    """
    accounts = [
        {key: value for key, value in account.to_record().items() if key != "sha256"}
        for account in inputs.accounts
        if account.source_file not in uncounted
    ]
    record = {
        "run_id": run_id,
        "code": code,
        "libraries": library_versions(),
        "settings": record_settings(settings),
        "random_state": settings.scores.random_state,
        "cutoff": str(inputs.offences["month"].max()),
        "inputs": [
            {"role": role, "file": name, f"{'bands' if role in PRIVATE_ROLES else 'content'}_sha256": digest}
            for role, name, digest in digests
        ],
        "rows": accounts,
        "rows_not_told": sorted(uncounted),
        "not_used": json.loads(not_used.to_json(orient="records")),
        "stages": recorder.to_record(),
        "posterior": summarise_run(results, level_of(results)),
        "registered_models": list(registered),
    }
    _dump(folder / "run.json", record)
    _dump(folder / "timings.json", recorder.timings())


def _dump(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=True) + "\n", encoding="utf-8")
