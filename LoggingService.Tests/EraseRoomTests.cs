using LoggingService.Erasure;
using LoggingService.Files;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>All of a room is erased, by <c>erase --room</c> without a day.</summary>
public class EraseRoomTests : ErasureTestBase
{
    [Theory]
    [InlineData(true, null)]
    [InlineData(false, null)]
    [InlineData(true, """{"notice_ts":1,"wishes":{"no_log_prefix":"!off"}}""")]
    [InlineData(false, """{"notice_ts":1,"wishes":{"no_log_prefix":"!off"}}""")]
    [InlineData(true, """{"notice_ts":1,"wishes":{}}""")]
    public async Task All_days_of_a_room_are_removed_and_do_not_come_back(bool isRunning, string? properties)
    {
        if (properties is not null)
        {
            Directory.CreateDirectory(Path.Combine(Logs, Room));
            await File.WriteAllTextAsync(Path.Combine(Logs, Room, "room.json"), properties, TestContext.Current.CancellationToken);
        }

        using var service = Start();
        await LogAsync(service);
        File.CreateSymbolicLink(Path.Combine(Logs, "logged_tea"), Room);
        Directory.CreateSymbolicLink(Path.Combine(Logs, Room, "next"), $"../{Other}");
        await File.WriteAllTextAsync(
            Path.Combine(Logs, Room, $"{FirstDay}.log.zst"), Secret, TestContext.Current.CancellationToken);
        var old = Event("$late", Room, Alice, "m.room.message", Text($"old {Secret}"));
        var resent = Event("$secret", Room, Alice, "m.room.message", Text($"the {Secret} words"));
        Time.Advance(TimeSpan.FromMinutes(1));
        if (!isRunning)
            await service.DisposeAsync();

        var (exitCode, output) = await RunAsync("erase", "--room", "#logged_tea:localhost", "--yes");
        Assert.True(exitCode == 0, string.Join('\n', output));
        Assert.Contains(output, line => line.StartsWith("Erased: 15 lines on 3 days of 1 room", StringComparison.Ordinal));
        Assert.DoesNotContain(
            FilesWith(Path.Combine(Logs, Room), Secret), name => !name.StartsWith("next/", StringComparison.Ordinal));
        Assert.NotEmpty(FilesWith(Path.Combine(Logs, Other), Secret));
        var isKept = properties is not null;
        Assert.Equal(
            [.. isKept ? (string[])["next", "room.json"] : ["next"]],
            new DirectoryInfo(Path.Combine(Logs, Room)).GetFileSystemInfos().Select(entry => entry.Name)
                .Where(name => !name.EndsWith(".ids", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Equal(Room, new FileInfo(Path.Combine(Logs, "logged_tea")).LinkTarget);

        // Without a service the mark has the time of this machine.
        Time.SetUtcNow(isRunning ? Time.GetUtcNow().AddHours(1) : DateTimeOffset.UtcNow.AddHours(1));
        Assert.True(new ErasureMarks(Logs).Until(Room) <= Time.GetUtcNow().ToUnixTimeMilliseconds());
        using var next = isRunning ? null : Start();
        var running = next ?? service;
        await PushAsync(running, old, resent, Event("$now", Room, Bob, "m.room.message", Text("now")));
        await AppendAsync(running, Fetched(old.Replace("$late", "$backfilled", StringComparison.Ordinal)));
        Assert.Equal([$"<{Bob}> now"], AllLines(Room, "log"));
        Assert.True(File.Exists(Path.Combine(Logs, Room, "latest.log")));

        // Nor is what room.json said written again from memory.
        Assert.Equal(isKept, File.Exists(Path.Combine(Logs, Room, "room.json")));
    }

    [Fact]
    public async Task A_room_whose_records_cannot_be_read_is_removed_by_its_alias()
    {
        await LogAsync();
        File.CreateSymbolicLink(Path.Combine(Logs, "logged_tea"), Room);
        foreach (var record in Directory.GetFiles(Path.Combine(Logs, Room), "*.jsonl*"))
            await File.WriteAllTextAsync(record, "damaged", TestContext.Current.CancellationToken);
        var (exitCode, output) = await RunAsync("erase", "--room", "#logged_tea", "--yes");
        Assert.True(exitCode == 0, string.Join('\n', output));
        Assert.Empty(FilesWith(Path.Combine(Logs, Room), Secret));
        Assert.Empty(Directory.GetFiles(Path.Combine(Logs, Room), "2*.log*"));
        Assert.NotNull(new ErasureMarks(Logs).Until(Room));
    }

    [Fact]
    public async Task What_is_sent_after_the_removal_is_logged()
    {
        using var service = Start();
        await LogAsync(service);
        var pushed = 0;
        var stop = false;
        var pushing = Task.Run(
            async () =>
            {
                while (!Volatile.Read(ref stop))
                {
                    Time.Advance(TimeSpan.FromMilliseconds(1));
                    await PushAsync(service, Event($"$pushed{pushed++}", Room, Bob, "m.room.message", Text("more")));
                }
            },
            TestContext.Current.CancellationToken);
        var (exitCode, output) = await RunAsync("erase", "--room", Room, "--yes");
        Volatile.Write(ref stop, true);
        await pushing;
        Assert.True(exitCode == 0, string.Join('\n', output));
        await service.CaughtUpAsync();

        // No gap behind the first one that is logged.
        var ids = Directory.Exists(Path.Combine(Logs, Room)) ? AllIds(Room) : [];
        Assert.Equal(Enumerable.Range(pushed - ids.Length, ids.Length).Select(i => $"$pushed{i}"), ids);
        Assert.NotEmpty(ids);
    }

    [Fact]
    public async Task What_is_logged_after_an_interrupted_removal_stays_when_it_is_finished()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/strace"), "strace isn't installed here");
        Time.SetUtcNow(DateTimeOffset.UtcNow.AddMinutes(-1));
        var record = Path.Combine(Logs, Room, $"{Time.GetUtcNow():yyyyMMdd}.jsonl");
        using (var service = Start())
            await PushAsync(service, Event("$secret", Room, Alice, "m.room.message", Text($"the {Secret} words")));
        await using (var killed = ServiceProcess.StartUnder(
            ["strace", "-D", "-f", "-o", "/dev/null", "-P", record, "-e", "trace=unlink", "-e", "inject=unlink:signal=KILL:when=1"],
            Folder.Path, "erase", "--room", Room, "--yes"))
            Assert.NotEqual(0, await killed.WaitForExitAsync());
        Assert.NotEmpty(FilesWith(Path.Combine(Logs, Room), Secret));

        // So that the service does not finish it before the event.
        File.Move(Path.Combine(Logs, ".erase"), Folder["request"]);
        Time.SetUtcNow(DateTimeOffset.UtcNow.AddMinutes(1));
        using var next = Start();
        await PushAsync(next, Event("$new", Room, Bob, "m.room.message", Text("new")));
        File.Move(Folder["request"], Path.Combine(Logs, ".erase"));
        await Wait.UntilAsync(() => !File.Exists(Path.Combine(Logs, ".erase")), "the removal is finished");
        Assert.Equal([$"<{Bob}> new"], AllLines(Room, "log"));
        Assert.Equal(["$new"], AllIds(Room));
        Assert.Empty(FilesWith(Path.Combine(Logs, Room), Secret));
        await AssertVerifiedAsync();
    }

    [Fact]
    public async Task What_waits_for_a_room_since_its_removal_began_is_logged_although_the_removal_is_repeated()
    {
        using var service = Start();
        Directory.CreateDirectory(Logs);
        await File.WriteAllTextAsync(Path.Combine(Logs, Room), "", TestContext.Current.CancellationToken);
        await PushAsync(service, Event("$secret", Room, Alice, "m.room.message", Text($"the {Secret} words")));
        var markedAt = Time.GetUtcNow().AddSeconds(1).ToUnixTimeMilliseconds();
        Time.Advance(TimeSpan.FromSeconds(2));
        await PushAsync(service, Event("$new", Room, Bob, "m.room.message", Text("new")));
        await service.CheckpointAsync();
        new ErasureFiles(Logs).WriteRequest(new() { Room = Room, IsResumed = true, MarkedAt = markedAt });
        var result = Path.Combine(Logs, ".erase-result");
        await Wait.UntilAsync(() => File.Exists(result), "the room can't be written", TimeSpan.FromSeconds(60));
        Assert.Empty(FilesWith(Path.Combine(Logs, ".journal", Room), Secret));

        File.Delete(Path.Combine(Logs, Room));
        await Wait.UntilAsync(() => File.Exists(Path.Combine(Logs, Room, $"{FirstDay}.log")), "the room is written");
        await service.CaughtUpAsync();
        Assert.Equal([$"<{Bob}> new"], AllLines(Room, "log"));
    }

    [Fact]
    public async Task A_day_that_cannot_be_read_is_not_removed_when_an_interrupted_removal_is_repeated()
    {
        using var service = Start();
        await LogAsync(service);
        var day = await File.ReadAllBytesAsync(Gz("jsonl"), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Gz("jsonl"), "damaged", TestContext.Current.CancellationToken);
        new ErasureFiles(Logs).WriteRequest(
            new() { Room = Room, IsResumed = true, MarkedAt = Time.GetUtcNow().AddDays(-3).ToUnixTimeMilliseconds() });
        var result = Path.Combine(Logs, ".erase-result");
        await Wait.UntilAsync(() => File.Exists(result), "the erasure ends");
        var lines = await File.ReadAllLinesAsync(result, TestContext.Current.CancellationToken);
        Assert.Contains(lines, line => line.StartsWith($"Failed: {Room}: ", StringComparison.Ordinal));
        Assert.True(File.Exists(Gz("jsonl")));
        await File.WriteAllBytesAsync(Gz("jsonl"), day, TestContext.Current.CancellationToken);
        await Wait.UntilAsync(
            () => !File.Exists(Path.Combine(Logs, ".erase")), "it is repeated", () => Time.Advance(TimeSpan.FromSeconds(1)));
        Assert.Contains("$secret", AllIds(Room));
    }

    [Fact]
    public async Task A_room_with_a_long_id_whose_records_cannot_be_read_is_removed_by_its_id()
    {
        var room = $"!{new string('r', 220)}:localhost";
        using (var service = Start())
            await PushAsync(service, Event("$secret", room, Alice, "m.room.message", Text($"the {Secret} words")));
        var folder = Path.Combine(Logs, FolderName.ForRoom(room));
        foreach (var record in Directory.GetFiles(folder, "*.jsonl"))
            await File.WriteAllTextAsync(record, "damaged", TestContext.Current.CancellationToken);
        var (exitCode, output) = await RunAsync("erase", "--room", room, "--yes");
        Assert.True(exitCode == 0, string.Join('\n', output));
        Assert.Empty(FilesWith(folder, Secret));
    }
}
