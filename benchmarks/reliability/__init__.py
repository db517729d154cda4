"""Whether anything is lost, and whether it is said: damaged files, killed processes, and disks that refuse."""
