"""Airflow's mail notifier, for texts that are no templates."""

from airflow.providers.smtp.notifications.smtp import SmtpNotifier


class MailNotifier(SmtpNotifier):
    """Sends subject and body as they are: templates are for the authors of DAGs, what happened is data."""

    template_fields = ()  # type: ignore[assignment] # the base names ten
