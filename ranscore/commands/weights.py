"""`ranscore weights`: released checkpoints as safetensors."""

from __future__ import annotations

import argparse
from pathlib import Path

from ranscore.commands.options import Commands


def register(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("weights", help="convert released weights to safetensors")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    convert = actions.add_parser("convert", help="read a checkpoint without executing anything in it, and write its tensors alone")
    convert.add_argument("source", metavar="IN", type=Path, help="the released file (.pth, .pt, .ckpt)")
    convert.add_argument("target", metavar="OUT", type=Path, help="the .safetensors file to write")
    convert.add_argument("--layout", choices=["chexbert"], help="refuse a file that does not hold exactly these released tensors")
    convert.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Convert one file."""
    from harness.errors import RefusedError, UsageError
    from harness.networks import checkpoints

    if arguments.target.suffix != ".safetensors":
        raise UsageError(f"{arguments.target} does not end in .safetensors")
    if arguments.target.exists():
        raise RefusedError(f"{arguments.target} is there already. Move it away, or name another file")
    if arguments.layout == "chexbert":
        from harness.networks import chexbert

        tensors = chexbert.read(arguments.source)
    else:
        tensors = checkpoints.read(arguments.source)
    checkpoints.write_safetensors(tensors, arguments.target)
    size = arguments.target.stat().st_size / 1e6
    print(f"{arguments.target}: {len(tensors)} tensors, {size:.0f} MB, digest {checkpoints.tensors_digest(tensors)}")
    return 0
