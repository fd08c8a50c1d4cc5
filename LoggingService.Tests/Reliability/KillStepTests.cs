using System.Globalization;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// SIGKILL at named steps, on the entry of a system call on a path: each step between the journal and the end of a checkpoint, of parking,
/// and of repairs. Every acknowledged event is logged exactly once.
/// </summary>
public sealed class KillStepTests : IDisposable
{
    private const string A = "!a:localhost";
    private const string B = "!b:localhost";
    private const string Parked = "!p:localhost";

    private readonly TempFolder _folder = TempFolder.ForCaller(test: "step");
    private readonly FakeHomeserver _homeserver = new();
    private readonly Ledger _ledger = new();
    private readonly Queue<Ledger.Transaction> _unacknowledged = new();
    private readonly string _day = DateTime.Now.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
    private int _kills;

    public KillStepTests()
    {
        var hasStrace = File.Exists("/usr/bin/strace");
        Assert.False(!hasStrace && Environment.GetEnvironmentVariable("CI") == "true", "strace is required in CI");
        Assert.SkipUnless(hasStrace, "strace isn't installed here");
        File.WriteAllText(_folder["registration.yaml"], ServiceUnderTest.RegistrationText());
    }

    private string Logs => _folder["logs"];

    public static TheoryData<string, string, string, int> CheckpointSteps => Choose(
        ("append to the journal", "pwrite64", ".journal/000001", 2),
        ("sync of the journal", "fdatasync", ".journal/000001", 1),
        ("sync of a segment's name", "fsync", ".journal", 1),
        ("append to the record", "pwrite64", $"{A}/day.jsonl", 1),
        ("append to the text", "pwrite64", $"{A}/day.log", 1),
        ("stat after the append", "statx", $"{A}/day.log", 3),
        ("sync of the record", "fsync", $"{A}/day.jsonl", 1),
        ("sync of the text", "fsync", $"{A}/day.log", 1),
        ("sync of the room's folder", "fsync", A, 1),
        ("sync of the log directory", "fsync", "", 3),
        ("drop of a segment", "rename", ".journal/000001", 1),
        ("sync of the drop", "fsync", ".journal", 2),
        ("zeros in a dropped segment", "pwrite64", ".journal/spare", 1),
        ("reuse of a dropped segment", "rename", ".journal/spare", 2));

    public static TheoryData<string, string, string, int> ParkingSteps => Choose(
        ("creation of a parked segment", "openat", $".journal/{Parked}/000001.new", 1),
        ("copy to a parked segment", "pwrite64", $".journal/{Parked}/000001.new", 2),
        ("sync of a parked segment", "fdatasync", $".journal/{Parked}/000001.new", 1),
        ("rename of a parked segment", "rename", $".journal/{Parked}/000001.new", 1),
        ("sync of a parked segment's name", "fsync", $".journal/{Parked}", 1),
        ("drop behind a parked segment", "rename", ".journal/000001", 1));

    public static TheoryData<string, string, string, int> UnparkingSteps => Choose(
        ("append of parked entries", "pwrite64", $"{Parked}/day.jsonl", 1),
        ("sync of parked entries", "fsync", $"{Parked}/day.jsonl", 1),
        ("drop of a parked segment", "unlink", $".journal/{Parked}/000001", 1),
        ("removal of the parked folder", "rmdir", $".journal/{Parked}", 1));

    public static TheoryData<string, string, string, int> RepairSteps => Choose(
        ("cut of the text", "ftruncate", $"{A}/day.log", 1),
        ("sync of the cut text", "fsync", $"{A}/day.log", 1),
        ("cut of the record", "ftruncate", $"{A}/day.jsonl", 1),
        ("sync of the cut record", "fsync", $"{A}/day.jsonl", 1),
        ("append to the repaired record", "pwrite64", $"{A}/day.jsonl", 1),
        ("append to the repaired text", "pwrite64", $"{A}/day.log", 1),
        ("cut of a text whose record is lost", "ftruncate", $"{B}/day.log", 1),
        ("cut of a record whose text is lost", "ftruncate", $"{Parked}/day.jsonl", 1));

    [Theory]
    [MemberData(nameof(CheckpointSteps))]
    public Task A_kill_between_the_journal_and_the_end_of_a_checkpoint_loses_nothing(string step, string call, string path, int when) =>
        TestAsync(step, call, path, when);

    [Theory]
    [MemberData(nameof(ParkingSteps))]
    public async Task A_kill_while_a_room_is_parked_loses_nothing(string step, string call, string path, int when)
    {
        Obstruct();
        await TestAsync(step, call, path, when);
    }

