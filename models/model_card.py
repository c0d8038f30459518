"""
The model card and the transparency record of a trained model.

The card follows Mitchell et al. 2019, "Model Cards for Model Reporting" (FAT* 2019, 220-229); the record holds the
fields of the United Kingdom's Algorithmic Transparency Recording Standard. Every text from outside is escaped, because
the card is opened as Markdown and as HTML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from models.dictionary import FeatureDictionary
from models.training import Judgement, TrainingReport

__all__ = [
    "build_atrs",
    "describe_index",
    "draw_index_card",
    "draw_model_card",
    "draw_posterior_card",
    "escape_markdown",
]

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>&$~])")
_LIMITS = (
    "It scores places and never people; no personal data enters it.",
    "Open offence data do not say who brought an offence to light; most drug offences are found by police.",
    "Category-level data mix possession with supply.",
    "A courier is rarely the one who profits and is often a child: a find is a safeguarding event first.",
    "Ranks of stations with few events are uncertain; read the interval and the tier, not the number.",
)


def escape_markdown(text: str) -> str:
    """
    Make any text inert in Markdown and in the HTML made from it.

    Parameters
    ----------
    text : str
        Text from outside.

    Returns
    -------
    str
        One line, controls removed, special characters as entities or escaped.

    Examples
    --------
    >>> escape_markdown("<b>{{x}}</b>")
    '&lt;b&gt;&#123;&#123;x&#125;&#125;&lt;/b&gt;'
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    entities = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "{": "&#123;", "}": "&#125;", "$": "&#36;", "`": "&#96;"}
    return "".join(entities.get(c, f"\\{c}" if _SPECIAL.fullmatch(c) and c not in ".-" else c) for c in line)


def draw_model_card(report: TrainingReport, dictionary: FeatureDictionary, *, region: str, data_note: str) -> str:
    """
    Draw the model card.

    Parameters
    ----------
    report : TrainingReport
        What was fitted and how it did.
    dictionary : FeatureDictionary
        What the features of the issued list mean.
    region : str
        Force or region, from the settings.
    data_note : str
        Which files and months it rests on.

    Returns
    -------
    str
        Markdown, the same for the same report.
    """
    chosen = next(one for one in report.judgements if one.name == report.chosen)
    lines = [
        f"# Model card: {escape_markdown(region)}",
        "",
        f"**Verdict: {escape_markdown(report.verdict)}.**",
        "",
        f"- Model in use: `{report.chosen}`, features: {', '.join(map(escape_markdown, report.columns))}",
        f"- Data: {escape_markdown(data_note)}; last month used {report.cutoff}",
        f"- Judged on {report.n_units:,} places, {report.n_origins} origin months, {report.n_outcomes:,.0f} outcomes",
        f"- Headline hit rate at ten, the worse of time and space: {chosen.headline:.3f}",
    ]
    if report.gain_over_registered is not None:
        gain, low, high = report.gain_over_registered
        lines.append(f"- Gain over the registered model: {gain:+.3f} ({low:+.3f} to {high:+.3f})")
    if report.leakage_warning:
        lines.append("- **Warning: random folds flatter this model; read only the spatial and temporal figures.**")
    lines += ["", "## How every model did", "", *_judgement_rows(report.judgements)]
    lines += ["", "## What it must not be used for", "", *[f"- {limit}" for limit in _LIMITS]]
    lines += ["", "## Features of the issued list", "", "| feature | means | unit | source | led | weight |"]
    lines.append("|---|---|---|---|---|---|")
    for feature in dictionary.features:
        cells = (feature.name, feature.means, feature.unit, feature.source, feature.led, f"{feature.weight:g}")
        lines.append("| " + " | ".join(map(escape_markdown, cells)) + " |")
    return "\n".join(lines) + "\n"


