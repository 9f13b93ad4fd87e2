"""Where cuda-python has its modules since version 12.6."""
