using LoggingService.Files;

namespace LoggingService.History;

/// <summary>
/// How the command <c>backfill</c> asks the running service to work on a room's job: by a file next to the job's, which it renews as long
/// as it waits. Where the command ends, also by a kill, the service stops the job soon.
/// </summary>
internal static class BackfillRequest
{
    private const string Suffix = ".wanted";

    /// <summary>A file that is older is not wanted any more.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(5);

    /// <summary>The path of a job that is wanted; <c>null</c> if none is.</summary>
    public static string? Find(string logs)
    {
        var folder = new DirectoryInfo(Path.Combine(logs, CheckedTime.FolderName));
        return folder.Exists && folder.EnumerateFiles($"*{Suffix}").FirstOrDefault(file => IsFresh(file.FullName)) is { } wanted
            ? wanted.FullName[..^Suffix.Length]
            : null;
    }

    public static bool IsWanted(string job) => IsFresh(job + Suffix);

    /// <summary>Makes the request, or renews it. Who may write into the folder may make one.</summary>
    /// <exception cref="IOException">The file can't be written.</exception>
    public static void Renew(string job)
    {
        Posix.OpenOrCreate(job + Suffix).Dispose();
        File.SetLastWriteTimeUtc(job + Suffix, DateTime.UtcNow);
    }

    public static void Withdraw(string job) => File.Delete(job + Suffix);

    private static bool IsFresh(string path) => File.Exists(path) && DateTime.UtcNow - File.GetLastWriteTimeUtc(path) < Lifetime;
}
