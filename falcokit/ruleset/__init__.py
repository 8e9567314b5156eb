"""From items to meaning, in Falco's own phases: reader, collector, compiler.  Inert: reads no disk, prints nothing."""
