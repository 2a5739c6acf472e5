"""What happens to the server, and when: drawn from the seed alone, so that the same seed and the
same length are the same plan. Nothing here looks at a clock or at the server."""

from dataclasses import dataclass

# What can happen: how likely it is beside the others, and what it needs (Chaos.has).
# An act is a method of acts.Acts with this name.
WEIGHTS = {
    "kill_one": (14, ()),
    "kill_all": (2, ()),
    "kill_master": (1, ()),
    "restart": (1, ()),
    "stall_one": (8, ()),
    "operator_looks": (6, ()),
    "operator_holds": (4, ("queue hold", "queue release")),
    "operator_retries": (3, ("queue retry",)),
    "operator_backs_up": (2, ("backup",)),
    "reload_good": (5, ("reload",)),
    "reload_bad": (3, ("reload",)),
    "tables_change": (3, ("tables",)),
    "sink_refuses": (3, ("sink",)),
    "sink_hangs_up": (2, ("sink",)),
    "disk_full": (2, ("disk",)),
    "flood": (4, ()),
    "hostile": (6, ()),
    "call_fails": (6, ("faults",)),
    "sync_fails": (3, ("faults",)),
    "sync_stalls": (2, ("faults",)),
    "clock_jumps": (3, ("faults", "clock")),
}

ROLES = ("control", "deliver", "edge", "logger", "remote", "spool", "state", "store", "vault", "writer")
KEEPERS = ("spool", "deliver", "writer", "remote", "edge")  # who can lose mail: chosen more often

EVENTS_A_MINUTE = 40


@dataclass(frozen=True)
class Event:
    number: int
    wait: float  # seconds of undisturbed load before it
    act: str
    seed: int  # of all that the act itself draws

    def __str__(self):
        return f"{self.number}: {self.act} after {self.wait:.2f} s, seed {self.seed}"


def _wait(rng):
    """Mostly close together, so that one fault meets the recovery from another; now and then calm."""
    mean = 60 / EVENTS_A_MINUTE
    return rng.expovariate(3 / mean) if rng.random() < 0.7 else rng.uniform(0, 2.4 * mean)


def make(rng, count, has):
    """`count` events of those whose needs `has` (a set of texts) meets; each act comes at least
    once where there is room."""
    acts = [act for act, (_, needs) in WEIGHTS.items() if set(needs) <= has]
    weights = [WEIGHTS[act][0] for act in acts]
    drawn = rng.sample(acts, min(count, len(acts)))
    drawn += rng.choices(acts, weights, k=count - len(drawn))
    rng.shuffle(drawn)
    return [Event(n, _wait(rng), act, rng.randrange(2**32)) for n, act in enumerate(drawn)]
