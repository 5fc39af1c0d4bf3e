"""One page that shows what is in the marts: ten dashboards, read as a BI tool reads."""
