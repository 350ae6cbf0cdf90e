"""scikit-learn's side of pursuitSpeed.ts: folder, atoms, signals, nonzeros, repeats. Prints the processor seconds of the best run."""

import sys
import time
import warnings

import numpy as np
from sklearn.linear_model import orthogonal_mp_gram

folder, atoms, signals, nonzeros, repeats = sys.argv[1], *map(int, sys.argv[2:])
gram = np.fromfile(f"{folder}/gram").reshape(atoms, atoms)
seen = np.fromfile(f"{folder}/seen").reshape(signals, atoms).T.copy()
warnings.simplefilter("ignore")

times = []
for _ in range(repeats):
    started = time.process_time()
    code = orthogonal_mp_gram(gram, seen, n_nonzero_coefs=nonzeros)
    times.append(time.process_time() - started)
code.reshape(atoms, signals).T.copy().tofile(f"{folder}/code")
print(min(times))
