"""
What the three users take away: map, lists, briefing, layers and comparison.

Pure writers from the tables of a run to a file. Folium, Matplotlib, typst and XlsxWriter are used here, nowhere else.
"""
