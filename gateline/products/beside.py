"""
The lists beside the main one as products show them: per passenger, per head, by harm, by children.

Each has its own rank, and no figure of one list enters another.
"""

from __future__ import annotations

import pandas as pd

from gateline.products.inputs import ProductInputs
from models.posterior.beside import rank_known
from models.telling import round_figures, tell_parts

__all__ = ["LISTS_BESIDE", "lists_beside", "stations_beside", "towns_beside"]

PEOPLE = 10_000.0
# Sheet, which places, figure, its interval, its rank, and what the list says.
LISTS_BESIDE: tuple[tuple[str, str, str, tuple[str, ...], str, str], ...] = (
    (
        "By passengers, stations",
        "stations",
        "courier_flow_per_100k_passengers",
        (),
        "rank_per_passenger",
        "Courier trips for each 100,000 passengers: where one stop finds a courier rather than a traveller",
    ),
    (
        "By harm, stations",
        "stations",
        "harm_near",
        (),
        "rank_harm",
        "Harm of recorded offences near, in offences of mean harm, fading with the walk (to 37 % over 600 m)",
    ),
    (
        "By head, towns",
        "towns",
        "trips_per_10k_residents",
        ("trips_per_10k_low", "trips_per_10k_high"),
        "rank_per_head",
        "Courier trips a month for each 10,000 residents: small towns that bear more than their share",
    ),
    (
        "By harm, towns",
        "towns",
        "harm_in_town",
        (),
        "rank_harm",
        "Harm of recorded offences within 3 km of the town's centre, in offences of mean harm",
    ),
    (
        "By children, towns",
        "towns",
        "child_score",
        ("child_score_low", "child_score_high"),
        "rank_child",
        "Of 100 courier trips, each counted by the children where it goes ({layer} for each resident)",
    ),
)


def stations_beside(inputs: ProductInputs, index: pd.Index) -> dict[str, pd.Series]:
    """
    Give the columns of stations that stand beside the score.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.
    index : pandas.Index
        Stations, in the order of the list.

    Returns
    -------
    dict of str to pandas.Series
        Harm near, and the rank in each list; null where not known.
    """
    rate = inputs.station_exposure["courier_trips_per_100k_passengers"].reindex(index)
    columns = {"rank_per_passenger": rank_known(rate)}
    if inputs.station_beside is not None:
        harm = inputs.station_beside["harm_near"].reindex(index)
        columns |= {"harm_near": harm, "rank_harm": rank_known(harm)}
    return columns


def towns_beside(inputs: ProductInputs, flow: pd.Series, scores: pd.DataFrame) -> dict[str, pd.Series]:
    """
    Give the columns of towns that stand beside the score.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.
    flow : pandas.Series
        Trips a month by town, in the order of the list.
    scores : pandas.DataFrame
        The scored towns, for the interval of their trips.

    Returns
    -------
    dict of str to pandas.Series
        Trips a head, harm, and trips weighted by children where a layer is supplied, each with its rank.
    """
    people = inputs.places["population"].reindex(flow.index)
    heads = people.where(people > 0) / PEOPLE
    a_head = flow / heads
    columns = {"trips_per_10k_residents": _figures(a_head)}
    for end in ("low", "high"):
        if f"trips_{end}" in scores.columns:
            columns[f"trips_per_10k_{end}"] = _figures(scores[f"trips_{end}"] / heads)
    columns["rank_per_head"] = rank_known(a_head)
    if inputs.place_beside is None:
        return columns
    table = inputs.place_beside.reindex(flow.index)
    columns |= {"harm_in_town": table["harm_in_town"], "rank_harm": rank_known(table["harm_in_town"])}
    if inputs.child_layer is not None:
        names = ("child_score", "child_score_low", "child_score_high")
        columns |= tell_parts(table[list(names)], table["child_score"])
        columns["rank_child"] = rank_known(table["child_score"])
    return columns


def lists_beside(
    inputs: ProductInputs, stations: pd.DataFrame, towns: pd.DataFrame
) -> list[tuple[str, str, pd.DataFrame]]:
    """
    Give each list that can be made, in its own order.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.
    stations, towns : pandas.DataFrame
        As `gateline.products.lists` gives them.

    Returns
    -------
    list of (str, str, pandas.DataFrame)
        Name, what it says, and the list: its own rank first, the rank of the main list last.
    """
    found = []
    for name, what, figure, interval, rank, meaning in LISTS_BESIDE:
        table = stations if what == "stations" else towns
        if figure not in table.columns or table[figure].isna().all():
            continue
        own = table[table[rank].notna()].sort_index().sort_values(rank, kind="stable")
        shown = [column for column in interval if column in table.columns]
        main = own["rank"].where(own["is_rank_issued"])
        listed = own[["name", figure, *shown, "tier"]].assign(main_rank=main)
        listed = listed.reset_index()
        listed.insert(0, "list_rank", own[rank].to_numpy())
        layer = (inputs.child_layer or "").replace("_", " ")
        found.append((name, meaning.format(layer=layer), listed))
    return found


def _figures(values: pd.Series) -> pd.Series:
    return pd.Series(round_figures(values), index=values.index)
