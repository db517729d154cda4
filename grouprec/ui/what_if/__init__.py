"""The What-if page: how many lists do I need?"""
