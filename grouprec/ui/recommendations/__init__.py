"""The Recommendations page: what do I show them, and why?"""
