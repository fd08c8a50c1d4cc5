using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// System calls that fail during a transaction: those of the journal cause a 5xx, and the resent transaction is logged once; those of a
/// room's files park the room, whose events are logged as soon as the calls succeed.
/// </summary>
public class FailingSyscallTests
{
    private readonly Ledger _ledger = new();
    private readonly string _open = Some.RoomId();

    /// <summary>System calls, errors, and affected files: of the journal, of an open room, of a new room, or any.</summary>
    public static TheoryData<string, string, string> Faults => new()
    {
        { "pwrite64", "ENOSPC EDQUOT EIO", "segment open.log open.jsonl fresh.log fresh.jsonl quarantine" },
        { "pwrite64,ftruncate", "EIO", "segment open.jsonl quarantine" },
        { "fsync,fdatasync", "EIO EDQUOT", "segment .journal" },
        { "?open,openat", "EMFILE EACCES EROFS EIO", "fresh.log fresh.jsonl quarantine" },
        { "?mkdir,?mkdirat", "ENOSPC EDQUOT EIO EROFS", "anywhere" },
        { "?symlink,?symlinkat", "ENOSPC EIO", "anywhere" },
        { "?rename,?renameat,?renameat2", "ENOSPC EIO", "anywhere" },
        { "statx", "EIO", "segment open.jsonl open.log" },
        { "flock", "EAGAIN", "anywhere" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_failing_system_call_loses_and_repeats_no_event(string calls, string errors, string places)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        var rounds = 0;
        var refused = 0;
        for (var start = 0; start < Trial.Scale(1, 3); start++)
        {
            await using var service = await RunningService.StartAsync(folder, homeserver);
            Assert.Equal(200, await service.PushAsync(Ledger.Create([_open]).Json));
            foreach (var (error, place) in from error in errors.Split(' ') from place in places.Split(' ') select (error, place))
            {
                rounds++;
                var fresh = Some.RoomId();
                var transaction = Ledger.Create([_open, fresh, Some.RoomId()], Random.Shared.Next(10, 9000));
                List<string> json = [.. transaction.Json, """{"no":"event"}"""];
                int status;
                var paths = Paths(folder, place, fresh);
                await using (await SyscallFaults.InjectErrorAsync(service.Process.Id, calls, error, paths))
                    status = await service.PushAsync(json);
                if (status != 200)
                {
                    refused++;
                    Assert.InRange(status, 500, 599);
                    await service.PushUntilAcceptedAsync(json);
                }
                else
                {
                    // A journal whose calls fail acknowledges nothing.
                    Assert.False(place is "segment" or ".journal", $"{place} {error}");
                }

                _ledger.Acknowledge(transaction);
                await Ledger.WaitUntilLoggedAsync(folder["logs"], transaction);
                // A repair may cut lines that it appends again.
                await Wait.UntilAsync(
                    () => Ledger.CountEvents(folder["logs"], transaction).All(count => count == 1), "each event is logged once");

                // A link that failed is created with the next event.
                var next = Ledger.Create([fresh]);
                await service.PushUntilAcceptedAsync(next.Json);
                _ledger.Acknowledge(next);
                await Ledger.WaitUntilLoggedAsync(folder["logs"], next);
                var text = Path.GetFileName(DailyFile(folder, fresh, "log"));
                Assert.Equal(text, new FileInfo(folder["logs", fresh, "latest.log"]).LinkTarget);
            }

            if (start % 2 == 0)
                Assert.Equal(0, await service.Process.StopAsync());
            else
                await service.Process.KillAsync();
        }

        // Only the journal's calls fail a transaction.
        Assert.True(refused > 0 || !places.Contains("segment", StringComparison.Ordinal), $"{refused} refused");
        await using (var last = await RunningService.StartAsync(folder, homeserver))
            Assert.Equal(0, await last.Process.StopAsync());
        Assert.Empty(LogFolder.Segments(folder["logs"]));
        Assert.Empty(Directory.GetFiles(folder["logs"], "*.link", SearchOption.AllDirectories));
        _ledger.AssertComplete(folder["logs"], "a system call fails", $"strace: {calls.Replace("?", "")}: {errors}", rounds);
    }

    private string[] Paths(TempFolder folder, string place, string fresh) => place switch
    {
        // The current segment, and those that may follow it.
        "segment" =>
        [
            .. Enumerable.Range(LogFolder.Segments(folder["logs"]).Select(path => int.Parse(Path.GetFileName(path))).LastOrDefault(1), 3)
                .Select(number => folder["logs", ".journal", $"{number:D6}"]),
        ],
        ".journal" => [folder["logs", ".journal"], .. LogFolder.Segments(folder["logs"])],
        "quarantine" => [folder["logs", ".quarantine", $"{DateTime.Now:yyyyMMdd}.jsonl"]],
        "anywhere" => [],
        _ when place.StartsWith("open", StringComparison.Ordinal) => [DailyFile(folder, _open, place[5..])],
        _ => [folder["logs", fresh, $"{DateTime.Now:yyyyMMdd}.{place[6..]}"]],
    };

    private static string DailyFile(TempFolder folder, string room, string extension) =>
        Directory.GetFiles(folder["logs", room], $"2*.{extension}").Single();
}
