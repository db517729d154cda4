"""grouprec: from an interactions file to user groups, a generated list for every group, and the evidence."""
