"""The Data page: is this file good enough?"""
