//! Measures the measuring: a load against a server that tells the truth, the errors of every figure out. Knows HTTP and the
//! load generator; not plugins, plans or files.
