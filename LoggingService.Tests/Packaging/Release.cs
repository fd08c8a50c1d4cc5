using LoggingService.Tests.Support;

namespace LoggingService.Tests.Packaging;

/// <summary>What packaging/release makes of the published program, once for all tests of the packages.</summary>
[CollectionDefinition(nameof(Release))]
public sealed class Release : ICollectionFixture<Release>, IDisposable
{
    private static readonly string Scripts = Path.Combine(Checkout.Folder, "packaging");
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly Lazy<Task> _built;

    public Release() => _built = new(BuildAsync);

    /// <summary>The path of the only file with this ending. Skips the test where the packages can't be built; in CI it fails.</summary>
    public async Task<string> GetAsync(string ending)
    {
        await EnsureToolsAsync(needsProgram: true);
        await _built.Value;
        return Assert.Single(Directory.GetFiles(_folder["release"], $"*{ending}"));
    }

    /// <summary>Runs a script of the folder packaging, and returns its output.</summary>
    public static async Task<string> RunAsync(string script, params string[] arguments) =>
        await ProcessOutput.GetAsync(Path.Combine(Scripts, script), arguments);

    /// <summary>Skips the test where programs, or privileges, are missing; in CI it fails.</summary>
    public static async Task EnsureToolsAsync(bool needsProgram)
    {
        var missing = OperatingSystem.IsLinux() && File.Exists("/usr/bin/dpkg")
            ? (await RunAsync("missing")).ReplaceLineEndings(" ").Trim()
            : null;
        var reason = (missing, Environment.IsPrivilegedProcess, ServiceProcess.Program) switch
        {
            (null, _, _) => "The packages are built on Debian only.",
            (not "", _, _) => $"The packages can't be built here: packages are missing. Run: apt-get install {missing}",
            (_, false, _) => "The packages can't be built here: chroot needs root.",
            (_, _, not [_]) when needsProgram =>
                "The packages contain the published program. Run: dotnet publish LoggingService -o publish "
                + "&& LOGGING_SERVICE_PROGRAM=$PWD/publish/LoggingService dotnet test",
            _ => null,
        };
        Assert.False(reason is not null && Environment.GetEnvironmentVariable("CI") == "true", reason);
        Assert.SkipWhen(reason is not null, reason ?? "");
    }

    public void Dispose() => _folder.Dispose();

    private async Task BuildAsync() =>
        await RunAsync("release", "--published", Path.GetDirectoryName(ServiceProcess.Program[0])!, _folder["release"]);
}
