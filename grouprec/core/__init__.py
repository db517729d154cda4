"""The ground: types and errors, atomic files, where the app's own files lie. Imports nothing of ours."""
