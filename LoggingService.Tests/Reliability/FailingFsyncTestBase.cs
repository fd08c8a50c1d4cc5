using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// An fsync that fails, then a power cut. After the failure Linux marks the pages clean: unsynced data is lost even if a second
/// fsync of the file succeeds.
/// </summary>
public abstract class FailingFsyncTestBase
{
    private protected Ledger Ledger { get; } = new();

    private protected string Room { get; } = Some.RoomId();

    private protected string Other { get; } = Some.RoomId();

    private protected static Task<RunningService> StartAsync(TempFolder folder, FakeHomeserver homeserver) =>
        RunningService.StartAsync(folder, homeserver);

    /// <summary>Starts the service after a power cut, pushes a transaction and stops it.</summary>
    private protected async Task StartAndStopAsync(TempFolder folder, FakeHomeserver homeserver)
    {
        await using var service = await StartAsync(folder, homeserver);
        await PushAsync(service, Ledger.Create([Room, Other]));
        Assert.Equal(0, await service.Process.StopAsync());
        Assert.Empty(LogFolder.Segments(folder["logs"]));
    }

    /// <summary>Pushes a transaction until it is accepted, and waits until it is logged.</summary>
    private protected async Task PushAsync(RunningService service, Ledger.Transaction transaction)
    {
        await service.PushUntilAcceptedAsync(transaction.Json);
        Ledger.Acknowledge(transaction);
        await Ledger.WaitUntilLoggedAsync(service.Logs, transaction);
    }

    /// <summary>Pushes a transaction of a parked room: it is accepted at once.</summary>
    private protected async Task PushToParkedAsync(RunningService service, Ledger.Transaction transaction)
    {
        Assert.Equal(200, await service.PushAsync(transaction.Json));
        Ledger.Acknowledge(transaction);
    }

    private protected static async Task AssertRefusedAsync(RunningService service, Ledger.Transaction transaction)
    {
        var status = await service.PushAsync(transaction.Json);
        Assert.True(status is >= 500 and < 600, string.Join('\n', service.Process.Output));
    }

    /// <summary>Waits until the service has logged that it can't write a room's log.</summary>
    private protected static Task WaitUntilParkedAsync(RunningService service, string room, string reason) =>
        service.Process.WaitForLineAsync($"Failed to write the log of {Regex.Escape(room)}: {reason}");

    private protected static IEnumerable<string> DailyFiles(TempFolder folder) => !Directory.Exists(folder["logs"]) ? [] :
        Directory.GetDirectories(folder["logs"], "!*").SelectMany(room => Directory.GetFiles(room, "2*"))
            .Where(path => !path.EndsWith(".ids"));

    private protected static Dictionary<string, long> Lengths(params IEnumerable<string> paths) =>
        paths.ToDictionary(path => path, path => new FileInfo(path).Length);

    /// <summary>Removes the data beyond the synced lengths, or zeroes it, as if only the new length had reached the disk.</summary>
    private protected static void LoseUnsynced(Dictionary<string, long> synced, bool asZeros)
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

    /// <summary>Keeps files open, so that they can be changed after a rename and their inodes aren't reused.</summary>
    private protected sealed class OpenFiles(IEnumerable<string> paths) : IDisposable
    {
        private readonly List<FileStream> _files =
            [.. paths.Select(path => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))];

        public void LoseUnsynced(Dictionary<string, long> synced, bool asZeros)
        {
            foreach (var file in _files)
            {
                var path = $"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle()}";
                FailingFsyncTestBase.LoseUnsynced(new() { [path] = synced[file.Name] }, asZeros);
            }
        }

        public void Dispose() => _files.ForEach(file => file.Dispose());
    }
}
