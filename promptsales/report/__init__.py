"""Render ten dashboards of the marts as one HTML page, read with the role of a BI tool."""
