//! Where measurements lie on disk: append-only rows, framed events, torn tails, the mark of completion. Knows the nouns and
//! files; not sockets, plugins or statistics.
