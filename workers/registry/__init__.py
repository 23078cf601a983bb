"""What every model shares on its way to serving: versions, verdicts, promotion, the folders."""
