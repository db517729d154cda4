"""The Updates page: what changes when something happens?"""
