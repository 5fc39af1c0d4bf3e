"""Airflow's mail notifier without template rendering."""

from airflow.providers.smtp.notifications.smtp import SmtpNotifier


class MailNotifier(SmtpNotifier):
    """Send subject and body as they are: an error message is data and must not be rendered as a template."""

    template_fields = ()  # type: ignore[assignment] # the base names ten
