"""The ten dashboards (domain.md section 4): which query, drawn how."""

from typing import Literal, NamedTuple

Kind = Literal["line", "bar", "stacked", "pie", "table"]


class Panel(NamedTuple):
    """One chart or table; ``query`` is a file in ``sql/``: its first column names the rows, the others are series."""

    kind: Kind
    query: str
    title: str


class Dashboard(NamedTuple):
    """A title, what it answers, and its panels."""

    title: str
    answers: str
    panels: tuple[Panel, ...]


DASHBOARDS = (
    Dashboard(
        "Delivery",
        "What the campaigns of the last 60 days cost and brought.",
        (
            Panel("line", "delivery", "Spend by day, {currency}"),
            Panel("line", "delivery_counts", "Clicks and conversions by day"),
            Panel("table", "delivery_totals", "By currency"),
            Panel("table", "anomalies", "Unusual figures of the last 28 days"),
        ),
    ),
    Dashboard(
        "Pacing",
        "Which budgets are spent too fast or too slowly; 100 is on plan.",
        (
            Panel("bar", "pacing", "Spent beside plan, per cent"),
            Panel("table", "pacing_board", "The board"),
        ),
    ),
    Dashboard(
        "Campaign league",
        "Who spent most in the last 28 days, against the 28 days before.",
        (Panel("table", "league", "By spend"),),
    ),
    Dashboard(
        "Funnel",
        "How far leads of campaigns came; young cohorts are incomplete.",
        (
            Panel("bar", "funnel", "Leads of all cohorts"),
            Panel("table", "funnel_cohorts", "By the month leads came in"),
        ),
    ),
    Dashboard(
        "Attribution",
        "Where leads come from, and what they cost.",
        (Panel("pie", "sources", "Leads by what credits them"), Panel("table", "attribution", "By campaign")),
    ),
    Dashboard(
        "Pipeline",
        "The open deals by stage, now and over time; weighted by probability.",
        (
            Panel("bar", "pipeline", "By stage, {deal_currency}"),
            Panel("line", "pipeline_days", "By day, {deal_currency}"),
        ),
    ),
    Dashboard(
        "Winning",
        "How many deals are won, how long stages take, why deals are lost.",
        (
            Panel("stacked", "wins", "Closed deals by month"),
            Panel("pie", "lost", "Why deals were lost"),
            Panel("table", "velocity", "Time in stage"),
        ),
    ),
    Dashboard(
        "Creatives",
        "Which AI models and tags make creatives that are clicked.",
        (
            Panel("bar", "models", "Click-through rate by model, per cent"),
            Panel("table", "models_table", "By model and type"),
            Panel("table", "tags", "By tag; assets count to each of their tags"),
        ),
    ),
    Dashboard(
        "AI spend",
        "What prompts cost, who spends it, and what becomes of the assets.",
        (
            Panel("bar", "ai_spend", "Cost by model, USD"),
            Panel("table", "ai_content", "Assets by month"),
            Panel("table", "ai_users", "Top users"),
        ),
    ),
    Dashboard(
        "Recurring revenue",
        "What moved MRR, and who left. Plan prices are example data until the owner sets them.",
        (
            Panel("stacked", "mrr", "Movements by month, USD"),
            Panel("pie", "plans", "Users by plan"),
            Panel("table", "mrr_table", "By month"),
        ),
    ),
)
OPERATOR = Dashboard(
    "Freshness",
    "How far every table is complete; what is stale is marked.",
    (Panel("table", "freshness", "Tables and marts"),),
)
