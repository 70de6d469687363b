"""From exec to SERVING, what the probe of the device found, and Verify."""

from setting import DEFAULT

TEXT = "Plants make fantastic pets because they don't leave a mess after you feed them."


def run(setting, findings):
    for name in dict.fromkeys((DEFAULT, setting.main_model)):
        server = setting.server(name)
        client = setting.client(server)
        compute = client.model().compute
        findings.figure(f"{name}: exec to SERVING", f"{server.start_seconds:.2f} s")
        findings.figure(f"{name}: a row's bits depend on itself alone", str(compute.batch_independent), "the probe")
        findings.detail(f"{name} numerics", compute.numerics)
        report = client.stub.Verify(client.pb.VerifyRequest(texts=[TEXT]), timeout=120)
        failed = [check.name for check in report.checks if not check.passed]
        findings.check(
            f"{name}: Verify, {len(report.checks)} checks", f"{len(failed)} failed", report.passed, "; ".join(failed)
        )
