"""What stands in cells: ids, numbers, moments and lists, read over whole columns."""
