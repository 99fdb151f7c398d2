"""Maps that leave the service: printed sheets and self-contained pages.

Pure rendering of GeoDataFrames: knows neither database nor HTTP.
"""
