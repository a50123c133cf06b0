"""Kubernetes behind our ports: clusters, REST, exec and attach, what exists, who may.

Rule of this package: it knows aiohttp, `kubernetes.aio` and `protocol`, never Django, Channels or
Redis, and nothing of the SDK crosses its border. Outwards go the values of `protocol` and the
dataclasses of this package; errors are `protocol.refusal.StreamRefused`.

One exec, from nothing to its exit code:

    async with Clusters([Path("kubeconfig")]) as clusters:
        backend = KubeExecBackend(clusters)
        request = ExecRequest(
            Target.of("demo", "shop", "web-1", "web"),
            Identity("alice", ("team-a",)),
            ("sh",),
            size=Size(120, 40),
        )
        async with backend.open(request) as stream:
            await stream.send_stdin(b"echo hello; exit 7\\n")
            while (output := await stream.receive()) is not None:
                print(output.data)
            print(stream.result())  # Exited(code=7)

Whoever iterates over `receive` without awaiting anything else should give way to others by
himself: it returns at once while output is there.
"""
