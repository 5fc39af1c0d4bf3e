"""The bad rows among the sample data: allowed by the sources' own constraints, caught by the checks of the feeds.

Every feed gets exactly this many, whatever the size, so that a run can be compared with what it must quarantine.
"""

from datetime import UTC, datetime

# an import with a placeholder date: later than any stamp of the source's own clock
FAR_FUTURE = datetime(2099, 12, 31, tzinfo=UTC)

PLANTED: dict[str, int] = {
    "users": 2,  # blank e-mail address: no hash to know the user by
    "subscriptions": 3,  # ends before it starts
    "campaigns": 2,  # ends before it starts; has no owner
    "ad_groups": 2,  # belongs to no campaign
    "ads": 2,  # belongs to no ad group
    "campaign_metrics": 6,  # a measure missing, a measure below zero, measured in the future
    "ad_metrics": 6,  # the same
    "content_assets": 4,  # an image without an address; a size of zero bytes
    "prompts": 3,  # no tool; tokens below zero
    "accounts": 3,  # created after its last change
    "contacts": 3,  # created after its last change
    "leads": 7,  # created after its last change
    "opportunities": 4,  # a currency that ISO 4217 does not know
    "activities": 4,  # longer than a day
}
