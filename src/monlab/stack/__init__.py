"""Starting, stopping and looking at the servers of the lab: compose.yaml -> running services. `lab` is what people call."""
