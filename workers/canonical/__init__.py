"""The one form of what orders and shoppers are known by, whoever spelled it: addresses, contacts, countries."""
