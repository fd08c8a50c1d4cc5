using System.Security.Cryptography;
using System.Text;

namespace LoggingService.Tests.Support;

/// <summary>
/// Debian's unmodified Synapse in a folder of its own, which is made once, in less than a minute and 450 MB, and kept in
/// the user's cache.
/// </summary>
public static class SynapseInstallation
{
    private static readonly TimeSpan BuildLimit = TimeSpan.FromMinutes(10);

    // Without the services' start, a folder is all that is made; a mirror may be a few days old.
    private static readonly string[] Recipe =
    [
        "--mode=root",
        "--variant=minbase",
        "--aptopt=APT::Install-Recommends \"false\"",
        "--aptopt=Acquire::Check-Valid-Until \"false\"",
        "--include=matrix-synapse,python3,ca-certificates,sqlite3",
        """--setup-hook=mkdir -p "$1/usr/sbin"; printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d" """,
        "sid",
    ];

    // Whoever waited for the lock finds the folder made. What lies under the temporary name, while the lock is ours, is
    // left of a build that was killed.
    private const string Build =
        """
        set -eu
        folder=$1
        shift
        [ ! -d "$folder" ] || exit 0
        rm -rf --one-file-system "$folder.building"
        mmdebstrap "$@" "$folder.building"
        mv -T "$folder.building" "$folder"
        """;

    private static readonly Lazy<string?> Hindrance = new(FindHindrance);
    private static readonly Lazy<Task<string>> Made = new(MakeAsync);

    /// <summary>
    /// Why there can be no Synapse on this machine, which is the reason to skip a test that needs one; <c>null</c> if
    /// there can be one. With <c>CI=true</c> in the environment it is always <c>null</c>: there such a test fails, with
    /// the reason, instead of being skipped.
    /// </summary>
    public static string? WhyNot =>
        Environment.GetEnvironmentVariable("CI") == "true" ? null : Hindrance.Value;

    /// <summary>The folder where the installation is or will be. Another recipe has another folder.</summary>
    public static string Folder { get; } = Path.Combine(
        CacheFolder(),
        "logging-service-tests",
        "synapse-sid-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', Recipe))))[..8]);

    /// <summary>Makes the installation if it isn't there yet; waits while another test run is making it.</summary>
    /// <returns>The folder, whole, to <c>chroot</c> into.</returns>
    /// <exception cref="InvalidOperationException">There can be no Synapse here, or making it failed.</exception>
    public static Task<string> EnsureAsync() => Made.Value;

    private static async Task<string> MakeAsync()
    {
        if (Hindrance.Value is { } reason)
            throw new InvalidOperationException(reason);
        if (Directory.Exists(Folder))
            return Folder;

        Directory.CreateDirectory(Path.GetDirectoryName(Folder)!);
        using var limit = new CancellationTokenSource(BuildLimit);
        var (exitCode, output) = await ChildProcess.RunAsync(
            "unshare",
            [
                "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                "flock", Folder + ".lock", "sh", "-c", Build, "sh", Folder, .. Recipe,
            ],
            limit.Token);
        if (exitCode != 0)
            throw new InvalidOperationException($"mmdebstrap could not make {Folder}: exit code {exitCode}.\n{output}");
        return Folder;
    }

    private static string? FindHindrance()
    {
        if (!OperatingSystem.IsLinux())
            return "No Synapse here: its installation is Debian's, and needs Linux.";
        if (!Environment.IsPrivilegedProcess)
            return "No Synapse here: its installation is a folder to chroot into, and needs root.";
        if (!Directory.Exists(Folder) && !IsOnPath("mmdebstrap"))
            return "No Synapse here: its installation is made by mmdebstrap (apt-get install mmdebstrap).";

        var (exitCode, output) =
            ChildProcess.RunAsync("unshare", ["--mount", "--pid", "--fork", "true"]).GetAwaiter().GetResult();
        return exitCode == 0 ? null : $"No Synapse here: this root may not make namespaces ({output.Trim()}).";
    }

    private static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));

    // https://specifications.freedesktop.org/basedir-spec/latest/: a relative path is to be ignored.
    private static string CacheFolder() =>
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { } cache && Path.IsPathRooted(cache)
            ? cache
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
}
