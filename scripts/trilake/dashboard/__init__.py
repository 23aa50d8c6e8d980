"""Dashboards: one page a persona, built by queries run as that persona, as a self-contained HTML file."""