def draw_index_card(
    weights: Mapping[str, Mapping[str, float]],
    *,
    rankability: Mapping[str, float],
    dictionaries: Mapping[str, FeatureDictionary],
    heading: str,
    region: str,
    data_note: str,
    checks: Sequence[str] = (),
) -> str:
    """
    Draw the card of the expert index of a run, which no training stands behind.

    Parameters
    ----------
    weights : mapping of str to mapping of str to float
        Weight of each feature used, by list.
    rankability : mapping of str to float
        Share of the spread between units that is not noise, by list.
    dictionaries : mapping of str to FeatureDictionary
        What the features of each list mean.
    heading : str
        Marks of the run.
    region : str
        Force or region.
    data_note : str
        Which files and months it rests on.
    checks : sequence of str
        What the run assumed, one sentence each.

    Returns
    -------
    str
        Markdown, the same for the same run.
    """
    lines = [
        f"# Model card: {escape_markdown(region)}",
        "",
        escape_markdown(heading),
        "",
        "The score is an expert index: a weighted sum of normalised features, with the weights below. The weights are",
        "judgement, varied in every rank interval; no training stands behind them. `gateline train` judges models and",
        "baselines on later months and says whether any forecasts offences better than counting them.",
        "",
        f"- Data: {escape_markdown(data_note)}",
        *[
            f"- Rankability of {what}: {value:.2f} of 1; below 0.5 read tiers only"
            for what, value in rankability.items()
        ],
        *[f"- {escape_markdown(check)}" for check in checks],
        "",
        "## What it must not be used for",
        "",
        *[f"- {limit}" for limit in _LIMITS],
    ]
    for what, used in weights.items():
        lines += ["", f"## Features of {what}", "", "| feature | means | unit | source | led | weight used |"]
        lines.append("|---|---|---|---|---|---|")
        for feature in dictionaries[what].features:
            weight = f"{used[feature.name]:.3f}" if feature.name in used else "not used"
            cells = (feature.name, feature.means, feature.unit, feature.source, feature.led, weight)
            lines.append("| " + " | ".join(map(escape_markdown, cells)) + " |")
    return "\n".join(lines) + "\n"


def draw_posterior_card(
    *,
    sources: Mapping[str, float],
    rankability: Mapping[str, float],
    priors: Mapping[str, Any],
    implied: Sequence[str],
    checks: Sequence[str],
    level: Sequence[str],
    heading: str,
    region: str,
    data_note: str,
) -> str:
    """
    Draw the card of the posterior of a run.

    Parameters
    ----------
    sources : mapping of str to float
        What each source moved: sum over towns of the size of its reasons, of 100 trips.
    rankability : mapping of str to float
        Share of the spread between units that is not noise, by list.
    priors : mapping of str to object
        Every prior as `models.posterior.priors.Priors.to_record` gives it.
    implied : sequence of str
        What the priors imply before any evidence.
    level : sequence of str
        How many trips there are in all, and what hangs on that and what does not.
    checks : sequence of str
        How well the draws stand for the posterior, and what a reader must know of this run.
    heading : str
        Marks of the run.
    region : str
        Force or region.
    data_note : str
        Which files and months it rests on.

    Returns
    -------
    str
        Markdown, the same for the same run.
    """
    lines = [
        f"# Model card: {escape_markdown(region)}",
        "",
        escape_markdown(heading),
        "",
        "The scores are read from one posterior over courier lines: a corridor model of the network as its prior,",
        "moved by each source of evidence below. Of 100 trips, a station's score is how many could be met on its",
        "platforms, a town's how many go there.",
        "",
        "## What hangs on the level, and what does not",
        "",
        *[f"- {escape_markdown(line)}" for line in level],
        "",
        "## What it rests on",
        "",
        f"- Data: {escape_markdown(data_note)}",
        *[
            f"- Rankability of {what}: {value:.2f} of 1; below 0.5 read tiers only"
            for what, value in rankability.items()
        ],
        *[f"- {escape_markdown(check)}" for check in checks],
        "",
        "## What moved the list",
        "",
        "| source | of 100 trips moved among towns |",
        "|---|---|",
        *[f"| {escape_markdown(name.replace('_', ' '))} | {moved:.1f} |" for name, moved in sources.items()],
        "",
        "## What it must not be used for",
        "",
        *[f"- {limit}" for limit in _LIMITS],
        "",
        "## Priors",
        "",
        "What they imply before any evidence, and what the evidence made of it (`priors.svg`):",
        "",
        *[f"- {escape_markdown(line)}" for line in implied],
        "",
        "| prior | value |",
        "|---|---|",
    ]
    for name, value in priors.items():
        text = f"{value['mean']:.4g}, sd {value['sd']:.4g}" if isinstance(value, dict) else str(value)
        lines.append(f"| {escape_markdown(name)} | {escape_markdown(text)} |")
    return "\n".join(lines) + "\n"


