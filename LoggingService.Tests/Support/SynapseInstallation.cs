namespace LoggingService.Tests.Support;

/// <summary>
/// Debian's unmodified Synapse in a folder of its own, which <c>scripts/synapse</c> installs once into the user's cache: less
/// than a minute, 450 MB.
/// </summary>
internal static class SynapseInstallation
{
    private static readonly TimeSpan BuildLimit = TimeSpan.FromMinutes(10);

    private static readonly Lazy<string?> UnavailableReason = new(FindUnavailableReason);
    private static readonly Lazy<Task> Installed = new(InstallAsync);

    /// <summary>The script that installs and runs Synapse.</summary>
    public static string Script { get; } = Path.Combine(AppContext.BaseDirectory, "scripts", "synapse");

    /// <summary>
    /// Why Synapse can't run on this machine, so that tests that need it are skipped; <c>null</c> if it can. With
    /// <c>CI=true</c> in the environment always <c>null</c>: such a test then fails with the reason.
    /// </summary>
    public static string? SkipReason =>
        Environment.GetEnvironmentVariable("CI") == "true" ? null : UnavailableReason.Value;

    /// <summary>
    /// Installs Synapse unless it is installed; waits while another test run installs it. Skips the test where Synapse can't
    /// run (<see cref="SkipReason"/>).
    /// </summary>
    /// <exception cref="InvalidOperationException">Synapse can't run here, or the installation failed.</exception>
    public static Task EnsureAsync()
    {
        Assert.SkipWhen(SkipReason is not null, SkipReason ?? "");
        return Installed.Value;
    }

    private static async Task InstallAsync()
    {
        if (UnavailableReason.Value is { } reason)
            throw new InvalidOperationException(reason);

        using var limit = new CancellationTokenSource(BuildLimit);
        var (exitCode, output) = await ChildProcess.RunAsync(Script, ["install"], limit.Token);
        if (exitCode != 0)
            throw new InvalidOperationException($"Failed to install Synapse: exit code {exitCode}.\n{output}");
    }

    private static string? FindUnavailableReason()
    {
        if (!OperatingSystem.IsLinux())
            return "Synapse can't run here: its installation needs Linux.";

        var (exitCode, output) = ChildProcess.RunAsync(Script, ["check"]).GetAwaiter().GetResult();
        return exitCode == 0 ? null : output.Trim();
    }
}
