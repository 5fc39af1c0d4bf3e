"""The ten dashboards: the query and the type of chart of each panel."""

from typing import Literal, NamedTuple

Kind = Literal["line", "bar", "pacing", "stacked", "pie", "table"]


class Panel(NamedTuple):
    """A chart or table; ``query`` is a file in ``sql/``: its first column labels the rows, the others are series."""

    kind: Kind
    query: str
    title: str


class Dashboard(NamedTuple):
    """A title, the question that the dashboard answers, and its panels."""

    title: str
    answers: str
    panels: tuple[Panel, ...]


DASHBOARDS = (
    Dashboard(
        "Delivery",
        "Cost and results of the campaigns of the last 60 days.",
        (
            Panel("line", "delivery", "Spend by day, {currency}"),
            Panel("line", "delivery_clicks", "Clicks by day"),
            Panel("line", "delivery_conversions", "Conversions by day"),
            Panel("table", "delivery_totals", "By currency"),
            Panel("table", "anomalies", "Anomalies of the last 28 days"),
        ),
    ),
    Dashboard(
        "Pacing",
        "Budgets that are spent too fast or too slowly; 100% is on plan.",
        (
            Panel("pacing", "pacing", "Spend as a percentage of plan: the fastest and slowest budgets"),
            Panel("table", "pacing_board", "By campaign"),
        ),
    ),
    Dashboard(
        "Campaign league",
        "The campaigns with the highest spend of each currency in the last 28 days, compared with the 28 days before.",
        (Panel("table", "league", "By currency and spend"),),
    ),
    Dashboard(
        "Funnel",
        "The stages that leads of campaigns reached; recent cohorts are incomplete.",
        (
            Panel("bar", "funnel", "Leads of all cohorts"),
            Panel("table", "funnel_cohorts", "By the month in which leads were created"),
        ),
    ),
    Dashboard(
        "Attribution",
        "Sources of leads, and their cost.",
        (Panel("pie", "sources", "Leads by attribution method"), Panel("table", "attribution", "By campaign")),
    ),
    Dashboard(
        "Pipeline",
        "Open deals by stage, now and over time; amounts weighted by probability.",
        (
            Panel("bar", "pipeline", "By stage, {deal_currency}"),
            Panel("line", "pipeline_days", "By day, {deal_currency}"),
        ),
    ),
    Dashboard(
        "Winning",
        "Won deals, the time deals stay in each stage, and reasons for lost deals.",
        (
            Panel("stacked", "wins", "Closed deals by month"),
            Panel("pie", "lost", "Lost deals by reason"),
            Panel("table", "velocity", "Time in stage"),
        ),
    ),
    Dashboard(
        "Creatives",
        "Click-through rates of creatives by AI model and tag.",
        (
            Panel("bar", "models", "Click-through rate by model, percent"),
            Panel("table", "models_table", "By model and type"),
            Panel("table", "tags", "By tag; an asset counts for each of its tags"),
        ),
    ),
    Dashboard(
        "AI spend",
        "Cost of prompts by model and user, and the status of the assets.",
        (
            Panel("bar", "ai_spend", "Cost by model, USD"),
            Panel("table", "ai_content", "Assets by month"),
            Panel("table", "ai_users", "Top users"),
        ),
    ),
    Dashboard(
        "Recurring revenue",
        "Movements of MRR, and churn. Plan prices are example data until you set them.",
        (
            Panel("stacked", "mrr", "Movements by month, USD"),
            Panel("pie", "plans", "Users by plan"),
            Panel("table", "mrr_table", "By month"),
        ),
    ),
)
OPERATOR = Dashboard(
    "Freshness",
    "The time through which each table is complete; stale tables are marked.",
    (Panel("table", "freshness", "Tables and marts"),),
)
