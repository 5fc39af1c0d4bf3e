"""Fill PromptAds with sample campaigns, ads and metrics."""

from promptsales.seed.campaigns import ad_groups, ads, campaigns
from promptsales.seed.copying import Tally, copy_rows, system_to_fill
from promptsales.seed.metrics import ad_metrics, campaign_metrics
from promptsales.seed.world import World
from promptsales.settings import Settings


def fill(settings: Settings, world: World, tally: Tally) -> bool:
    """Fill the system in one transaction; return False when it already holds campaigns.

    Raises:
        TransientError: when the system cannot be reached.
        TerminalError: when it rejects a statement, for instance because its schema is not provisioned.
    """
    with system_to_fill(settings, "promptads", "promptads.campaigns") as connection:
        if connection is None:
            return False
        copy_rows(connection, "promptads.campaigns", campaigns(world), tally)
        copy_rows(connection, "promptads.ad_groups", ad_groups(world), tally)
        copy_rows(connection, "promptads.ads", ads(world), tally)
        copy_rows(connection, "promptads.campaign_metrics", campaign_metrics(world), tally)
        copy_rows(connection, "promptads.ad_metrics", ad_metrics(world), tally)
    return True
