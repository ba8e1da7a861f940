# Runs the notebook of examples/ from its first cell to its last in a kernel of its own. No tolerance: it is
# right if no cell fails.

import os
import pathlib

import pytest

NOTEBOOK = pathlib.Path(__file__).parents[2] / "examples/notebook/quadgate.ipynb"


def test_every_cell_runs(tmp_path):
    pytest.importorskip("ipykernel")
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells)  # of the machine that stored them
    client = nbclient.NotebookClient(notebook, resources={"metadata": {"path": tmp_path}})
    client.execute(env=os.environ | {"OMP_NUM_THREADS": "1"})  # of torch's own, which wait by spinning
    kinds = {name for cell in cells for output in cell.outputs for name in output.get("data", ())}
    assert {"text/plain", "text/html", "image/png"} <= kinds
    for cell in cells:
        pictures = sum("image/png" in output.get("data", ()) for output in cell.outputs)
        assert pictures == ("plot(" in cell.source), cell.source
    told = "".join(output.text for cell in cells for output in cell.outputs if output.output_type == "stream")
    assert "15/15" in told and "epoch/s" in told  # the bar
    assert not list(tmp_path.iterdir())
