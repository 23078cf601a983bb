"""How much the recommender's rankings change when fake users are injected, and with an item matrix in int8."""
