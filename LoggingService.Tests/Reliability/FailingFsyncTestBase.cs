using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// An fsync that fails, and a power cut after it: Linux has marked the pages clean by then, so that what had not been synced
/// before is gone, whatever a second fsync of the same file says.
/// </summary>
public abstract class FailingFsyncTestBase
{
    /// <summary>What was acknowledged.</summary>
    private protected Ledger Ledger { get; } = new();

    /// <summary>A room.</summary>
    private protected string Room { get; } = Some.RoomId();

    /// <summary>Another one.</summary>
    private protected string Other { get; } = Some.RoomId();

    private protected static Task<RunningService> StartAsync(TempFolder folder, FakeHomeserver homeserver) => RunningService.StartAsync(folder, homeserver);

    /// <summary>The start after a power cut.</summary>
    private protected async Task StartAndStopAsync(TempFolder folder, FakeHomeserver homeserver)
    {
        await using var service = await StartAsync(folder, homeserver);
        await AcknowledgedAsync(service, Ledger.Create([Room, Other]));
        Assert.Equal(0, await service.Process.StopAsync());
        Assert.Empty(LogFolder.Segments(folder["logs"]));
    }

    private protected async Task AcknowledgedAsync(RunningService service, Ledger.Transaction pushed)
    {
        await service.PushUntilAcceptedAsync(pushed.Json);
        Ledger.Acknowledge(pushed);
    }

    private protected static async Task RefusedAsync(RunningService service, TempFolder folder, Ledger.Transaction pushed)
    {
        Assert.True(await service.PushAsync(pushed.Json) is >= 500 and < 600, string.Join('\n', service.Process.Output));
        Assert.All(Ledger.CountEvents(folder["logs"], pushed), times => Assert.Equal(0, times));
    }

    private protected static IEnumerable<string> DayFiles(TempFolder folder) => !Directory.Exists(folder["logs"]) ? [] :
        Directory.GetDirectories(folder["logs"], "!*").SelectMany(room => Directory.GetFiles(room, "2*"));

    /// <summary>How long files are.</summary>
    private protected static Dictionary<string, long> Lengths(params IEnumerable<string> paths) => paths.ToDictionary(path => path, path => new FileInfo(path).Length);

    /// <summary>What files have beyond these lengths is gone, or zeros: their length was on the disk already.</summary>
    private protected static void Lose(Dictionary<string, long> synced, bool asZeros)
    {
        foreach (var (path, length) in synced.Where(file => File.Exists(file.Key)))
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            var before = file.Length;
            file.SetLength(Math.Min(before, length));
            if (asZeros)
                file.SetLength(before);
        }
    }

    /// <summary>Files that are kept open, to see which of them their paths still lead to: another file can't have their inode meanwhile.</summary>
    private protected sealed class OpenFiles(IEnumerable<string> paths) : IDisposable
    {
        private readonly List<FileStream> _files = [.. paths.Select(path => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))];

        public void LoseWhereStillThere(Dictionary<string, long> synced, bool asZeros)
        {
            foreach (var file in _files)
                Lose(new() { [$"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle()}"] = synced[file.Name] }, asZeros);
        }

        public void Dispose() => _files.ForEach(file => file.Dispose());
    }
}
