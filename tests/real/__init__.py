"""Programs nobody here wrote, fetched by package name at pinned versions, run as their users run them."""
