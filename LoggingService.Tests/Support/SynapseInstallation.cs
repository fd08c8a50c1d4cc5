namespace LoggingService.Tests.Support;

/// <summary>
/// Debian's unmodified Synapse in a folder of its own, which <c>scripts/synapse</c> makes once, in less than a minute and
/// 450 MB, and keeps in the user's cache.
/// </summary>
internal static class SynapseInstallation
{
    private static readonly TimeSpan BuildLimit = TimeSpan.FromMinutes(10);

    private static readonly Lazy<string?> Hindrance = new(FindHindrance);
    private static readonly Lazy<Task> Made = new(MakeAsync);

    /// <summary>The script that knows how Synapse is installed and run.</summary>
    public static string Script { get; } = Path.Combine(AppContext.BaseDirectory, "scripts", "synapse");

    /// <summary>
    /// Why there can be no Synapse on this machine, which is the reason to skip a test that needs one; <c>null</c> if
    /// there can be one. With <c>CI=true</c> in the environment it is always <c>null</c>: there such a test fails, with
    /// the reason, instead of being skipped.
    /// </summary>
    public static string? SkipReason =>
        Environment.GetEnvironmentVariable("CI") == "true" ? null : Hindrance.Value;

    /// <summary>
    /// Makes the installation if it isn't there yet; waits while another test run is making it. Skips the test where
    /// there can be none (<see cref="SkipReason"/>).
    /// </summary>
    /// <exception cref="InvalidOperationException">There can be no Synapse here, or making it failed.</exception>
    public static Task EnsureAsync()
    {
        Assert.SkipWhen(SkipReason is not null, SkipReason ?? "");
        return Made.Value;
    }

    private static async Task MakeAsync()
    {
        if (Hindrance.Value is { } reason)
            throw new InvalidOperationException(reason);

        using var limit = new CancellationTokenSource(BuildLimit);
        var (exitCode, output) = await ChildProcess.RunAsync(Script, ["install"], limit.Token);
        if (exitCode != 0)
            throw new InvalidOperationException($"Synapse could not be installed: exit code {exitCode}.\n{output}");
    }

    private static string? FindHindrance()
    {
        if (!OperatingSystem.IsLinux())
            return "There can be no Synapse here: its installation is Debian's, and needs Linux.";

        var (exitCode, output) = ChildProcess.RunAsync(Script, ["check"]).GetAwaiter().GetResult();
        return exitCode == 0 ? null : output.Trim();
    }
}
