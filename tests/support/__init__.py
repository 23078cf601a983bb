"""What tests of several packages share: small shops, stand-ins, and running processes."""
