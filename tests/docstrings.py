"""Check every public docstring against the numpydoc rules in pyproject.toml: `python -m tests.docstrings`."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    files = sorted(
        str(path.relative_to(ROOT))
        for package in ("geo", "models", "gateline")
        for path in (ROOT / package).rglob("*.py")
    )
    return subprocess.run([sys.executable, "-m", "numpydoc.cli", "lint", *files], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
