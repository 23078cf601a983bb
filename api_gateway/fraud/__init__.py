"""Orders: screened while somebody waits, labelled later, and reviewed by people."""
