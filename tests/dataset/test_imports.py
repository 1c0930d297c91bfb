"""The whole of haikuft.dataset is light: the command line can check files without waiting."""

import subprocess
import sys


def test_dataset_when_imported_then_no_third_party_module_is_loaded():
    """Neither boto3 nor pandas nor anything else that was installed."""
    code = (
        "import sys, haikuft.dataset, haikuft.base_models, haikuft.hyperparameters\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "print(*sorted(names & {'boto3', 'botocore', 'pandas', 'numpy', 'matplotlib', 'moto',"
        " 'sklearn', 'tqdm', 'ipywidgets'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
