"""Where events cluster, and whether it is real: pure functions over arrays and geometries.

Nothing here knows the database, HTTP or the settings, so every function runs in a notebook. Lengths
are metres in the local CGCS2000 Gauss-Krüger zone, never degrees.
"""
