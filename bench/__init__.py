"""Each figure of Alur beside its peer, taken in one run: `make bench` prints them and writes docs/performance.md."""
