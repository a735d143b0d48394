"""What a learner has done. Kept on this machine only."""
