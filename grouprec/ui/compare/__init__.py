"""The Compare page: which method should I trust?"""
