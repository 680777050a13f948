"""The reports: a plain sentence first, then the interval, then tables; each as a file too."""