def build_atrs(report: TrainingReport, *, region: str, owner: str, data_note: str) -> dict[str, Any]:
    """
    Build the transparency record.

    Parameters
    ----------
    report : TrainingReport
        What was fitted and how it did.
    region : str
        Force or region.
    owner : str
        Who answers for its use.
    data_note : str
        Which files and months it rests on.

    Returns
    -------
    dict
        JSON-ready values in the tiers of the standard. What only the force can say is null and named in
        ``to_complete``.
    """
    record = describe_index(region=region, owner=owner, features=list(report.columns), data_note=data_note)
    tier = record["tier_2"]
    tier["description_and_rationale"]["alternatives_considered"] = [one.name for one in report.judgements]
    tier["tool_specification"] |= {
        "model_in_use": report.chosen,
        "verdict": report.verdict,
        "headline_hit_rate_at_10": next(j for j in report.judgements if j.name == report.chosen).headline,
        "last_month_used": str(report.cutoff),
    }
    return record


def describe_index(
    *,
    region: str,
    owner: str,
    features: Sequence[str],
    data_note: str,
    model: str = "expert index",
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """
    Build the transparency record of what a run scores by.

    Parameters
    ----------
    region : str
        Force or region.
    owner : str
        Who answers for its use.
    features : sequence of str
        Names of the features that are weighed, or of the sources that spoke.
    data_note : str
        Which files and months it rests on.
    model : str
        What the score is.
    notes : sequence of str
        What a reader of its figures must know.

    Returns
    -------
    dict
        JSON-ready values in the tiers of the standard. What only the force can say is null and named in
        ``to_complete``.
    """
    return {
        "tier_1": {
            "name": "Gateline",
            "description": (
                f"Ranks railway stations and towns of {region} by their exposure to county lines, "
                "to help plan where to deploy."
            ),
            "contact_email": None,
            "website_url": None,
        },
        "tier_2": {
            "owner_and_responsibility": {
                "organisation": owner,
                "senior_responsible_owner": None,
                "third_parties": None,
            },
            "description_and_rationale": {
                "scope": "Places only. It does not score, profile or identify people.",
                "benefit": "A list with reasons and stated uncertainty, judged against counting.",
                "alternatives_considered": ["counting", "population", "footfall", "nearest by train"],
            },
            "decision_making_process": {
                "process_integration": "A planner reads the list; the tool sends no one anywhere.",
                "human_oversight": "Every deployment is decided by a person, who may overrule the list.",
                "required_training": None,
                "appeals_and_review": None,
            },
            "tool_specification": {
                "model_in_use": model,
                "features": list(features),
                "data": data_note,
                **({"notes": list(notes)} if notes else {}),
            },
            "risks_mitigations_impact_assessments": {
                "risks": list(_LIMITS),
                "impact_assessments": None,
            },
        },
        "to_complete": [
            "tier_1.contact_email",
            "tier_1.website_url",
            "tier_2.owner_and_responsibility.senior_responsible_owner",
            "tier_2.owner_and_responsibility.third_parties",
            "tier_2.decision_making_process.required_training",
            "tier_2.decision_making_process.appeals_and_review",
            "tier_2.risks_mitigations_impact_assessments.impact_assessments",
        ],
    }


def _judgement_rows(judgements: tuple[Judgement, ...]) -> list[str]:
    """A Markdown table, one row a candidate."""
    schemes = list(judgements[0].measures)
    head = ["model", *[f"hit rate at 10, {scheme}" for scheme in schemes], "headline", "gain in time", "gain in space"]
    rows = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for one in judgements:
        cells = [f"`{one.name}`", *[f"{one.measures[s]['hit_rate_at_10']:.3f}" for s in schemes], f"{one.headline:.3f}"]
        cells += [f"{g[0]:+.3f} ({g[1]:+.3f} to {g[2]:+.3f})" for g in (one.gain_in_time, one.gain_in_space)]
        rows.append("| " + " | ".join(cells) + " |")
    return rows
