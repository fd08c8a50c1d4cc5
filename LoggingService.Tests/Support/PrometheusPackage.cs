using System.Diagnostics;

namespace LoggingService.Tests.Support;

/// <summary>Debian's Prometheus: the server, and <c>promtool</c>, which checks metrics and rules.</summary>
internal static class PrometheusPackage
{
    /// <summary>Skips the test where the package is not installed; in CI it fails.</summary>
    public static void EnsureInstalled()
    {
        const string reason = "Prometheus is missing. Run: apt-get install --no-install-recommends prometheus";
        var isInstalled = File.Exists("/usr/bin/promtool") && File.Exists("/usr/bin/prometheus");
        Assert.False(!isInstalled && Environment.GetEnvironmentVariable("CI") == "true", reason);
        Assert.SkipUnless(isInstalled, reason);
    }

    /// <summary>Runs <c>promtool</c>, which must find nothing to complain about.</summary>
    /// <param name="input">Its standard input.</param>
    public static async Task CheckAsync(string input, params string[] arguments)
    {
        using var process = ChildProcess.Start(new ProcessStartInfo("promtool", arguments), input);
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0 && errors.Length == 0, $"promtool {string.Join(' ', arguments)}: {errors}{await output}");
    }
}
