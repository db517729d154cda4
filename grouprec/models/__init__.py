"""What is learned: encoders, groupers, profiles, generators and updaters, and what joins them."""
