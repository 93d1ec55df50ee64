//! From recorded rows to figures: windows, steady state, goodput, the harness error and the verdict. Knows the nouns and
//! statistics; no files, no sockets, no printing.
