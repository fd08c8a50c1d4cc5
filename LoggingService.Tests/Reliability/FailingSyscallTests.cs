using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>Any call to the system that fails while a transaction is written: 5xx, all or nothing over all its rooms, and 200 as soon as it no longer fails.</summary>
public class FailingSyscallTests
{
    private readonly Ledger _ledger = new();
    private readonly string _open = Some.RoomId();

    /// <summary>Calls, errors, and where: of a room that is open, of one that the transaction begins, or anywhere.</summary>
    public static TheoryData<string, string, string> Faults => new()
    {
        { "pwrite64", "ENOSPC EDQUOT EIO", "segment open.log open.jsonl fresh.log fresh.jsonl quarantine" },
        { "pwrite64,ftruncate", "EIO", "segment open.jsonl quarantine" },
        { "fsync", "EIO EDQUOT", "segment .journal" },
        { "?open,openat", "EMFILE EACCES EROFS EIO", "fresh.log fresh.jsonl quarantine" },
        { "?mkdir,?mkdirat", "ENOSPC EDQUOT EIO EROFS", "anywhere" },
        { "?symlink,?symlinkat", "ENOSPC EIO", "anywhere" },
        { "?rename,?renameat,?renameat2", "ENOSPC EIO", "anywhere" },
        { "statx", "EIO", "segment open.jsonl open.log" },
        { "flock", "EAGAIN", "anywhere" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_call_that_fails_leaves_a_transaction_whole_or_absent(string calls, string errors, string places)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        var (rounds, refused) = (0, 0);
        for (var start = 0; start < Trial.Scale(1, 3); start++)
        {
            await using var service = await RunningService.StartAsync(folder, homeserver);
            Assert.Equal(200, await service.PushAsync(Ledger.Create([_open]).Json));
            foreach (var (error, place) in from error in errors.Split(' ') from place in places.Split(' ') select (error, place))
            {
                rounds++;
                var fresh = Some.RoomId();
                var pushed = Ledger.Create([_open, fresh, Some.RoomId()], Random.Shared.Next(10, 9000));
                List<string> json = [.. pushed.Json, """{"no":"event"}"""];
                int status;
                await using (await SyscallFaults.InjectErrorAsync(service.Process.Id, calls, error, Paths(folder, place, fresh)))
                    status = await service.PushAsync(json);
                if (status != 200)
                {
                    refused++;
                    Assert.InRange(status, 500, 599);
                    Assert.All(Ledger.CountEvents(folder["logs"], pushed), times => Assert.Equal(0, times));
                    await service.PushUntilAcceptedAsync(json);
                }

                _ledger.Acknowledge(pushed);
                Assert.All(Ledger.CountEvents(folder["logs"], pushed), times => Assert.Equal(1, times));

                // What could not be linked is, with the next event.
                var next = Ledger.Create([fresh]);
                Assert.Equal(200, await service.PushAsync(next.Json));
                _ledger.Acknowledge(next);
                Assert.Equal($"{Path.GetFileName(DayFile(folder, fresh, "log"))}", new FileInfo(folder["logs", fresh, "latest.log"]).LinkTarget);
            }

            if (start % 2 == 0)
                Assert.Equal(0, await service.Process.StopAsync());
            else
                await service.Process.KillAsync();
        }

        // A link that fails refuses nothing.
        Assert.Equal(calls.Contains("link", StringComparison.Ordinal) || calls.Contains("rename", StringComparison.Ordinal) ? 0 : rounds, refused);
        await using (var last = await RunningService.StartAsync(folder, homeserver))
            Assert.Equal(0, await last.Process.StopAsync());
        Assert.Empty(LogFolder.Segments(folder["logs"]));
        Assert.Empty(Directory.GetFiles(folder["logs"], "*.link", SearchOption.AllDirectories));
        _ledger.AssertComplete(folder["logs"], "a call of the system fails", $"strace: {calls.Replace("?", "", StringComparison.Ordinal)}: {errors}", rounds);
    }

    private string[] Paths(TempFolder folder, string place, string fresh) => place switch
    {
        // The one that is written now, or will be made.
        "segment" => [.. Enumerable.Range(1, 999).Select(number => folder["logs", ".journal", $"{number:D6}"]).SkipWhile(path => !File.Exists(path)).Take(3)],
        ".journal" => [folder["logs", ".journal"], .. LogFolder.Segments(folder["logs"])],
        "quarantine" => [folder["logs", ".quarantine", $"{DateTime.Now:yyyyMMdd}.jsonl"]],
        "anywhere" => [],
        _ when place.StartsWith("open", StringComparison.Ordinal) => [DayFile(folder, _open, place[5..])],
        _ => [folder["logs", fresh, $"{DateTime.Now:yyyyMMdd}.{place[6..]}"]],
    };

    private static string DayFile(TempFolder folder, string room, string ending) => Directory.GetFiles(folder["logs", room], $"2*.{ending}").Single();
}
