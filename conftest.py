"""What every test runs under: hypothesis finds the same examples each time, on a busy machine too.

`pytest --hypothesis-profile=explore` looks for what is not known yet: new examples on every run.
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "house",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", settings.get_profile("house"), derandomize=False)
settings.load_profile("house")
