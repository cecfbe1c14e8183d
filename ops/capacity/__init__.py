"""How much an environment takes: demand at the busiest second against quotas, and simulations of storms."""
