"""Checkpoints of random weights that more than one parity test serves, as random_checkpoint.py's arguments."""

N_INNER_100 = "--n-layer 3 --n-embd 60 --n-head 5 --n-inner 100 --n-positions 128 --init-std 0.15".split()
FP16_ON_DISK = "--n-layer 5 --n-embd 96 --n-head 2 --n-positions 256 --dtype float16 --init-std 0.1".split()
