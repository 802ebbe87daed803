"""One thread per library: for the tests' small arrays, threads that wait for each other cost more than they save."""

import cv2
import torch

cv2.setNumThreads(1)
torch.set_num_threads(1)
