"""Hot spots as officers ask for them: events, an analysis, an answer with evidence."""