    [Theory]
    [MemberData(nameof(UnparkingSteps))]
    public async Task A_kill_while_a_room_is_unparked_loses_nothing(string step, string call, string path, int when)
    {
        Obstruct();
        await using (var service = Start(out var url))
        {
            await PushAsync(service, url, count: 5);
            await Wait.UntilAsync(() => File.Exists(Path.Combine(Logs, ".journal", Parked, "000001")), "the room is parked");
            await PushAsync(service, url, count: 5);
        }

        RemoveObstacle();
        await TestAsync(step, call, path, when);
    }

    [Theory]
    [MemberData(nameof(RepairSteps))]
    public async Task Kills_in_a_repair_and_in_the_repairs_of_the_repair_lose_nothing(string step, string call, string path, int when)
    {
        await using (var service = Start(out var url))
        {
            await PushAsync(service, url, count: 20);
            await Wait.UntilAsync(() => new[] { A, B, Parked }.All(room => CountLines(room) == 20), "the texts have all lines");
        }

        // As a power cut may leave what no checkpoint has synced.
        Cut(A, "jsonl", 0.7);
        Cut(A, "log", 0.4);
        Cut(B, "jsonl", 0);
        Cut(Parked, "log", 0);
        await TestAsync(step, call, path, when, kills: 3);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _homeserver.Dispose();
        _folder.Dispose();
    }

    private async Task TestAsync(string step, string call, string path, int when, int kills = 1)
    {
        path = Path.Combine(Logs, path.Replace("day.", $"{_day}.", StringComparison.Ordinal)).TrimEnd('/');
        for (var kill = 0; kill < kills; kill++)
        {
            await using var service = StartUnderStrace(call, path, when, out var url);
            using var client = new TransactionClient(url);
            var end = DateTime.UtcNow + ServiceProcess.DefaultLimit;
            while (!service.HasExited)
            {
                Assert.True(DateTime.UtcNow < end, $"{step} was not reached");

                // A checkpoint begins when the service is idle; segments are reused after it.
                if (LogFolder.Segments(Logs).Length == 0)
                    await PushAsync(service, url, count: 3);
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }

            _kills++;
        }

        RemoveObstacle();
        await using (var service = Start(out var url))
        {
            await PushAsync(service, url, count: 1);
            Assert.Equal(0, await service.StopAsync());
        }

        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(Logs, ".journal")));
        _ledger.AssertComplete(Logs, "killed at a step", step, _kills);
    }

    /// <summary>All steps in the full form, some in the short one: most wait 5 s for a checkpoint.</summary>
    private static TheoryData<string, string, string, int> Choose(params (string, string, string, int)[] steps) =>
        new(steps.Where((_, index) => index % Trial.Scale(4, 1) == 0));

    /// <summary>Pushes what is not acknowledged, and new transactions, until the service exits.</summary>
    private async Task PushAsync(ServiceProcess service, string url, int count)
    {
        for (var i = 0; i < count; i++)
            _unacknowledged.Enqueue(Ledger.Create([A, B, Parked, A], length: 3000));
        using var client = new TransactionClient(url);
        while (_unacknowledged.TryPeek(out var next) && !service.HasExited)
        {
            try
            {
                Assert.Equal(200, await client.PushAsync("1", next.Json));
                _ledger.Acknowledge(_unacknowledged.Dequeue());
            }
            catch (HttpRequestException)
            {
                // Not listening yet, or killed.
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }
        }
    }

    private void Obstruct()
    {
        Directory.CreateDirectory(Logs);
        File.WriteAllText(Path.Combine(Logs, Parked), "");
    }

    private void RemoveObstacle()
    {
        if (File.Exists(Path.Combine(Logs, Parked)))
            File.Delete(Path.Combine(Logs, Parked));
    }

    private int CountLines(string room)
    {
        var text = Path.Combine(Logs, room, $"{_day}.log");
        return File.Exists(text) ? File.ReadLines(text).Count() / (room == A ? 2 : 1) : 0;
    }

    private void Cut(string room, string extension, double to)
    {
        using var file = File.OpenWrite(Path.Combine(Logs, room, $"{_day}.{extension}"));
        file.SetLength((long)(file.Length * to));
    }

    private ServiceProcess Start(out string url)
    {
        url = $"http://127.0.0.1:{FreePort.Next()}";
        return ServiceProcess.Start(_folder.Path, "--homeserver", _homeserver.Address, "--urls", url);
    }

    private ServiceProcess StartUnderStrace(string call, string path, int when, out string url)
    {
        url = $"http://127.0.0.1:{FreePort.Next()}";
        return ServiceProcess.StartUnder(
            ["strace", "-D", "-f", "-o", "/dev/null", "-P", path, "-e", $"trace={call}", "-e", $"inject={call}:signal=KILL:when={when}"],
            _folder.Path, "--homeserver", _homeserver.Address, "--urls", url);
    }
}
