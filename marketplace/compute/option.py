"""The option of the commands that evaluate plans. Apart from the rest, so that workers need not load a command line."""

from typing import Annotated

import typer

ComputeOption = Annotated[
    str,
    typer.Option(
        envvar="MARKETPLACE_COMPUTE",
        metavar="inline|processes:N|dask:tcp://HOST:PORT",
        help="who evaluates on ciphertext: this process, N others, a Dask cluster 计算方式 \\[MARKETPLACE_COMPUTE]",
        show_envvar=False,
    ),
]
