using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>docs/backup.md: what is copied in its order while the service runs is complete after a restore.</summary>
public sealed partial class BackupTests : IDisposable
{
    private const int Connections = 4;
    private readonly string[] _rooms = [.. Enumerable.Range(0, 10).Select(_ => Some.RoomId())];
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly FakeHomeserver _homeserver = new();
    private readonly ConcurrentDictionary<string, string> _acknowledged = new();
    private volatile bool _isDone;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Logs => _folder["logs"];

    public void Dispose()
    {
        _homeserver.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_copy_in_the_documented_order_has_every_event_that_was_acknowledged_before_it()
    {
        var copies = await BackUpUnderLoadAsync(Trial.Scale(3, 8), async (_, number) =>
        {
            var copy = _folder[$"copy{number}"];
            CopyFiles($"{Logs}/.journal", $"{copy}/.journal", SearchOption.TopDirectoryOnly);
            await WaitForCheckpointAsync();
            CopyFiles($"{Logs}/.journal", $"{copy}/.journal", SearchOption.AllDirectories);
            await WaitForCheckpointAsync();
            CopyFiles(Logs, copy, SearchOption.AllDirectories);
            return copy;
        });

        await AssertRestoredAsync(copies, "files copied one by one");
    }

    [Fact]
    public async Task The_commands_for_rsync_make_such_a_copy()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/rsync"), "rsync is missing. Run: apt-get install rsync");
        var backups = _folder["backups"];
        Directory.CreateDirectory(backups);
        var copies = await BackUpUnderLoadAsync(Trial.Scale(4, 8), async (_, _) =>
        {
            await RunAsync(Commands("rsync"), ("backups", backups));

            // Each name has the second of its backup.
            var newest = Directory.GetDirectories(backups).Max()!;
            await Wait.UntilAsync(() => Path.GetFileName(newest) != $"{DateTime.Now:yyyyMMddTHHmmss}", "the second is over");
            return newest;
        });

        Assert.Equal(copies.Count, Directory.GetDirectories(backups).Length);
        await AssertRestoredAsync(copies, "rsync");
    }

    [Fact]
    public async Task The_commands_for_restic_back_up_and_restore_such_a_copy()
    {
        var isInstalled = File.Exists("/usr/bin/rsync") && File.Exists("/usr/bin/restic");
        Assert.SkipUnless(isInstalled, "rsync or restic is missing. Run: apt-get install rsync restic");
        await RunAsync("restic init");
        var before = (await BackUpUnderLoadAsync(1, async (_, _) =>
        {
            await RunAsync(Commands("restic"));
            return Logs;
        }))[0].Before;
        Directory.Delete(Logs, recursive: true);

        await RunAsync(Commands("Restore"));

        await AssertRestoredAsync([(Logs, before)], "restic");
    }

