"""Running the service: the workers loaded, the server started, both ended in order."""

import signal
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from opendensepose.serve.access import check_open, read_keys
from opendensepose.serve.app import create_app
from opendensepose.serve.limits import Limits
from opendensepose.serve.metrics import Metrics
from opendensepose.serve.workers import MakePredictor, ModelInfo, Worker, num_cores
from opendensepose.web.addresses import allowed_hosts, listen, url_of

__all__ = ["run_server", "start_workers"]

MOST_CONNECTIONS = 900  # below the usual limit of open files


def run_server(
    model: str,
    make_predictor: MakePredictor,
    *,
    host: str,
    port: int,
    workers: int | None = None,
    limits: Limits | None = None,
    key_file: Path | None = None,
    is_open: bool = False,
    names: Collection[str] = (),
    origins: Collection[str] = (),
) -> None:
    """Serve until SIGTERM or Ctrl-C, then answer what has arrived.

    model: what it is called. make_predictor: makes a `Predictor`; picklable, as each worker calls it. names: under
    which a proxy makes it known. The others as in `opendensepose serve`. ValueError, one sentence: no such model or
    backend, a port that is taken, others could reach it without a key.
    """
    import uvicorn

    limits, keys = limits or Limits(), read_keys(key_file)
    check_open(host, names, keys, is_open)
    listener = listen(host, port)
    metrics = Metrics()
    try:
        pool, info = start_workers(model, make_predictor, workers, limits, metrics)
    except BaseException:
        listener.close()
        raise
    app = create_app(
        pool,
        info,
        limits,
        is_ready=lambda: any(worker.is_ready for worker in pool),
        metrics=metrics,
        keys=keys,
        origins=origins,
        hosts=allowed_hosts(host, names),
        on_stop=partial(_stop, pool),
    )
    config = uvicorn.Config(
        app,
        log_level="warning",
        server_header=False,
        ws="none",
        timeout_keep_alive=30,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=round(limits.deadline_s + limits.upload_s),
    )
    who = "for who has a key" if keys else "for everybody who can reach it" if is_open else "for this machine only"
    count = "1 worker" if len(pool) == 1 else f"{len(pool)} workers"
    url = url_of(host, listener)
    print(f"serving {info.name} ({info.backend}, {info.device}, {count}) at {url}, {who}; Ctrl-C stops", flush=True)
    for name in (signal.SIGTERM, signal.SIGINT):  # uvicorn has its own handlers until it ends, and sends them again
        signal.signal(name, signal.SIG_IGN)
    uvicorn.Server(config).run(sockets=[listener])


def _stop(workers: Sequence[Worker]) -> None:
    for worker in workers:
        worker.stop()


def start_workers(
    model: str, make_predictor: MakePredictor, count: int | None, limits: Limits, metrics: Metrics
) -> tuple[Sequence[Worker], ModelInfo]:
    """Start the processes and wait until they have loaded the model. The first tells the device, and so, unless `count`
    says it, how many there are: one for each core, one alone on a GPU. ValueError, OSError if the model cannot be
    loaded."""
    cores = num_cores()
    threads = max(1, cores // (count or cores))
    make = partial(Worker, make_predictor, limits, threads, metrics.restarts.inc)
    first = make()
    info = first.start(model)
    others = [make() for _ in range((count or (cores if info.device == "cpu" else 1)) - 1)]
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda worker: worker.start(model), others))
    except BaseException:
        _stop([first, *others])
        raise
    return [first, *others], info
