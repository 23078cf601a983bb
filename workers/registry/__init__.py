"""What all models share on the way to serving: versions, verdicts, publishing, promotion, folders."""
