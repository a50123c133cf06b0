"""What a person may choose from: clusters, the live tree of pods, favourites and recents."""
