"""What search learns from clicks and judgements."""
