"""The planted rows of the sample data: invalid rows that the sources accept and the checks of the feeds reject.

Every feed gets exactly this many at every size, so that the number of quarantined rows can be verified.
"""

from datetime import UTC, datetime

# a placeholder date of an import, later than any time of the source's clock
FAR_FUTURE = datetime(2099, 12, 31, tzinfo=UTC)

PLANTED: dict[str, int] = {
    "users": 2,  # blank e-mail address, so there is no hash
    "subscriptions": 3,  # ends before it starts
    "campaigns": 2,  # ends before it starts; has no owner
    "ad_groups": 2,  # no campaign
    "ads": 2,  # no ad group
    "campaign_metrics": 6,  # a missing measure, a negative measure, a time in the future
    "ad_metrics": 6,  # the same
    "content_assets": 4,  # an image without an address; a size of zero bytes
    "prompts": 3,  # no tool; negative tokens
    "accounts": 3,  # created after its last change
    "contacts": 3,  # created after its last change
    "leads": 7,  # created after its last change
    "opportunities": 4,  # a currency code that is not in ISO 4217
    "activities": 4,  # longer than a day
}
