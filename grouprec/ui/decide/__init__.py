"""The Decide page: how many lists are enough, for whom, and who approves them?"""
