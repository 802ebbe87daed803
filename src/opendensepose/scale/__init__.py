"""The long verbs in shards, in processes of this machine or on a Ray cluster.

A task is a shard: some photos, pictures, images or a piece of a clip. Whoever works on it writes one file, whose name
the task decides, when all of it is done. So what is missing is known by name, a task that is done twice gives the same
file, and a run that was killed goes on.
"""

from opendensepose.scale.photos import ShardSummary, predict_shards
from opendensepose.scale.shards import read_rows

__all__ = ["ShardSummary", "predict_shards", "read_rows"]
