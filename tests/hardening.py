"""What every container of the lab must be."""

import docker


def assert_hardened(daemon: docker.DockerClient, name: str, container: str, user: str) -> None:
    """Limited in memory, without any right of root's, unable to write to its image, and published on loopback only."""
    found = daemon.api.inspect_container(container)
    host = found["HostConfig"]
    assert host["Memory"] > 0 and host["ReadonlyRootfs"] and not host["Privileged"], name
    assert host["CapDrop"] == ["ALL"] and not host["CapAdd"] and "no-new-privileges:true" in host["SecurityOpt"], name
    assert found["Config"]["User"] == user, name
    published = [binding for bindings in host["PortBindings"].values() for binding in bindings]
    assert published and all(binding["HostIp"] == "127.0.0.1" for binding in published), name
