using LoggingService.Events;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The command verify finds what does not fit together in the logs, changes nothing, and says it with its exit code.</summary>
public class VerifyCommandTests
{
    private readonly string _room = Some.RoomId();

    [Fact]
    public async Task The_logs_of_a_running_and_of_a_stopped_service_have_no_problem()
    {
        var folder = TempFolder.ForCaller();
        var service = new ServiceUnderTest(folder: folder);
        await PushAsync(service, 3);
        await AssertAsync(folder, 0, "Verified 1 room, 1 day, 3 events: no problems");

        folder = await service.StopAsync(folder, isKilled: false);
        await AssertAsync(folder, 0, "Verified 1 room, 1 day, 3 events: no problems");
        folder.Dispose();
    }

    [Fact]
    public async Task A_room_can_be_named_by_its_id_its_alias_and_its_link()
    {
        using var folder = await StoppedAsync(2);
        File.CreateSymbolicLink(folder["logs", "logged_tea"], _room);
        Directory.CreateDirectory(folder["logs", "!other:localhost"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        foreach (var name in (string[])[_room, "logged_tea", "#logged_tea", "#logged_tea:localhost"])
        {
            await AssertAsync(folder, 0, ["Verified 1 room, 1 day, 2 events: no problems"], name);
        }

        await ServiceProcess.AssertOneLineAsync(
            2, folder, $"There is no log of #logged_milk:localhost in {folder["logs"]}", "verify", "#logged_milk:localhost");
    }

    [Fact]
    public async Task Lines_that_are_missing_or_moved_are_problems()
    {
        using var folder = await StoppedAsync(3);
        var (record, text) = Files(folder);
        var lines = await File.ReadAllLinesAsync(text, TestContext.Current.CancellationToken);

        await File.WriteAllLinesAsync(text, lines[..2], TestContext.Current.CancellationToken);
        await AssertAsync(
            folder, 1, Problem(text, "has only 2 lines of its record"),
            "Verified 1 room, 1 day, 3 events: 1 problem");

        await File.WriteAllLinesAsync(text, [.. lines, lines[0]], TestContext.Current.CancellationToken);
        await AssertAsync(
            folder, 1, Problem(text, "has more lines than its record: over 3"), "Verified 1 room, 1 day, 3 events: 1 problem");

        await File.WriteAllLinesAsync(text, [lines[1], lines[0], lines[2]], TestContext.Current.CancellationToken);
        var ids = (await File.ReadAllLinesAsync(record, TestContext.Current.CancellationToken))
            .Select(line => RoomEvent.FromRecord(System.Text.Encoding.UTF8.GetBytes(line))!.EventId).ToList();
        await AssertAsync(
            folder, 1, Problem(text, $"line 1 is not that of {ids[0]}"), Problem(text, $"line 2 is not that of {ids[1]}"),
            "Verified 1 room, 1 day, 3 events: 2 problems");

        File.Delete(text);
        await AssertAsync(
            folder, 1, Problem(text, "is missing"), Problem(text, "has only 0 lines of its record"),
            "Verified 1 room, 1 day, 3 events: 2 problems");
    }

    [Fact]
    public async Task An_event_that_is_logged_twice_is_a_problem_also_on_another_day()
    {
        using var folder = await StoppedAsync(2);
        var (record, text) = Files(folder);
        foreach (var (path, suffix) in new[] { (record, ".jsonl"), (text, ".log") })
        {
            var lines = await File.ReadAllLinesAsync(path, TestContext.Current.CancellationToken);
            await File.WriteAllLinesAsync(
                Path.Combine(Path.GetDirectoryName(path)!, $"20200101{suffix}"), lines[..1], TestContext.Current.CancellationToken);
            Chmod(Path.Combine(Path.GetDirectoryName(path)!, $"20200101{suffix}"), 6, 4, 0);
        }

        var output = await RunAsync(folder, 1);
        Assert.Matches($"^problem  {_room}/{Path.GetFileName(record)}: \\$event\\d+ is logged twice$", output[0]);
        Assert.Equal("Verified 1 room, 2 days, 3 events: 1 problem", output[^1]);
    }

    [Fact]
    public async Task A_line_that_a_crash_left_unfinished_is_a_problem()
    {
        using var folder = await StoppedAsync(2);
        var (record, text) = Files(folder);
        using (var file = File.OpenWrite(text))
        {
            file.SetLength(file.Length - 1);
        }

        await AssertAsync(
            folder, 1, Problem(text, "ends without a line break; the next start repairs it"),
            "Verified 1 room, 1 day, 2 events: 1 problem");
        Assert.NotEqual('\n', (await File.ReadAllTextAsync(text, TestContext.Current.CancellationToken))[^1]);
        Assert.True(File.Exists(record));
    }

    [Fact]
    public async Task A_file_of_ids_that_claims_to_fit_and_does_not_is_a_problem()
    {
        using var folder = await StoppedAsync(2);
        var (record, _) = Files(folder);
        var ids = Path.ChangeExtension(record, ".ids");
        Assert.True(File.Exists(ids));

        // Two lines of equal length change places, and the time of change stays.
        var lines = await File.ReadAllLinesAsync(record, TestContext.Current.CancellationToken);
        var changedAt = File.GetLastWriteTimeUtc(record);
        var text = await File.ReadAllTextAsync(record, TestContext.Current.CancellationToken);
        using (var file = File.OpenWrite(record))
        {
            file.Position = lines[0].Length - 1;
            file.Write("\n"u8);
        }

        File.SetLastWriteTimeUtc(record, changedAt);
        var output = await RunAsync(folder, 1);
        Assert.Contains(Problem(ids, "does not fit the record; delete it while the service is stopped"), output);
        Assert.NotEqual(text, await File.ReadAllTextAsync(record, TestContext.Current.CancellationToken));

        // One that says itself that it is of another record is rebuilt.
        File.SetLastWriteTimeUtc(record, changedAt.AddSeconds(1));
        Assert.DoesNotContain(await RunAsync(folder, 1), line => line.Contains(".ids", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Files_that_others_may_read_and_links_to_nowhere_are_problems()
    {
        using var folder = await StoppedAsync(1);
        var (record, text) = Files(folder);
        Chmod(record, 6, 4, 4);
        Chmod(Path.GetDirectoryName(record)!, 7, 7, 5);
        File.CreateSymbolicLink(folder["logs", "logged_gone"], "!gone:localhost");
        await AssertAsync(
            folder,
            1,
            $"problem  {_room}: has mode 775, not 750",
            Problem(record, "has mode 644, not 640"),
            "problem  logged_gone: links to !gone:localhost, which is no room",
            "Verified 1 room, 1 day, 1 event: 3 problems");
        Assert.NotNull(text);
    }

    [Fact]
    public async Task A_journal_that_a_crash_left_is_a_problem_until_the_next_start()
    {
        var folder = TempFolder.ForCaller();
        var service = new ServiceUnderTest(folder: folder);
        await PushAsync(service, 2);
        folder = await service.StopAsync(folder, isKilled: true);
        await AssertAsync(
            folder, 1, "problem  .journal: has events after an unclean stop; the next start writes them to the rooms' logs",
            "Verified 1 room, 1 day, 2 events: 1 problem");

        service = new ServiceUnderTest(folder: folder);
        Assert.NotNull(service.Client);
        await service.CaughtUpAsync();
        folder = await service.StopAsync(folder, isKilled: false);
        await AssertAsync(folder, 0, "Verified 1 room, 1 day, 2 events: no problems");
        folder.Dispose();
    }

    [Fact]
    public async Task Without_a_log_directory_the_command_says_where_it_looked()
    {
        using var folder = TempFolder.ForCaller();
        await ServiceProcess.AssertOneLineAsync(
            2, folder, $"There is no log directory {folder["logs"]}. Name it with --logs FOLDER.", "verify");
    }

    private async Task PushAsync(ServiceUnderTest service, int events)
    {
        var start = DateTimeOffset.UtcNow.AddMinutes(-1).ToUnixTimeMilliseconds();
        for (var i = 0; i < events; i++)
        {
            var e = $$"""
                {"type":"m.room.message","room_id":"{{_room}}","sender":"@alice:localhost","event_id":"{{Some.EventId()}}",
                "origin_server_ts":{{start + (i * 1000)}},"content":{"msgtype":"m.text","body":"{{i}}"} }
                """;
            Assert.Equal((200, "{}"), await service.PushAsync($"{i}", e));
        }

        await service.CaughtUpAsync();
    }

    private async Task<TempFolder> StoppedAsync(int events)
    {
        var folder = TempFolder.ForCaller();
        var service = new ServiceUnderTest(folder: folder);
        await PushAsync(service, events);
        return await service.StopAsync(folder, isKilled: false);
    }

    private (string Record, string Text) Files(TempFolder folder)
    {
        var record = Assert.Single(Directory.GetFiles(folder["logs", _room], "*.jsonl"));
        return (record, Path.ChangeExtension(record, ".log"));
    }

    private string Problem(string path, string problem) => $"problem  {_room}/{Path.GetFileName(path)}: {problem}";

    private static void Chmod(string path, int user, int group, int other) =>
        File.SetUnixFileMode(path, (UnixFileMode)((user << 6) | (group << 3) | other));

    private static Task AssertAsync(TempFolder folder, int exitCode, params string[] expected) =>
        AssertAsync(folder, exitCode, expected, rooms: []);

    private static async Task AssertAsync(TempFolder folder, int exitCode, string[] expected, params string[] rooms) =>
        Assert.Equal(expected, await RunAsync(folder, exitCode, rooms));

    private static async Task<IReadOnlyList<string>> RunAsync(TempFolder folder, int exitCode, params string[] rooms)
    {
        await using var process = ServiceProcess.Start(folder.Path, ["verify", .. rooms]);
        Assert.Equal(exitCode, await process.WaitForExitAsync());
        Assert.Empty(process.StandardError);
        return process.StandardOutput;
    }
}
