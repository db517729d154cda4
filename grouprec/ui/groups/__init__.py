"""The Groups page: who are my users?"""
