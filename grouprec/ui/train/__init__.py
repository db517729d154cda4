"""The Train page: what will it cost, and how is it going?"""
