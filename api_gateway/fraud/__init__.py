"""Orders: screened within a deadline, labelled later, and reviewed by people."""
