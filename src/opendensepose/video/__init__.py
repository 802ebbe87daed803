"""People in videos: each followed from frame to frame, with labels that stay steady.

Read a clip with `reader`, label its frames with `labeller.VideoLabeller`, keep them with `frames_file`, write a clip
with `clip_writer`; `predict_video` does all of it.
"""

__all__: list[str] = []