    /// <summary>The block of commands below a heading of the document.</summary>
    private static string Commands(string heading)
    {
        var page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "backup.md")).ReplaceLineEndings("\n");
        var section = page[page.IndexOf($"## {heading}\n", StringComparison.Ordinal)..];
        return Block().Match(section).Groups[1].Value;
    }

    /// <summary>Runs commands as a user would, with the paths of the test.</summary>
    private async Task RunAsync(string commands, params (string Variable, string Value)[] variables)
    {
        foreach (var (variable, value) in variables.Append(("logs", Logs)))
        {
            commands = Regex.Replace(commands, $"(?m)^{variable}=/.*$", $"{variable}='{value}'");
        }

        var start = new ProcessStartInfo("sh", ["-euc", commands]);
        start.Environment["RESTIC_REPOSITORY"] = _folder["repository"];
        start.Environment["RESTIC_PASSWORD"] = "secret";
        using var shell = ChildProcess.Start(start);
        var output = shell.StandardOutput.ReadToEndAsync(Cancellation);
        var errors = await shell.StandardError.ReadToEndAsync(Cancellation);
        await shell.WaitForExitAsync(Cancellation);
        Assert.True(shell.ExitCode == 0, $"{commands}\nexit code {shell.ExitCode}: {await output}{errors}");
    }

    /// <summary>Copies the files that are not there yet. Those that vanish meanwhile are left out.</summary>
    private static void CopyFiles(string from, string to, SearchOption depth)
    {
        Directory.CreateDirectory(to);
        foreach (var entry in new DirectoryInfo(from).EnumerateFileSystemInfos())
        {
            var copy = Path.Combine(to, entry.Name);
            try
            {
                if (entry.LinkTarget is { } target)
                {
                    File.CreateSymbolicLink(copy, target);
                }
                else if (entry is DirectoryInfo && depth == SearchOption.AllDirectories && entry.Name != ".journal")
                {
                    CopyFiles(entry.FullName, copy, depth);
                }
                else if (entry is FileInfo && entry.Name != ".lock" && !File.Exists(copy))
                {
                    File.Copy(entry.FullName, copy);
                }
            }
            catch (FileNotFoundException)
            {
                // A segment that was dropped.
            }
        }
    }

    /// <summary>Waits until the events of now have left the segments that they are in.</summary>
    private Task WaitForCheckpointAsync()
    {
        var segments = LogFolder.Segments(Logs);
        return Wait.UntilAsync(() => !segments.Any(File.Exists), "a checkpoint drops the segments");
    }

    /// <summary>Makes copies while a service gets events, each with the events that had been acknowledged before it began.</summary>
    private async Task<IReadOnlyList<(string Copy, IReadOnlyDictionary<string, string> Before)>> BackUpUnderLoadAsync(
        int count, Func<RunningService, int, Task<string>> copyAsync)
    {
        var copies = new List<(string, IReadOnlyDictionary<string, string>)>();

        // A file in place of its folder: the events of the room wait in the journal.
        Directory.CreateDirectory(Logs);
        File.WriteAllText(Path.Combine(Logs, _rooms[0]), "");
        await using var service = await RunningService.StartAsync(_folder, _homeserver);
        var load = Enumerable.Range(0, Connections).Select(_ => Task.Run(() => PushAsync(service), Cancellation)).ToList();
        bool HasFailed() => load.Exists(push => push.IsFaulted);
        await Wait.UntilAsync(() => HasFailed() || LogFolder.ParkedSegments(Logs, _rooms[0]).Length > 0, "a segment is parked");
        for (var i = 0; i < count; i++)
        {
            var enough = _acknowledged.Count + 300;
            await Wait.UntilAsync(() => _acknowledged.Count > enough || HasFailed(), "events are acknowledged");
            var before = _acknowledged.ToDictionary();
            copies.Add((await copyAsync(service, i), before));
        }

        _isDone = true;
        await Task.WhenAll(load);
        Assert.Equal(0, await service.Process.StopAsync());
        return copies;
    }

    private async Task PushAsync(RunningService service)
    {
        while (!_isDone)
        {
            // Large ones, so that segments are dropped and recycled meanwhile.
            var transaction = Ledger.Create(Random.Shared.GetItems(_rooms, 1 + Random.Shared.Next(20)), Random.Shared.Next(30_000));
            Assert.Equal(200, await service.PushAsync(transaction.Json));
            foreach (var (room, id) in transaction.Events)
            {
                _acknowledged[id] = room;
            }
        }
    }

    private async Task AssertRestoredAsync(
        IReadOnlyList<(string Copy, IReadOnlyDictionary<string, string> Before)> copies, string method)
    {
        Assert.All(copies, copy => Assert.NotEmpty(LogFolder.Segments(copy.Copy)));
        Assert.Contains(copies, copy => LogFolder.ParkedSegments(copy.Copy, _rooms[0]).Length > 0);
        var (acknowledged, lost, duplicated) = (0, 0, 0);
        foreach (var (copy, before) in copies)
        {
            using var restored = TempFolder.ForCaller();
            LogFolder.Copy(copy, restored["logs"]);
            File.Delete(restored["logs", _rooms[0]]);
            await using (var service = await RunningService.StartAsync(restored, _homeserver))
            {
                // One more event for each room: it repairs files of which the copy has a part of an event.
                var last = Ledger.Create(_rooms);
                Assert.Equal(200, await service.PushAsync(last.Json));
                await Ledger.WaitUntilLoggedAsync(restored["logs"], last);
                Assert.Equal(0, await service.Process.StopAsync());
            }

            LogFolder.AssertLineForLine(restored["logs"]);
            var logged = _rooms.SelectMany(room => LogFolder.EventIds(restored["logs"], room)).CountBy(id => id).ToDictionary();
            acknowledged += before.Count;
            lost += before.Keys.Count(id => !logged.ContainsKey(id));
            duplicated += logged.Count(id => id.Value > 1);
        }

        Trial.Report("backup of a running service, restored", method, copies.Count, acknowledged, lost, duplicated);
    }

    [GeneratedRegex(@"```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
