"""The lab of the dockershim story: real kubelets on real runtimes, and the evidence that they leave."""

__version__ = "0.1.0"
